"""Issuing bills: one or thousands by the same path. A bill is born open, with its number, lines and ledger entry at once.

A draft is a row without a number and without an entry. When it is issued, the bill takes its place under the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from accounts.models import User
from billing.choices import EntryKind, InvoiceKind, InvoiceStatus, TaxMode
from billing.events import InvoicesIssued, InvoicesPaid
from billing.ledger import chart
from billing.ledger.posting import Entry, Line, entries_post
from billing.models import Invoice, InvoiceLine, TaxRate, new_token
from billing.services.invoices_drafts import InvoiceDraft, LineAmount, draft_check, line_amounts
from billing.services.invoices_numbers import INVOICE_SERIES, numbers_of
from billing.services.roots import customers_lock
from core.db.copy import copy_rows
from core.errors import DomainError
from core.events import emit
from core.settings_registry import setting
from customers.models import Customer

ATTEMPTS = 3
ZERO = Decimal(0)
INVOICE_COLUMNS = (
    "id", "kind", "series", "number", "status", "customer_id", "subscription_id", "location_id", "credits_id", "source",
    "token", "currency", "issued_on", "due_on", "period_start", "period_end", "subtotal", "tax_amount", "total",
    "settled_amount", "note", "created_by_id", "created_at", "opened_at", "closed_at",
)  # fmt: skip
LINE_COLUMNS = (
    "invoice_id", "position", "kind", "text", "details", "quantity", "amount", "tax_percent", "tax_amount", "account",
    "plan_id", "subscription_id", "earned_from", "earned_months",
)  # fmt: skip


@dataclass(frozen=True)
class Bill:
    """A draft with everything decided but its number."""

    id: int
    draft: InvoiceDraft
    customer: Customer  # the one that stayed
    amounts: Sequence[LineAmount]
    kind: str = InvoiceKind.INVOICE
    credits_id: int | None = None

    @property
    def subtotal(self) -> Decimal:
        return sum((amount.net for amount in self.amounts), ZERO)

    @property
    def tax(self) -> Decimal:
        return sum((amount.tax for amount in self.amounts), ZERO)

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.tax

    @property
    def location_id(self) -> int | None:
        return self.draft.location_id or self.customer.location_id


def invoice_issue(
    draft: InvoiceDraft, *, now: datetime, actor: User | None = None, ip: str | None = None
) -> tuple[Invoice, bool]:
    """Issue one bill and return it with True; the bill already there for its source with False.

    Raises DomainError for a draft that cannot be a bill. `ip` belongs to the caller's activity row; nothing is kept here.
    """
    is_new = bool(bills_issue([draft], now=now, actor=actor))
    return Invoice.objects.get(source=draft.source), is_new


def invoices_issue(drafts: Sequence[InvoiceDraft], *, now: datetime) -> int:
    """Issue many in one transaction, about 5,000 at a time; sources already billed are skipped. Returns how many are new."""
    return len(bills_issue(drafts, now=now, actor=None))


@transaction.atomic
def bills_issue(drafts: Sequence[InvoiceDraft], *, now: datetime, actor: User | None) -> list[int]:
    """The ids of the new bills. Two issuers of one source: the second waits, then finds it billed; no number is lost."""
    wanted = {draft.source: draft for draft in drafts}
    for draft in wanted.values():
        draft_check(draft)
    for _attempt in range(ATTEMPTS):
        before = _known(wanted)
        try:
            with transaction.atomic():
                return _issue(list(wanted.values()), now=now, actor=actor)
        except IntegrityError:
            # somebody else's bill for one of the sources? Then the numbers are back in the savepoint and we look again
            if _known(wanted) == before:
                raise
    raise DomainError("invoice.busy", _("Somebody else is issuing the same bills; try again."), status=409)


def _issue(drafts: Sequence[InvoiceDraft], *, now: datetime, actor: User | None) -> list[int]:
    roots = customers_lock(draft.customer_id for draft in drafts)
    known = _known(draft.source for draft in drafts)
    fresh = [draft for draft in drafts if draft.source not in known]
    if not fresh:
        return []
    bills = _decided(fresh, roots)
    rows_write(bills, series=str(setting(INVOICE_SERIES)), now=now, actor=actor)
    entries_post(entry for bill in bills if (entry := _entry(bill, now, actor)))
    _charges_take(bills)
    _coupons_count(bills)
    ids = [bill.id for bill in bills]
    emit(InvoicesIssued(ids))
    if free := [bill.id for bill in bills if bill.total == 0]:
        emit(InvoicesPaid(free))
    return ids


def _decided(drafts: Sequence[InvoiceDraft], roots: dict[int, Customer]) -> list[Bill]:
    rates = TaxRates()
    free = iter(invoice_ids(sum(draft.kept_id is None for draft in drafts)))
    return [
        Bill(
            id=next(free) if draft.kept_id is None else draft.kept_id, draft=draft, customer=roots[draft.customer_id],
            amounts=line_amounts(draft.lines, draft.tax_mode, rates.on(draft.issued_on, draft.tax_mode)),
        )
        for draft in drafts
    ]  # fmt: skip


def draft_save(draft: InvoiceDraft, customer: Customer, *, now: datetime, actor: User | None) -> Invoice:
    """Keep it as a draft, under its `kept_id` when it had one: what it would be today, without a number or an entry.

    Call it under the customer's lock.
    """
    draft_check(draft)
    [bill] = _decided([draft], {draft.customer_id: customer})
    row = dict(zip(INVOICE_COLUMNS, _invoice_row(bill, None, str(setting(INVOICE_SERIES)), now, actor), strict=True))
    row |= {"status": InvoiceStatus.DRAFT.value, "issued_on": None, "opened_at": None, "closed_at": None}
    copy_rows(Invoice, (*INVOICE_COLUMNS, "tax_mode"), [(*row.values(), draft.tax_mode)])
    copy_rows(InvoiceLine, LINE_COLUMNS, _line_rows(bill))
    return Invoice.objects.get(pk=bill.id)


def rows_write(bills: Sequence[Bill], *, series: str, now: datetime, actor: User | None) -> None:
    """Number the bills and write them with their lines. A bill of nothing is paid at once."""
    numbers = numbers_of([bill.draft.issued_on for bill in bills], series)
    invoices = (
        _invoice_row(bill, number, series, now, actor) for bill, number in zip(bills, numbers, strict=True)
    )  # fmt: skip
    copy_rows(Invoice, INVOICE_COLUMNS, invoices)
    copy_rows(InvoiceLine, LINE_COLUMNS, (row for bill in bills for row in _line_rows(bill)))


def _invoice_row(bill: Bill, number: str | None, series: str, now: datetime, actor: User | None) -> tuple[Any, ...]:
    draft, total = bill.draft, bill.total
    is_free = total == 0
    return (
        bill.id, bill.kind, series, number, InvoiceStatus.PAID.value if is_free else InvoiceStatus.OPEN.value,
        bill.customer.pk, draft.subscription_id, bill.location_id, bill.credits_id, draft.source, new_token(),
        settings.CURRENCY, draft.issued_on, draft.due_on, draft.period_start, draft.period_end, bill.subtotal, bill.tax,
        total, ZERO, draft.note, actor.pk if actor else None, now, now, now if is_free else None,
    )  # fmt: skip


def _line_rows(bill: Bill) -> Iterable[tuple[Any, ...]]:
    for position, (line, amount) in enumerate(zip(bill.draft.lines, bill.amounts, strict=True), start=1):
        yield (
            bill.id, position, str(line.kind), line.text, Jsonb(dict(line.details)), line.quantity, amount.net,
            amount.percent, amount.tax, line.account, line.plan_id, line.subscription_id, line.earned_from,
            line.earned_months,
        )  # fmt: skip


def _entry(bill: Bill, now: datetime, actor: User | None) -> Entry | None:
    """Receivable against income, `unearned` for months paid ahead, and tax; None for a bill whose every line is 0."""
    sums: dict[tuple[str, int | None], Decimal] = {}
    for line, amount in zip(bill.draft.lines, bill.amounts, strict=True):
        account = chart.UNEARNED if line.earned_months > 1 else line.account
        key = (account, line.plan_id)
        sums[key] = sums.get(key, ZERO) - amount.net
    legs = [Line(chart.RECEIVABLE, bill.total, bill.customer.pk), Line(chart.TAX, -bill.tax)]
    legs += [Line(account, amount, plan_id=plan_id) for (account, plan_id), amount in sums.items()]
    if not any(leg.amount for leg in legs):
        return None
    return Entry(
        EntryKind.INVOICE, f"invoice:{bill.id}", legs, now, actor_id=actor.pk if actor else None,
        location_id=bill.location_id,
    )  # fmt: skip


class TaxRates:
    """The rate of a day: the newest that began by then; none yet means 0."""

    def __init__(self) -> None:
        self._rows = list(TaxRate.objects.order_by("-valid_from").values_list("valid_from", "percent"))

    def on(self, day: date, tax_mode: str) -> Decimal:
        if tax_mode == TaxMode.NONE:
            return ZERO
        return next((percent for valid_from, percent in self._rows if valid_from <= day), ZERO)


def invoice_ids(count: int) -> list[int]:
    """Keys reserved ahead, so that lines and entries can name their bill in the same COPY. Keys may have gaps, numbers not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('billing_invoice', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [row[0] for row in cursor.fetchall()]


def _known(sources: Iterable[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT source FROM billing_invoice WHERE source = ANY(%s)", [list(sources)])
        return {row[0] for row in cursor.fetchall()}


def _charges_take(bills: Sequence[Bill]) -> None:
    """Waiting charges are billed now. One that was billed or cancelled meanwhile stops everything: nobody pays it twice."""
    pairs = [(bill.id, pk) for bill in bills for pk in bill.draft.charge_ids]
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_charge c SET invoice_id = p.invoice_id FROM unnest(%s::bigint[], %s::bigint[]) "
            "AS p (invoice_id, id) WHERE c.id = p.id AND c.invoice_id IS NULL AND c.cancelled_at IS NULL",
            [[pair[0] for pair in pairs], [pair[1] for pair in pairs]],
        )
        if cursor.rowcount != len(pairs):
            raise DomainError("invoice.charge_gone", _("A charge was billed or cancelled meanwhile."), status=409)


def _coupons_count(bills: Sequence[Bill]) -> None:
    """A coupon counts down with each bill it was taken off, and not below 0."""
    ids = [pk for bill in bills for pk in bill.draft.coupon_use_ids]
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_couponuse u SET bills_left = u.bills_left - p.n FROM (SELECT id, count(*) AS n "
            "FROM unnest(%s::bigint[]) AS ids (id) GROUP BY id) p WHERE u.id = p.id AND u.bills_left >= p.n",
            [ids],
        )
        if cursor.rowcount != len(set(ids)):
            raise DomainError("invoice.coupon_used", _("A coupon was used up meanwhile."), status=409)

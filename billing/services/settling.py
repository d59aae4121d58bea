"""Money that settles what is owed: one journal entry and its allocations, in one transaction, under the customer's lock.

Order of locks: the customer that stayed (`billing.services.roots`), then his open invoices by primary key. A source
posts once: asked again, these services return what was posted and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind, InvoiceKind, InvoiceStatus
from billing.events import InvoicesPaid
from billing.ledger import chart
from billing.ledger.posting import Entry, Line, entries_post, entry_post
from billing.models import Allocation, Invoice, JournalEntry
from billing.services.amounts import amount_positive
from billing.services.roots import customer_lock, customers_lock, family_ids, root_id_of
from billing.services.standing import services_reconsider
from core.db.locks import lock_rows
from core.errors import DomainError
from core.events import emit
from customers.models import Customer

CHUNK = 5_000


@dataclass(frozen=True)
class Share:
    """A part of some money, and the invoice it settles."""

    invoice: Invoice
    amount: Decimal


@dataclass(frozen=True)
class Split:
    """What an amount would do: settle these, oldest due first, and leave the rest in the customer's balance."""

    shares: Sequence[Share]
    rest: Decimal


@transaction.atomic
def money_receive(
    *,
    customer_id: int,
    amount: Decimal | int | str,
    into_account: str,
    kind: str,
    source: str,
    now: datetime,
    actor: User | None = None,
    method: str = "",
    location_id: int | None = None,
    invoice_id: int | None = None,
    is_for_balance: bool = False,
    reason: str = "",
) -> tuple[JournalEntry, bool]:
    """Take money into `into_account`: settle the given invoice, then the oldest due, the rest is the customer's balance.

    With `is_for_balance` nothing is settled. Returns the entry, and False when `source` was posted before. Raises
    DomainError for amounts that are none and for an invoice of somebody else.
    """
    value = amount_positive(amount)
    root = customer_lock(customer_id)
    if known := JournalEntry.objects.filter(source=source).first():
        return known, False
    invoices = [] if is_for_balance else _open_invoices([root.pk], is_locked=True)
    split = _split(value, _given_first(invoices, invoice_id, root.pk))
    settled = value - split.rest
    entry, is_new = entry_post(
        kind=kind, source=source, occurred_at=now, actor=actor, location_id=location_id, method=method, reason=reason,
        lines=[
            Line(into_account, value), Line(chart.RECEIVABLE, -settled, root.pk),
            Line(chart.WALLET, -split.rest, root.pk),
        ],
    )  # fmt: skip
    if is_new:
        allocations_write([(entry, share) for share in split.shares], now=now)
    return entry, is_new


def settling_preview(customer_id: int, amount: Decimal | int | str, invoice_id: int | None = None) -> Split:
    """What `money_receive` would do now, for the screen that asks before."""
    root = root_id_of(customer_id)
    return _split(amount_positive(amount), _given_first(_open_invoices([root]), invoice_id, root))


def balance_apply(customer_ids: Iterable[int], *, now: datetime) -> int:
    """Settle open invoices from balances, oldest due first; returns how many invoices got money.

    Left alone are invoices of subscriptions that are not paid from balance by themselves. Chunks, a transaction each;
    asked again it finds nothing left to do.
    """
    ids = sorted(set(customer_ids))
    return sum(_balance_apply_chunk(ids[start : start + CHUNK], now) for start in range(0, len(ids), CHUNK))


@transaction.atomic
def _balance_apply_chunk(ids: Sequence[int], now: datetime) -> int:
    able = Q(balance__gt=0, debt__gt=0)
    wanted = Customer.objects.filter(able | Q(merged_into__balance__gt=0, merged_into__debt__gt=0), pk__in=ids)
    roots = {root.pk: root for root in customers_lock(wanted.values_list("pk", flat=True)).values()}
    by_root: dict[int, list[Invoice]] = {}
    for invoice in _open_invoices(roots, is_locked=True, is_only_automatic=True):
        by_root.setdefault(_root_of(invoice), []).append(invoice)
    splits = {pk: _split(roots[pk].balance, invoices) for pk, invoices in by_root.items()}
    return _settle_from_balance({pk: split.shares for pk, split in splits.items() if split.shares}, now=now)


@transaction.atomic
def invoice_pay_from_balance(invoice: Invoice, *, now: datetime, actor: User | None = None) -> Decimal:
    """Settle one invoice from its customer's balance, as far as it reaches; returns the amount."""
    root = customer_lock(invoice.customer_id)
    fresh = [row for row in _open_invoices([root.pk], is_locked=True) if row.pk == invoice.pk]
    shares = _split(root.balance, fresh).shares
    _settle_from_balance({root.pk: shares} if shares else {}, now=now, actor=actor)
    return sum((share.amount for share in shares), Decimal(0))


def _settle_from_balance(shares: dict[int, Sequence[Share]], *, now: datetime, actor: User | None = None) -> int:
    """One entry per customer. Its source counts what already settled the invoice, so that the same step is one entry."""
    entries: dict[str, tuple[Entry, Sequence[Share]]] = {}
    counts = _allocation_counts([parts[0].invoice.pk for parts in shares.values()])
    for root_id, parts in shares.items():
        first = parts[0].invoice
        source = f"balance:{first.pk}:{counts.get(first.pk, 0) + 1}"
        amount = sum((part.amount for part in parts), Decimal(0))
        lines = [Line(chart.WALLET, amount, root_id), Line(chart.RECEIVABLE, -amount, root_id)]
        location = first.location_id
        entry = Entry(
            EntryKind.SETTLEMENT, source, lines, now, actor_id=actor.pk if actor else None, location_id=location
        )
        entries[source] = (entry, parts)
    fresh = entries_post(entry for entry, _parts in entries.values())
    pairs = [(row, part) for source, row in fresh.items() for part in entries[source][1]]
    allocations_write(pairs, now=now)
    return len(pairs)


def _allocation_counts(invoice_ids: Sequence[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for pk in Allocation.objects.filter(invoice_id__in=invoice_ids).values_list("invoice_id", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    return counts


def allocations_write(pairs: Sequence[tuple[JournalEntry, Share]], *, now: datetime) -> None:
    """Write what each entry settles (negative: takes back), and tell who listens.

    The caller holds the locks and has posted the entries in this transaction.
    """
    if not pairs:
        return
    Allocation.objects.bulk_create(
        Allocation(invoice=share.invoice, entry=entry, amount=share.amount, at=now) for entry, share in pairs
    )
    taken = {share.invoice.pk for _entry, share in pairs if share.amount > 0}
    paid = Invoice.objects.filter(pk__in=taken, status=InvoiceStatus.PAID)
    if paid_ids := list(paid.order_by("pk").values_list("pk", flat=True)):
        emit(InvoicesPaid(paid_ids))
    # in the same transaction: who has paid is open with it, and whose payment was taken back is judged again
    services = {share.invoice.subscription_id for _entry, share in pairs}
    services_reconsider([pk for pk in services if pk is not None], now=now)


def _open_invoices(
    root_ids: Iterable[int], *, is_locked: bool = False, is_only_automatic: bool = False
) -> list[Invoice]:
    """What the customers (and those merged into them) still owe, oldest due first."""
    rows = Invoice.objects.filter(
        customer_id__in=family_ids(root_ids), status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE
    ).select_related("customer")
    if is_only_automatic:
        rows = rows.filter(Q(subscription=None) | Q(subscription__is_auto_renewed=True))
    found = lock_rows(rows) if is_locked else list(rows)
    return sorted(found, key=lambda row: (row.due_on, row.pk))


def _root_of(invoice: Invoice) -> int:
    return invoice.customer.merged_into_id or invoice.customer_id


def _given_first(invoices: list[Invoice], invoice_id: int | None, root_id: int) -> list[Invoice]:
    """The asked invoice in front. One that is paid or void by now is no error: the money settles what else is owed."""
    if invoice_id is None:
        return invoices
    rows = Invoice.objects.select_related("customer").filter(pk=invoice_id, kind=InvoiceKind.INVOICE)
    given = rows.exclude(status=InvoiceStatus.DRAFT).first()  # nobody owes a draft
    if given is None or root_id_of(given.customer_id) != root_id:
        message = _("This invoice is not one of this customer.")
        raise DomainError("payment.invoice_of_other", message, fields={"invoice": message})
    return sorted(invoices, key=lambda row: row.pk != invoice_id)


def _split(amount: Decimal, invoices: Iterable[Invoice]) -> Split:
    shares, rest = [], amount
    for invoice in invoices:
        part = min(rest, invoice.total - invoice.settled_amount)
        if part > 0:
            shares.append(Share(invoice, part))
            rest -= part
    return Split(shares, rest)

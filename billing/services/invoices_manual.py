"""Bills that a person writes: lines with his own words. Issued at once, or kept as a draft first (`invoices_kept`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import LineKind, TaxMode
from billing.ledger import chart
from billing.models import Invoice, Subscription
from billing.services.amounts import amount_signed
from billing.services.invoices_acting import day_at, staff_acted
from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_issuing import draft_save, invoice_issue
from billing.services.roots import customer_lock
from billing.services.settling import balance_apply
from core.errors import DomainError
from core.money import quantise
from customers.models import Customer
from locations.selectors import locations_visible_to

MAX_LINES = 50
MAX_QUANTITY = Decimal(100_000)
MANUAL_ACCOUNTS = (chart.INCOME_OTHER, chart.INCOME_CHARGE, chart.INCOME_ADDON, chart.INCOME_SUBSCRIPTION)


@dataclass(frozen=True)
class ManualLine:
    """`price` is for one; a discount is a line with a negative price."""

    text: str
    price: Decimal | int | str
    quantity: Decimal | int | str = 1
    account: str = chart.INCOME_OTHER


@transaction.atomic
def invoice_write(
    *,
    customer: Customer,
    lines: Sequence[ManualLine],
    due_on: date,
    request_key: str,
    now: datetime,
    actor: User | None,
    ip: str | None = None,
    tax_mode: str = TaxMode.NONE,
    note: str = "",
    is_draft: bool = False,
    subscription: Subscription | None = None,
) -> Invoice:
    """Issue a bill as written; what the customer has in his balance pays it at once.

    With a `subscription` it is a bill of that service: overdue it holds it back.
    `is_draft`: kept instead, without a number and unseen by the customer, until `draft_issue`. The same `request_key`
    returns the bill it made. Raises DomainError naming the fields that are wrong.
    """
    root = customer_lock(customer.pk)
    _refuse_stranger(root, actor)
    source = f"manual:{request_key}"
    if known := Invoice.objects.filter(source=source).first():
        if known.customer_id != root.pk:
            raise DomainError("invoice.request_key", _("This request was already used for another bill."), status=409)
        return known
    draft = draft_of(root, lines, source=source, due_on=due_on, tax_mode=tax_mode, note=note, now=now)
    if subscription is not None:
        draft = _of_service(draft, subscription, actor)
    if is_draft:
        kept = draft_save(draft, root, now=now, actor=actor)
        staff_acted(actor, "invoice.drafted", ip, invoice=kept.pk, customer=root.pk, total=str(kept.total))
        return kept
    invoice, _is_new = invoice_issue(draft, now=now, actor=actor)
    balance_apply([root.pk], now=now)
    staff_acted(
        actor, "invoice.written", ip, invoice=invoice.pk, number=invoice.number, customer=root.pk,
        total=str(invoice.total),
    )  # fmt: skip
    invoice.refresh_from_db()
    return invoice


def draft_of(
    customer: Customer,
    lines: Sequence[ManualLine],
    *,
    source: str,
    due_on: date,
    tax_mode: str,
    note: str,
    now: datetime,
) -> InvoiceDraft:
    """What was written, checked. It is of today: day of issue and rate of tax. Raises DomainError by field."""
    today = day_at(customer.location, now)
    if due_on < today:
        message = _("Not before today.")
        raise DomainError("invoice.due", message, fields={"due_on": message})
    if tax_mode not in TaxMode.values:
        message = _("Choose how tax is counted.")
        raise DomainError("invoice.tax_mode", message, fields={"tax_mode": message})
    return InvoiceDraft(
        customer.pk, _draft_lines(lines), source, today, due_on, tax_mode=tax_mode, note=note.strip()[:300]
    )


def _refuse_stranger(customer: Customer, actor: User | None) -> None:
    """The customer must belong to a place of this person; one without a place to people who see all."""
    if actor is None:
        return
    places = locations_visible_to(actor)
    if places.query.where and not places.filter(pk__in=[customer.location_id or 0]).exists():
        message = _("There is no such customer at your locations.")
        raise DomainError("customer.not_found", message, fields={"customer": message}, status=404)


def _of_service(draft: InvoiceDraft, subscription: Subscription, actor: User | None) -> InvoiceDraft:
    """The customer is locked: his services stay his meanwhile."""
    row = Subscription.objects.filter(pk=subscription.pk, customer_id=draft.customer_id).first()
    if row is None or (actor is not None and not locations_visible_to(actor).filter(pk=row.location_id).exists()):
        message = _("This customer has no such service.")
        raise DomainError("invoice.subscription", message, fields={"subscription": message})
    return replace(draft, subscription_id=row.pk, location_id=row.location_id)


def _draft_lines(lines: Sequence[ManualLine]) -> list[DraftLine]:
    if not 1 <= len(lines) <= MAX_LINES:
        message = _("Write 1 to %(n)d lines.") % {"n": MAX_LINES}
        raise DomainError("invoice.lines", message, fields={"lines": message})
    return [_draft_line(index, line) for index, line in enumerate(lines)]


def _draft_line(index: int, line: ManualLine) -> DraftLine:
    text = line.text.strip()
    if not 1 <= len(text) <= 200:
        raise _refusal(index, "text", _("Write what it is for, in at most 200 characters."))
    try:
        quantity = Decimal(str(line.quantity))
    except ArithmeticError:
        raise _refusal(index, "quantity", _("Write a number.")) from None
    if not (quantity.is_finite() and 0 < quantity <= MAX_QUANTITY and quantity == round(quantity, 3)):
        raise _refusal(index, "quantity", _("Above 0, with at most 3 decimals."))
    if line.account not in MANUAL_ACCOUNTS:
        raise _refusal(index, "account", _("Choose the kind of income."))
    price = amount_signed(line.price, field=f"line_{index}_price")
    account = chart.INCOME_DISCOUNT if price < 0 else line.account
    kind = LineKind.DISCOUNT if price < 0 else LineKind.MANUAL
    return DraftLine(
        kind, quantise(price * quantity), account, text=text, quantity=quantity,
        details={"text": text, "price": str(price)},
    )  # fmt: skip


def _refusal(index: int, field: str, message: str) -> DomainError:
    return DomainError("invoice.line", message, fields={f"line_{index}_{field}": message})

"""A bill of a service that should never have been: void, and its days billed again as they are agreed now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import periods
from billing.choices import RUNNING, InvoiceKind, InvoiceStatus, LineKind, SubscriptionStatus
from billing.models import Invoice, InvoiceLine, Subscription, SubscriptionPeriod
from billing.services.engine.bills import Extras, bill_of, period_source, price_of
from billing.services.engine.lines import ZERO
from billing.services.engine.rest import FROM_BEFORE, Cut, billed_of, rest_lines
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.invoices import InvoiceDraft, invoice_issue, invoice_void
from billing.services.invoices_acting import invoice_lock
from billing.services.money_preview import MoneyPreview, money_preview
from billing.services.settling import balance_apply
from billing.services.standing import services_reconsider
from core import clock
from core.errors import TransitionError

LIVING = (*sorted(RUNNING), SubscriptionStatus.PAUSED)


def period_of(invoice: Invoice) -> SubscriptionPeriod | None:
    """The days of a service that this bill is for; None for every other bill, and once they were billed again."""
    if invoice.kind != InvoiceKind.INVOICE or invoice.subscription_id is None:
        return None
    rows = SubscriptionPeriod.objects.filter(invoice=invoice, subscription=invoice.subscription_id)
    return rows.select_related("subscription").order_by("starts_on").first()


def can_bill_again(invoice: Invoice) -> bool:
    """Void, or nothing of it settled yet; of a service that lives."""
    span = period_of(invoice)
    is_right = invoice.status == InvoiceStatus.VOID or (
        invoice.status == InvoiceStatus.OPEN and not invoice.settled_amount
    )
    return span is not None and is_right and span.subscription.status in LIVING


@transaction.atomic
def invoice_bill_again(
    invoice: Invoice, *, reason: str, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Invoice | None:
    """Make the bill void if it is not, and bill its days by the price and terms of now; None when they cost nothing now.

    Raises TransitionError (`invoice.no_days`) for a bill without days of a service, and what making void raises.
    """
    at, why = now or clock.now(), reason_checked(reason, is_needed=True)
    span = period_of(invoice)
    if span is None:
        raise _no_days()
    row = subscription_for(span.subscription, actor, statuses=LIVING)
    fresh, _root = invoice_lock(invoice, actor)
    span = period_of(fresh)
    if span is None:
        raise _no_days()
    if fresh.status != InvoiceStatus.VOID:
        fresh = invoice_void(fresh, reason=why, now=at, actor=actor, ip=ip)
    amount, draft = _draft(row, span, fresh, today_at(row, at))
    made = invoice_issue(draft, now=at, actor=actor)[0] if draft else None
    period_bill_again(span, made, amount)
    balance_apply([row.customer_id], now=at)
    services_reconsider([row.pk], now=at)
    number = made.number if made else ""
    event_write(row, "billed_again", at=at, actor=actor, reason=why, before=fresh.number, after=number)
    staff_acted(actor, "invoice.billed_again", ip, row, invoice=fresh.pk, number=fresh.number, after=number, reason=why)
    if made:
        made.refresh_from_db()
    return made


def bill_again_preview(
    invoice: Invoice, *, reason: str, actor: User | None, now: datetime | None = None, **_words: Any
) -> MoneyPreview:
    """What it would bill. Raises what doing it would raise."""
    span = period_of(invoice)
    if span is None:
        raise _no_days()
    return money_preview(span.subscription, lambda: invoice_bill_again(invoice, reason=reason, actor=actor, now=now))


def period_bill_again(span: SubscriptionPeriod, invoice: Invoice | None, amount: Decimal) -> None:
    """The days of a void bill are on this one now: the only way a period gets another bill without being replaced."""
    is_void = SubscriptionPeriod.objects.filter(pk=span.pk, invoice__status=InvoiceStatus.VOID)
    if not is_void.update(invoice=invoice, amount=amount):
        raise _no_days()


def _no_days() -> TransitionError:
    text = _("This bill is not for days of a service, or they were billed again already. Nothing was changed.")
    return TransitionError(text, code="invoice.no_days")


def _draft(
    row: Subscription, span: SubscriptionPeriod, void: Invoice, today: date
) -> tuple[Decimal, InvoiceDraft | None]:
    """What came from an earlier bill with its days stays off them; else all that belongs on a bill of these days now."""
    known = Invoice.objects.filter(source__startswith=period_source(row.pk, span.starts_on)).count()
    source = f"{period_source(row.pk, span.starts_on)}:{known + 1}"
    due = periods.due_day(max(today, span.starts_on), row.due_days, not_before=today)
    if any(FROM_BEFORE & set(line.details) for line in void.lines.filter(kind=LineKind.DISCOUNT)):
        cut = Cut(span.starts_on, span.ends_on, span, billed_of(row, span, void))
        lines = rest_lines(row, cut, price_of(row), price_of(row))
        amount = sum((line.amount for line in lines), ZERO)
        draft = InvoiceDraft(
            customer_id=row.customer_id, lines=lines, source=source, issued_on=today, due_on=due, tax_mode=row.tax_mode,
            subscription_id=row.pk, location_id=row.location_id, period_start=span.starts_on, period_end=span.ends_on,
        )  # fmt: skip
        return amount, draft if lines else None
    extras = Extras([row])
    elsewhere = _addons_elsewhere(row, span)
    extras.addons[row.pk] = [addon for addon in extras.addons[row.pk] if addon.pk not in elsewhere]
    bill = bill_of(row, span.starts_on, span.ends_on, extras, today, issued_on=today)
    return bill.amount, replace(bill.draft, source=source, due_on=due) if bill.draft else None


def _addons_elsewhere(row: Subscription, span: SubscriptionPeriod) -> set[int]:
    """Add-ons whose days of this span are on another bill: they began when it was out already."""
    lines = InvoiceLine.objects.filter(
        invoice__subscription=row, invoice__kind=InvoiceKind.INVOICE, kind=LineKind.ADDON,
        details__to__gt=span.starts_on.isoformat(), details__from__lt=span.ends_on.isoformat(),
    ).exclude(invoice__status=InvoiceStatus.VOID)  # fmt: skip
    return {line.details["addon"] for line in lines if "addon" in line.details}

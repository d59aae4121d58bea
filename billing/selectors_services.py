"""What the page of a service shows, read in a few queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from billing import periods
from billing.choices import RUNNING, BillingMode, InvoiceKind, InvoiceStatus, PromiseStatus
from billing.models import Addon, Charge, CouponUse, Invoice, Promise, Subscription
from billing.service_words import Overdue
from billing.services.engine.bills import LEAD_DAYS, bills_due, rhythm_of
from core.settings_registry import setting


@dataclass(frozen=True)
class NextBill:
    """When the next bill is made, for which days, and what its lines come to before tax; what each coupon takes off it."""

    day: date
    start: date
    end: date
    amount: Decimal
    coupons: dict[str, Decimal]


def overdue_of(row: Subscription, today: date) -> Overdue | None:
    bills = Invoice.objects.filter(
        subscription=row, status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE, due_on__lt=today
    ).aggregate(first=Min("due_on"), open=Sum(F("total") - F("settled_amount")), n=Count("pk"))
    if not bills["n"]:
        return None
    promise = Promise.objects.filter(subscription=row, status=PromiseStatus.OPEN).first()
    return Overdue(bills["first"], bills["open"], bills["n"], promise.until_on if promise else None)


def next_bill_of(row: Subscription) -> NextBill | None:
    """By the engine's own maths; None for a service that is not billed now."""
    start = row.billed_until
    if start is None or row.status not in RUNNING:
        return None
    lead = int(setting(LEAD_DAYS))
    rhythm = rhythm_of(row, start)
    day = periods.bill_day(rhythm, start, is_postpaid=row.billing_mode == BillingMode.POSTPAID, lead_days=lead)
    found = bills_due([row], day, lead_days=lead)
    if not found:
        return None
    bill = found[0]
    lines = bill.draft.lines if bill.draft else ()
    off = {line.details["coupon"]: -line.amount for line in lines if "coupon" in line.details}
    return NextBill(day, bill.start, bill.end, sum((line.amount for line in lines), Decimal(0)), off)


def addons_running(row: Subscription, today: date) -> QuerySet[Addon]:
    """Add-ons that have not ended; those that run out with a period too."""
    return row.addons.filter(Q(until_on=None) | Q(until_on__gt=today))


def charges_waiting(row: Subscription) -> QuerySet[Charge]:
    """One-off charges of the service that are on no bill yet."""
    return row.charges.filter(invoice=None, cancelled_at=None)


def coupons_running(row: Subscription) -> QuerySet[CouponUse]:
    return row.coupon_uses.filter(bills_left__gt=0).select_related("coupon")

"""What the page of a service shows, read in a few queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from billing import periods
from billing.choices import RUNNING, BillingMode, InvoiceKind, InvoiceStatus, PromiseStatus, TaxMode
from billing.models import Addon, Charge, CouponUse, Invoice, Promise, Subscription
from billing.service_words import NextBill, Overdue
from billing.services.engine.bills import LEAD_DAYS, Extras, bill_of, rhythm_of
from core.settings_registry import setting


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
    return next_bills_of([row]).get(row.pk)


def next_bills_of(rows: Iterable[Subscription]) -> dict[int, NextBill]:
    """The same for many, by id, in a fixed number of queries. A charge of the customer is on the earliest of their bills."""
    lead = int(setting(LEAD_DAYS))
    found = sorted(
        (_next_day(row, row.billed_until, lead), row.pk, row.billed_until, row)
        for row in rows
        if row.billed_until is not None and row.status in RUNNING
    )
    extras = Extras([row for *_day, row in found])
    return {pk: _next_bill(row, day, start, extras, lead) for day, pk, start, row in found}


def _next_day(row: Subscription, start: date, lead: int) -> date:
    is_postpaid = row.billing_mode == BillingMode.POSTPAID
    return periods.bill_day(rhythm_of(row, start), start, is_postpaid=is_postpaid, lead_days=lead)


def _next_bill(row: Subscription, day: date, start: date, extras: Extras, lead: int) -> NextBill:
    bill = bill_of(row, start, periods.period_end(rhythm_of(row, start), start), extras, day, lead)
    lines = bill.draft.lines if bill.draft else ()
    off = {line.details["coupon"]: -line.amount for line in lines if "coupon" in line.details}
    amount = sum((line.amount for line in lines), Decimal(0))
    return NextBill(day, bill.start, bill.end, amount, off, row.tax_mode == TaxMode.EXCLUSIVE)


def prepay_table(row: Subscription) -> dict[int, Decimal]:
    """Percent off by months paid at once: the service's own, else its plan's."""
    own = row.prepay_discounts
    if own is not None:
        return {int(months): Decimal(percent) for months, percent in own.items()}
    return dict(row.plan.prepay_discounts.order_by("months").values_list("months", "percent"))


def addons_running(row: Subscription, today: date) -> QuerySet[Addon]:
    """Add-ons that have not ended; those that run out with a period too."""
    return row.addons.filter(Q(until_on=None) | Q(until_on__gt=today))


def charges_waiting(row: Subscription) -> QuerySet[Charge]:
    """One-off charges of the service that are on no bill yet."""
    return row.charges.filter(invoice=None, cancelled_at=None)


def coupons_running(row: Subscription) -> QuerySet[CouponUse]:
    return row.coupon_uses.filter(bills_left__gt=0).select_related("coupon")

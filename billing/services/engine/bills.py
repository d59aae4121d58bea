"""Which periods are to be billed by a day, as drafts; and writing them. The only place that makes a service's bill.

Reading decides everything (`bills_due`), writing only stores it (`bills_write`), so that a preview, a night's run and
an activation are the same bill. A period is billed once: its source is `sub:<id>:<first day>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing import periods
from billing.choices import BillingMode, FirstBill, PeriodMode, PlanChangeStatus
from billing.models import (
    Addon,
    Charge,
    CouponUse,
    Invoice,
    Plan,
    PlanChange,
    PlanLocation,
    PrepayDiscount,
    Subscription,
)
from billing.periods import Rhythm
from billing.services.engine.lines import (
    ZERO,
    Price,
    addon_lines,
    anchor_of,
    discount_lines,
    service_lines,
)
from billing.services.invoices import DraftLine, InvoiceDraft, charge_line, invoices_issue
from core.settings_registry import setting

LEAD_DAYS = "billing.lead_days"
MOST_PERIODS = 240  # of one service in one go: twenty years of months; more is a broken date, not a debt


@dataclass(frozen=True)
class Bill:
    """One period and its draft; no draft when it costs nothing. `amount` is the service's own, discounts taken off."""

    subscription: Subscription
    start: date
    end: date
    amount: Decimal
    draft: InvoiceDraft | None

    @property
    def source(self) -> str:
        return period_source(self.subscription.pk, self.start)


def period_source(subscription_id: int, start: date) -> str:
    return f"sub:{subscription_id}:{start.isoformat()}"


def rhythm_of(subscription: Subscription, default: date) -> Rhythm:
    is_merged = subscription.period_mode == PeriodMode.FIXED_DAY and subscription.first_bill == FirstBill.MERGED
    return Rhythm(anchor_of(subscription, default), subscription.period_months, is_merged)


class Extras:
    """Everything else that belongs on the bills of these services, read once for all of them."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        ids = [row.pk for row in subscriptions]
        self.addons: dict[int, list[Addon]] = defaultdict(list)
        for addon in Addon.objects.filter(subscription__in=ids).order_by("pk"):
            self.addons[addon.subscription_id].append(addon)
        self.uses: dict[int, list[CouponUse]] = defaultdict(list)
        self.left: dict[int, int] = {}
        for use in (
            CouponUse.objects.filter(subscription__in=ids, bills_left__gt=0).select_related("coupon").order_by("pk")
        ):
            self.uses[use.subscription_id].append(use)
            self.left[use.pk] = use.bills_left
        self.changes = {
            row.subscription_id: row for row in changes_possible(PlanChange.objects.filter(subscription__in=ids))
        }
        plans = {row.plan_id for row in subscriptions} | {row.to_plan_id for row in self.changes.values()}
        self.prepaying: dict[int, list[PrepayDiscount]] = defaultdict(list)
        for discount in PrepayDiscount.objects.filter(plan__in=plans):
            self.prepaying[discount.plan_id].append(discount)
        self._charges_read(subscriptions)

    def _charges_read(self, subscriptions: Sequence[Subscription]) -> None:
        """Charges of a service wait for its bill, charges of a customer for the first bill of any of his services."""
        self.charges: dict[int, list[Charge]] = defaultdict(list)
        self.charges_of_customer: dict[int, list[Charge]] = defaultdict(list)
        customers = {row.customer_id for row in subscriptions}
        mine = Q(customer__in=customers) | Q(customer__merged_into__in=customers)
        waiting = Charge.objects.filter(mine, invoice=None, cancelled_at=None).select_related(
            "customer", "subscription"
        )
        for charge in waiting.order_by("pk"):
            if charge.subscription_id is not None:
                self.charges[charge.subscription_id].append(charge)
            else:
                self.charges_of_customer[charge.customer.merged_into_id or charge.customer_id].append(charge)

    def price_on(self, subscription: Subscription, day: date) -> Price:
        """The price of a period that starts that day: a plan change due by then counts already."""
        change = self.changes.get(subscription.pk)
        if change is not None and change.effective_on <= day:
            return Price(change.to_plan, change.to_plan.price_sell)
        return price_of(subscription)

    def charges_take(self, subscription: Subscription) -> list[Charge]:
        return self.charges.pop(subscription.pk, []) + self.charges_of_customer.pop(subscription.customer_id, [])

    def prepaying_of(self, subscription: Subscription, plan: Plan) -> Sequence[PrepayDiscount]:
        """The discounts for months ahead: the service's own where it has some, else the plan's."""
        own = subscription.prepay_discounts
        if own is None:
            return self.prepaying[plan.pk]
        return [PrepayDiscount(months=int(n), percent=Decimal(percent)) for n, percent in own.items()]

    def uses_left(self, subscription: Subscription) -> list[CouponUse]:
        """The coupons that still count."""
        return [use for use in self.uses[subscription.pk] if self.left[use.pk] > 0]

    def uses_take(self, uses: Sequence[CouponUse], off: Sequence[DraftLine]) -> list[CouponUse]:
        """Those that took something off, one bill less each; one that found nothing left to take it from still counts."""
        codes = {line.details.get("coupon") for line in off}
        taken = [use for use in uses if use.coupon.code in codes]
        for use in taken:
            self.left[use.pk] -= 1
        return taken


def changes_possible(changes: QuerySet[PlanChange]) -> QuerySet[PlanChange]:
    """Those that wait and whose new plan is published where the service is; the others keep waiting."""
    here = PlanLocation.objects.filter(plan=OuterRef("to_plan"), location=OuterRef("subscription__location"))
    waiting = changes.filter(Exists(here), status=PlanChangeStatus.WAITING)
    return waiting.select_related("subscription", "from_plan", "to_plan").order_by("pk")


def price_of(subscription: Subscription) -> Price:
    own = subscription.price
    return Price(subscription.plan, subscription.plan.price_sell if own is None else own)


def bills_due(
    subscriptions: Sequence[Subscription], day: date, *, lead_days: int | None = None, is_fresh: bool = False
) -> list[Bill]:
    """Bills of every period whose day has come by `day`, oldest first: also those that nights were missed for.

    `is_fresh`: the service begins or comes back just now, so its bills are of today even where a bill of its kind would
    have been sent days ahead.
    """
    lead = int(setting(LEAD_DAYS)) if lead_days is None else lead_days
    spans = {row.pk: spans_due(row, day, lead) for row in subscriptions}
    due = [row for row in subscriptions if spans[row.pk]]
    if not due:
        return []
    extras = Extras(due)
    return [bill_of(row, start, end, extras, day, lead, is_fresh) for row in due for start, end in spans[row.pk]]


def spans_due(subscription: Subscription, day: date, lead_days: int) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    start = subscription.billed_until
    while start is not None and len(found) < MOST_PERIODS:
        rhythm = rhythm_of(subscription, start)
        is_postpaid = subscription.billing_mode == BillingMode.POSTPAID
        if periods.bill_day(rhythm, start, is_postpaid=is_postpaid, lead_days=lead_days) > day:
            break
        end = periods.period_end(rhythm, start)
        found.append((start, end))
        start = end
    return found


def bill_of(
    subscription: Subscription,
    start: date,
    end: date,
    extras: Extras,
    day: date,
    lead_days: int = 0,
    is_fresh: bool = False,
    *,
    issued_on: date | None = None,
) -> Bill:
    """The bill of one span. `issued_on` overrules the day it would have by its kind (a bill out of turn)."""
    price = extras.price_on(subscription, start)
    service = service_lines(subscription, price, start, end)
    uses = extras.uses_left(subscription) if service else []
    off = discount_lines(subscription, service, extras.prepaying_of(subscription, price.plan), uses)
    uses = extras.uses_take(uses, off)
    charges = extras.charges_take(subscription)
    lines = [*service, *addon_lines(subscription, extras.addons[subscription.pk], start, end), *off]
    lines += [charge_line(row) for row in charges]
    amount = sum((line.amount for line in [*service, *off]), ZERO)
    if not lines:
        return Bill(subscription, start, end, amount, None)
    rhythm = rhythm_of(subscription, start)
    is_postpaid = subscription.billing_mode == BillingMode.POSTPAID
    regular = periods.bill_day(rhythm, start, is_postpaid=is_postpaid, lead_days=lead_days)
    issued = issued_on or (max(regular, day) if is_fresh else min(regular, day))
    first = issued if is_postpaid or issued_on else periods.bill_day(rhythm, start, is_postpaid=False)
    draft = InvoiceDraft(
        customer_id=subscription.customer_id, lines=lines, source=period_source(subscription.pk, start),
        issued_on=issued, due_on=periods.due_day(first, subscription.due_days, not_before=day),
        tax_mode=subscription.tax_mode, subscription_id=subscription.pk, location_id=subscription.location_id,
        period_start=start, period_end=end, charge_ids=[row.pk for row in charges],
        coupon_use_ids=[use.pk for use in uses],
    )  # fmt: skip
    return Bill(subscription, start, end, amount, draft)


def bills_write(bills: Sequence[Bill], *, now: datetime) -> int:
    """Issue the bills and remember the periods; returns how many invoices are new.

    In the caller's transaction, with the services locked (`history.subscriptions_lock`).
    """
    if not bills:
        return 0
    count = invoices_issue([bill.draft for bill in bills if bill.draft is not None], now=now)
    periods_remember(bills)
    until: dict[int, date] = {}
    for bill in bills:
        until[bill.subscription.pk] = max(bill.end, until.get(bill.subscription.pk, bill.end))
    billed_until_set(until)
    for bill in bills:
        bill.subscription.billed_until = until[bill.subscription.pk]
    return count


_REMEMBER = """
INSERT INTO billing_subscriptionperiod (subscription_id, starts_on, ends_on, amount, invoice_id)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::date[], %s::numeric[], %s::bigint[])
ON CONFLICT (subscription_id, starts_on) DO NOTHING
"""


def periods_remember(bills: Sequence[Bill]) -> None:
    sources = [bill.source for bill in bills if bill.draft is not None]
    invoices = dict(Invoice.objects.filter(source__in=sources).values_list("source", "pk"))
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [
            [bill.subscription.pk for bill in bills], [bill.start for bill in bills], [bill.end for bill in bills],
            [bill.amount for bill in bills], [invoices.get(bill.source) for bill in bills],
        ])  # fmt: skip


def billed_until_set(until: dict[int, date]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_subscription s SET billed_until = v.day FROM unnest(%s::bigint[], %s::date[]) AS v (id, day) "
            "WHERE s.id = v.id",
            [list(until), list(until.values())],
        )

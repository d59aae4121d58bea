"""Another plan for a service: at once, with a credit for the days not used and a bill for them by the new price, or at
the end of the period without either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import periods
from billing.choices import PLAN_CHANGE_MOVES, RUNNING, BillingMode, PlanChangeStatus
from billing.models import Plan, PlanChange, PrepayDiscount, Subscription, SubscriptionPeriod
from billing.selectors import publications
from billing.services.engine.bills import bills_due, bills_write, price_of, rhythm_of
from billing.services.engine.lines import ZERO, Price, anchor_of, discount_lines, service_lines
from billing.services.engine.unused import unused_credit, used_part_bill
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.invoices import InvoiceDraft, invoice_issue
from billing.services.settling import balance_apply, invoice_pay_from_balance
from billing.services.standing import services_reconsider
from billing.services.subscriptions_logins import publication_of
from core import clock
from core.db.transition import transition, transition_set
from core.errors import DomainError, TransitionError
from locations.models import AccessAccount
from locations.services import accounts_set_profile


@transaction.atomic
def subscription_change_plan(
    subscription: Subscription,
    *,
    plan: Plan,
    is_at_once: bool,
    reason: str = "",
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> PlanChange:
    """Change the plan now or with the next period; a change that waits is replaced. An own price ends with the old plan."""
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=RUNNING)
    today = today_at(fresh, at)
    _check(fresh, plan)
    _waiting_cancel(fresh, is_at_once)
    bills_write(bills_due([fresh], today), now=at)
    change = PlanChange.objects.create(
        subscription=fresh, from_plan=fresh.plan, to_plan=plan, status=PlanChangeStatus.WAITING, requested_by=actor,
        effective_on=today if is_at_once else period_ends_on(fresh, today), requested_at=at,
    )  # fmt: skip
    staff_acted(
        actor, "subscription.plan_changed", ip, fresh, before=change.from_plan_id, after=plan.pk,
        effective_on=change.effective_on, reason=why,
    )  # fmt: skip
    if is_at_once:
        _change_now(fresh, change, today, now=at, actor=actor, ip=ip, reason=why)
    else:
        event_write(
            fresh, "plan_change_asked", at=at, actor=actor, reason=why, before=change.from_plan.name, after=plan.name,
            effective_on=change.effective_on,
        )  # fmt: skip
    change.refresh_from_db()
    return change


def period_ends_on(row: Subscription, today: date) -> date:
    """The first day that no bill covers and no used day belongs to: where another price can begin."""
    start = row.billed_until or date.max
    is_used = (
        row.billing_mode == BillingMode.POSTPAID or start <= today
    )  # prepaid: a first part that waits for its bill
    return periods.period_end(rhythm_of(row, start), start) if is_used else start


def _check(row: Subscription, plan: Plan) -> None:
    message = ""
    if plan.type != row.type:
        message = _("A plan of the same type, please: another type is another service.")
    elif plan.pk == row.plan_id:
        message = _("The service has this plan already.")
    elif not plan.is_active:
        message = _("This plan is not on sale.")
    if message:
        raise DomainError("subscription.plan", message, fields={"plan": message})
    publication_of(plan.pk, row.location)


def _waiting_cancel(row: Subscription, is_at_once: bool) -> None:
    waiting = PlanChange.objects.filter(subscription=row)
    if not is_at_once:
        for change in waiting.filter(status=PlanChangeStatus.WAITING):
            _refuse_if_billed(row, change)
    transition_set(waiting, to=PlanChangeStatus.CANCELLED, allowed=PLAN_CHANGE_MOVES)


def _refuse_if_billed(row: Subscription, change: PlanChange) -> None:
    if row.billing_mode == BillingMode.PREPAID and row.billed_until and change.effective_on < row.billed_until:
        message = _("The bill with the price of %(plan)s is out already; change the plan at once instead.")
        raise TransitionError(message % {"plan": change.to_plan.name}, code="plan_change.billed")


def _change_now(
    row: Subscription,
    change: PlanChange,
    today: date,
    *,
    now: datetime,
    actor: User | None,
    ip: str | None,
    reason: str,
) -> None:
    """Days used and not billed are billed at the old price; days billed and left are credited and billed at the new one."""
    used_part_bill(row, today, now=now)
    end = row.billed_until or today
    credited = unused_credit(row, today, end, why="plan_change", now=now, actor=actor, ip=ip, reason=reason)
    before = price_of(row)
    plan_changes_apply([change], now=now, actor=actor, reason=reason, credited=credited)
    row.refresh_from_db()
    if today < end:
        _rest_bill(row, change, today, end, before, now=now, actor=actor)
    balance_apply([row.customer_id], now=now)
    services_reconsider([row.pk], now=now)


def _rest_bill(
    row: Subscription, change: PlanChange, today: date, end: date, before: Price, *, now: datetime, actor: User | None
) -> None:
    """The days already billed to the end, at the new price; the periods say which bill they are on now."""
    service = service_lines(row, price_of(row), today, end)
    off = discount_lines(row, service, PrepayDiscount.objects.filter(plan=row.plan), [])
    amount = sum((line.amount for line in [*service, *off]), ZERO)
    invoice_id = None
    if service:
        draft = InvoiceDraft(
            customer_id=row.customer_id, lines=[*service, *off], source=f"plan_change:{change.pk}", issued_on=today,
            due_on=periods.due_day(today, row.due_days, not_before=today), tax_mode=row.tax_mode, subscription_id=row.pk,
            location_id=row.location_id, period_start=today, period_end=end,
        )  # fmt: skip
        invoice, _is_new = invoice_issue(draft, now=now, actor=actor)
        invoice_pay_from_balance(invoice, now=now, actor=actor)
        invoice_id = invoice.pk
    _periods_cut(row, today, end, amount, invoice_id, before)


def _periods_cut(
    row: Subscription, today: date, end: date, amount: Decimal, invoice_id: int | None, before: Price
) -> None:
    spans = SubscriptionPeriod.objects.filter(subscription=row, ends_on__gt=today)
    for span in spans.filter(starts_on__lt=today):
        whole, used = (span.starts_on, span.ends_on), (span.starts_on, today)
        span.amount = periods.share(anchor_of(row, span.starts_on), before.monthly, span.amount, whole, used)
        span.ends_on = today
        span.save(update_fields=["amount", "ends_on"])
    # what was billed for these days is not changed but replaced: the database asks that each of them stays billed
    spans.filter(starts_on__gte=today).delete()
    SubscriptionPeriod.objects.create(
        subscription=row, starts_on=today, ends_on=end, amount=amount, invoice_id=invoice_id
    )


def plan_changes_apply(
    changes: Sequence[PlanChange],
    *,
    now: datetime,
    actor: User | None = None,
    reason: str = "",
    credited: Decimal = ZERO,
) -> int:
    """Carry changes out whose services are locked: the plan, the history, and the profile on the routers.

    One whose plan is not published there any more stays waiting; its service keeps the old plan. Returns how many.
    """
    by_place: dict[tuple[int, int], list[PlanChange]] = defaultdict(list)
    for change in changes:
        by_place[change.subscription.location_id, change.to_plan_id].append(change)
    count = 0
    for (location_id, plan_id), group in sorted(by_place.items()):
        published = publications(plan_id, [location_id]).get(location_id)
        if published is None:
            continue
        ids = [change.subscription_id for change in group]
        Subscription.objects.filter(pk__in=ids).update(plan_id=plan_id, price=None)
        rows = PlanChange.objects.filter(pk__in=[change.pk for change in group])
        count += transition_set(rows, to=PlanChangeStatus.DONE, allowed=PLAN_CHANGE_MOVES, done_at=now)
        for change in group:
            event_write(
                change.subscription, "plan_changed", at=now, actor=actor, reason=reason, before=change.from_plan.name,
                after=change.to_plan.name, effective_on=change.effective_on, credited=credited,
            )  # fmt: skip
        accounts = Subscription.objects.filter(pk__in=ids, account__isnull=False).values_list("account_id", flat=True)
        accounts_set_profile(AccessAccount.objects.filter(pk__in=list(accounts)), published.profile)
    return count


@transaction.atomic
def plan_change_cancel(
    change: PlanChange, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> None:
    """Forget a change that waits. Raises TransitionError when it was done or forgotten already."""
    fresh = subscription_for(change.subscription, actor)
    _refuse_if_billed(fresh, change)
    transition(PlanChange.objects.filter(pk=change.pk), to=PlanChangeStatus.CANCELLED, allowed=PLAN_CHANGE_MOVES)
    event_write(fresh, "plan_change_cancelled", at=now or clock.now(), actor=actor, after=change.to_plan.name)
    staff_acted(actor, "subscription.plan_change_cancelled", ip, fresh, plan=change.to_plan_id)

"""Another plan for a service: at once, with a credit for the days not used and a bill for them by the new price, or at
the end of the period without either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import periods
from billing.choices import PLAN_CHANGE_MOVES, RUNNING, BillingMode, PlanChangeStatus, SubscriptionStatus
from billing.models import TERMS_FIELDS, Plan, PlanChange, Subscription, SubscriptionPeriod
from billing.selectors import publications
from billing.services.engine.bills import bills_due, bills_write, price_of, rhythm_of
from billing.services.engine.lines import ZERO, Price
from billing.services.engine.rest import Cut, cuts_of, fitted, rest_lines, rest_worth
from billing.services.engine.unused import days_credit, days_credit_most, used_part_bill
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.invoices import InvoiceDraft, invoice_issue
from billing.services.money_preview import MoneyPreview, money_preview
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
    """Change the plan now or with the next period; a change that waits is replaced. An own price ends with the old plan.

    A draft has nothing billed: it simply gets the new plan.
    """
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT, *RUNNING])
    today = today_at(fresh, at)
    _check(fresh, plan)
    if fresh.status == SubscriptionStatus.DRAFT:
        return _change_draft(fresh, plan, today, now=at, actor=actor, ip=ip, reason=why)
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


def plan_change_preview(
    subscription: Subscription, *, plan: Plan, is_at_once: bool, actor: User | None, now: datetime | None = None,
    **_words: Any,
) -> MoneyPreview:  # fmt: skip
    """What the change would bill and credit today. Raises what the change itself would raise."""

    def step() -> None:
        subscription_change_plan(subscription, plan=plan, is_at_once=is_at_once, actor=actor, now=now)

    return money_preview(subscription, step)


def _change_draft(
    row: Subscription, plan: Plan, today: date, *, now: datetime, actor: User | None, ip: str | None, reason: str
) -> PlanChange:
    """Terms that were the old plan's become the new one's; what was agreed otherwise stays, but an own price."""
    old = row.plan
    terms = {name: getattr(plan, name) for name in TERMS_FIELDS if getattr(row, name) == getattr(old, name)}
    if not {"late_fee", "late_fee_kind"} <= set(terms):  # a fee and what it counts in belong together
        terms = {name: value for name, value in terms.items() if name not in {"late_fee", "late_fee_kind"}}
    Subscription.objects.filter(pk=row.pk).update(plan=plan, price=None, updated_at=now, **terms)
    change = PlanChange.objects.create(
        subscription=row, from_plan=old, to_plan=plan, status=PlanChangeStatus.DONE, requested_by=actor, effective_on=today,
        requested_at=now, done_at=now,
    )  # fmt: skip
    event_write(
        row, "plan_changed", at=now, actor=actor, reason=reason, before=old.name, after=plan.name, effective_on=today
    )  # fmt: skip
    staff_acted(
        actor, "subscription.plan_changed", ip, row, before=old.pk, after=plan.pk, effective_on=today, reason=reason
    )
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
    """Days used and not billed are billed at the old price; days billed and left are credited and billed at the new one.

    One new bill for each that is cut, with what came off the old one.
    """
    used_part_bill(row, today, now=now)
    before = price_of(row)
    cuts = [
        fitted(row, cut, days_credit_most(row, cut.billed.invoice)) if cut.billed else cut
        for cut in cuts_of(row, today, row.billed_until or today)
    ]
    worth = [rest_worth(row, cut) for cut in cuts]
    credited = ZERO
    for cut, (_agreed, gross) in zip(cuts, worth, strict=True):
        if cut.span is not None:
            credited += days_credit(
                row, cut.span, cut.start, cut.end, gross, why="plan_change", now=now, actor=actor, ip=ip, reason=reason
            )  # fmt: skip
    plan_changes_apply([change], now=now, actor=actor, reason=reason, credited=credited)
    row.refresh_from_db()
    for cut, (agreed, _gross) in zip(cuts, worth, strict=True):
        _rest_bill(row, change, cut, before, today, agreed, now=now, actor=actor)
    balance_apply([row.customer_id], now=now)
    services_reconsider([row.pk], now=now)


def _rest_bill(
    row: Subscription, change: PlanChange, cut: Cut, before: Price, today: date, was: Decimal, *, now: datetime,
    actor: User | None,
) -> None:  # fmt: skip
    """The days of one bill, at the new price; the periods say which bill they are on now. `was`: what the old one asked."""
    lines = rest_lines(row, cut, price_of(row), before)
    amount = sum((line.amount for line in lines), ZERO)
    if cut.span is None and not amount:
        return  # days paid in another system that cost no more now
    invoice_id = None
    if lines:
        draft = InvoiceDraft(
            customer_id=row.customer_id, lines=lines, source=f"plan_change:{change.pk}:{cut.start.isoformat()}",
            issued_on=today, due_on=periods.due_day(cut.start, row.due_days, not_before=today),
            tax_mode=cut.billed.tax_mode if cut.billed else row.tax_mode, subscription_id=row.pk,
            location_id=row.location_id, period_start=cut.start, period_end=cut.end,
        )  # fmt: skip
        invoice, _is_new = invoice_issue(draft, now=now, actor=actor)
        invoice_pay_from_balance(invoice, now=now, actor=actor)
        invoice_id = invoice.pk
    _period_cut(cut, was)
    SubscriptionPeriod.objects.create(
        subscription=row, starts_on=cut.start, ends_on=cut.end, amount=amount, invoice_id=invoice_id
    )


def _period_cut(cut: Cut, was: Decimal) -> None:
    """The days used stay on their bill with what is left of its price; whole periods are replaced, never changed."""
    span = cut.span
    if span is None:
        return
    if span.starts_on == cut.start:
        span.delete()
        return
    span.amount, span.ends_on = span.amount - was, cut.start
    span.save(update_fields=["amount", "ends_on"])


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

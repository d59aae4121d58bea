"""The same step for many services: counted first, then done in the background as a run with progress and cancel.

A run remembers its choice, not its rows: every chunk asks again who is still to be changed, so a run that was killed
goes on with the rest and nobody is changed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import (
    PROMISE_MOVES,
    RUNNING,
    PlanChangeStatus,
    PromiseStatus,
    SubscriptionStatus,
)
from billing.models import BillingRun, Plan, PlanChange, PlanLocation, Promise, Subscription
from billing.selectors import subscriptions_visible_to
from billing.services.engine.nights import QUEUE, TASK, WORK, outcome_counted, progress_add
from billing.services.history import reason_checked, subscriptions_lock, today_at
from billing.services.standing import services_reconsider
from billing.services.subscriptions_plans import subscription_change_plan
from billing.services.subscriptions_promises import until_checked
from core import clock
from core.db.transition import transition_set
from core.errors import DomainError
from core.events import emit
from core.kick import kick
from core.staff_events import StaffActed

CHUNK = 1_000
ISOLATE, REOPEN, CHANGE_PLAN = "isolate", "reopen", "change_plan"
KINDS = (ISOLATE, REOPEN, CHANGE_PLAN)


@dataclass(frozen=True)
class Selection:
    """Which services: all conditions hold together; none is everything the person may see."""

    ids: Sequence[int] = ()
    location_id: int | None = None
    plan_id: int | None = None
    status: str = ""

    def rows(self, actor: User | None) -> QuerySet[Subscription]:
        found = Subscription.objects.all() if actor is None else subscriptions_visible_to(actor)
        given = {"location_id": self.location_id, "plan_id": self.plan_id, "status": self.status or None}
        found = found.filter(**{name: value for name, value in given.items() if value is not None})
        return found.filter(pk__in=self.ids) if self.ids else found


@dataclass(frozen=True)
class MassStep:
    """What to do: `until_on` for reopening, `plan_id` and `is_at_once` for another plan."""

    kind: str
    selection: Selection = field(default_factory=Selection)
    reason: str = ""
    until_on: date | None = None
    plan_id: int | None = None
    is_at_once: bool = False

    def plan(self) -> Plan:
        """Raises Plan.DoesNotExist."""
        return Plan.objects.get(pk=self.plan_id or 0)


@dataclass(frozen=True)
class MassCount:
    """`chosen` services of which `affected` would be changed; the others have nothing that this step changes."""

    chosen: int
    affected: int


def mass_count(step: MassStep, actor: User | None) -> MassCount:
    """The dry run: reads only."""
    return MassCount(step.selection.rows(actor).count(), targets(step, actor).count())


def targets(step: MassStep, actor: User | None) -> QuerySet[Subscription]:
    """Those of the chosen that the step would change now."""
    rows = step.selection.rows(actor)
    if step.kind == ISOLATE:
        # in grace: overdue and open; whoever paid meanwhile is judged again by the rule and stays open
        return rows.filter(status=SubscriptionStatus.GRACE, isolated_by_hand_on=None)
    if step.kind == REOPEN:
        return rows.filter(status=SubscriptionStatus.ISOLATED)
    if step.kind == CHANGE_PLAN:
        plan = step.plan()
        here = PlanLocation.objects.filter(plan=plan, location=OuterRef("location"))
        waits = PlanChange.objects.filter(subscription=OuterRef("pk"), to_plan=plan, status=PlanChangeStatus.WAITING)
        return rows.filter(Exists(here), ~Exists(waits), status__in=RUNNING, type=plan.type).exclude(plan=plan)
    raise ValueError(step.kind)


@transaction.atomic
def mass_order(
    step: MassStep, *, request_key: str, actor: User, ip: str | None = None, now: datetime | None = None
) -> BillingRun:
    """Order the run. The same `request_key` returns the run it made. Raises DomainError for what cannot be done."""
    key = f"mass:{actor.pk}:{request_key}"[:80]
    if known := BillingRun.objects.filter(request_key=key).first():
        return known
    why = reason_checked(step.reason, is_needed=step.kind != CHANGE_PLAN)
    if step.kind == REOPEN:
        if step.until_on is None:
            message = _("Until which day?")
            raise DomainError("promise.until_on", message, fields={"until_on": message})
        at = now or clock.now()
        zones = step.selection.rows(actor).values_list("location__timezone", flat=True).distinct()
        days = [at.astimezone(ZoneInfo(zone)).date() for zone in zones] or [at.date()]
        until_checked(step.until_on, max(days))  # where it is latest: a day that has passed anywhere opens nobody there
    if step.kind == CHANGE_PLAN and not Plan.objects.filter(pk=step.plan_id or 0, is_active=True).exists():
        message = _("Choose a plan that is on sale.")
        raise DomainError("subscription.plan", message, fields={"plan": message})
    total = targets(step, actor).count()
    if not total:
        raise DomainError("mass.nothing", _("None of the chosen services would be changed."), status=409)
    params = {**asdict(step), "reason": why, "until_on": step.until_on.isoformat() if step.until_on else None}
    try:
        with transaction.atomic():
            run = BillingRun.objects.create(
                kind=step.kind, params=params, total=total, created_by=actor, request_key=key
            )  # fmt: skip
    except IntegrityError:
        return BillingRun.objects.get(request_key=key)
    emit(StaffActed(actor.pk, f"services.{step.kind}", {"run": run.pk, "total": total, **params}, ip))
    kick(TASK, run.pk, queue=QUEUE)
    return run


def step_of(run: BillingRun) -> MassStep:
    params = dict(run.params)
    until_on = date.fromisoformat(params["until_on"]) if params["until_on"] else None
    return MassStep(**{**params, "kind": run.kind, "selection": Selection(**params["selection"]), "until_on": until_on})


def mass_do(run: BillingRun, at: datetime) -> tuple[bool, dict[str, Any]]:
    """Chunk by chunk, in the order of the keys, a transaction each."""
    step = step_of(run)
    outcome = dict(run.outcome)
    last = 0
    while True:
        rows = targets(step, run.created_by).filter(pk__gt=last)
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return True, outcome
        outcome = outcome_counted(outcome, STEPS[step.kind](step, ids, run, at))
        last = ids[-1]
        if not progress_add(run, len(ids), outcome):
            return False, outcome


@transaction.atomic
def _isolate(step: MassStep, ids: Sequence[int], run: BillingRun, at: datetime) -> dict[str, int]:
    rows = subscriptions_lock(ids)
    chosen = set(targets(step, run.created_by).filter(pk__in=ids).values_list("pk", flat=True))
    promises = Promise.objects.filter(subscription__in=chosen)
    transition_set(promises, to=PromiseStatus.CANCELLED, allowed=PROMISE_MOVES, ended_at=at)
    for day in {today_at(rows[pk], at) for pk in chosen}:
        here = [pk for pk in chosen if today_at(rows[pk], at) == day]
        Subscription.objects.filter(pk__in=here).update(isolated_by_hand_on=day)
    return {"isolated": services_reconsider(chosen, now=at, actor=run.created_by, reason=step.reason)}


@transaction.atomic
def _reopen(step: MassStep, ids: Sequence[int], run: BillingRun, at: datetime) -> dict[str, int]:
    """Each gets a promise to pay by the day; it isolates itself again when that is not kept."""
    subscriptions_lock(ids)
    chosen = list(targets(step, run.created_by).filter(pk__in=ids).values_list("pk", flat=True))
    promises = Promise.objects.filter(subscription__in=chosen)
    transition_set(promises, to=PromiseStatus.CANCELLED, allowed=PROMISE_MOVES, ended_at=at)
    Promise.objects.bulk_create(
        Promise(subscription_id=pk, until_on=step.until_on or at.date(), note=step.reason, actor=run.created_by, at=at)
        for pk in chosen
    )
    Subscription.objects.filter(pk__in=chosen).update(isolated_by_hand_on=None)
    return {"reopened": services_reconsider(chosen, now=at, actor=run.created_by, reason=step.reason)}


def _change_plan(step: MassStep, ids: Sequence[int], run: BillingRun, at: datetime) -> dict[str, int]:
    """One by one: each has its own days, credit and bill. What is refused is counted and stays as it is."""
    plan = step.plan()
    counts = {"plan_changes": 0, "refused": 0}
    for row in Subscription.objects.filter(pk__in=ids).order_by("pk"):
        try:
            subscription_change_plan(
                row, plan=plan, is_at_once=step.is_at_once, reason=step.reason, actor=run.created_by, now=at
            )
        except DomainError:
            counts["refused"] += 1
        else:
            counts["plan_changes"] += 1
    return counts


STEPS: dict[str, Callable[[MassStep, Sequence[int], BillingRun, datetime], dict[str, int]]] = {
    ISOLATE: _isolate, REOPEN: _reopen, CHANGE_PLAN: _change_plan,
}  # fmt: skip
WORK.update(dict.fromkeys(KINDS, mass_do))

"""Every location's every day is done once: when, by whom, how far, and again after a fall.

A job every ten minutes looks at each location's own clock: from `billing.run_hour` of its day on, that day must have been
run. The run is a BillingRun, unique by location and day; what it does is idempotent by itself, so a run that was killed is
simply continued, one that failed is tried again by that job, a night that was missed is caught up by the next one (bills
carry the day they should have had), and a clock that jumps back finds the days done.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import RUN_MOVES, RunStatus
from billing.models import BillingRun, Subscription
from billing.services.engine.night import NightReport, night_candidates, night_do
from core import clock
from core.db.transition import transition, transition_set
from core.errors import TransitionError
from core.events import emit
from core.kick import kick
from core.money import quantise
from core.settings_registry import setting
from core.staff_events import StaffActed
from locations.models import Location

logger = logging.getLogger(__name__)
RUN_HOUR = "billing.run_hour"
KIND = "night"
TASK, QUEUE = "billing.tasks.run_do", "batches"
LEFT_OUT = "left_out"  # in the outcome: [service, why] of those that could not be done, the first so many
MOST_NAMED = 50
SILENT = timedelta(minutes=5)  # a run that says nothing for so long has died


def night_key(location_id: int, day: date) -> str:
    return f"{KIND}:{location_id}:{day.isoformat()}"


def nights_start(*, now: datetime | None = None) -> int:
    """Order the run of each location whose day has reached the hour and was not run yet; returns how many."""
    at = now or clock.now()
    hour = int(setting(RUN_HOUR))
    used = Subscription.objects.filter(location=OuterRef("pk"), billed_until__isnull=False)
    count = 0
    for location in Location.objects.filter(Exists(used)).order_by("pk"):
        local = at.astimezone(ZoneInfo(location.timezone))
        if local.hour >= hour:
            count += night_order(location, local.date())[1]
    return count


def next_night(location: Location, *, now: datetime) -> date:
    """The day whose run comes next: today's while it was not run, else tomorrow's."""
    today = now.astimezone(ZoneInfo(location.timezone)).date()
    is_over = BillingRun.objects.filter(request_key=night_key(location.pk, today), status=RunStatus.DONE).exists()
    return today + timedelta(days=1) if is_over else today


@transaction.atomic
def night_order(location: Location, day: date) -> tuple[BillingRun, bool]:
    """The run of that day, and whether it was ordered now. Asked again, only a run that failed is ordered again."""
    run, is_new = BillingRun.objects.get_or_create(
        request_key=night_key(location.pk, day), defaults={"kind": KIND, "location": location, "day": day}
    )
    failed = BillingRun.objects.filter(pk=run.pk, status=RunStatus.FAILED)
    is_again = not is_new and bool(
        transition_set(failed, to=RunStatus.QUEUED, allowed=RUN_MOVES, finished_at=None, error="")
    )
    if is_new or is_again:
        kick(TASK, run.pk, queue=QUEUE)
    return run, is_new or is_again


def runs_resume(*, now: datetime | None = None) -> int:
    """Wake runs whose kick was lost or whose worker died; returns how many."""
    at = now or clock.now()
    silent = Q(heartbeat_at=None) | Q(heartbeat_at__lt=at - SILENT)
    waiting = BillingRun.objects.filter(Q(status=RunStatus.QUEUED) | Q(silent, status=RunStatus.RUNNING), kind__in=WORK)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:100])
    for pk in ids:
        kick(TASK, pk, queue=QUEUE)
    return len(ids)


def run_do(run_id: int, *, now: datetime | None = None) -> BillingRun:
    """Do a run, or go on with one that died. One worker at a time has it; a second one leaves at once."""
    at = now or clock.now()
    run = _claim(run_id, at)
    if run is None:
        return BillingRun.objects.get(pk=run_id)
    try:
        is_finished, outcome = WORK[run.kind](run, at)
    except Exception as error:
        _finish(run, RunStatus.FAILED, at, error=type(error).__name__)
        raise
    _finish(run, RunStatus.DONE if is_finished else RunStatus.CANCELLED, at, outcome=outcome)
    run.refresh_from_db()
    return run


def _claim(run_id: int, at: datetime) -> BillingRun | None:
    """Conditional UPDATEs: of two workers one hits the row."""
    row = BillingRun.objects.filter(pk=run_id)
    if not transition_set(
        row.filter(status=RunStatus.QUEUED), to=RunStatus.RUNNING, allowed=RUN_MOVES, heartbeat_at=at
    ):
        dead = row.filter(Q(heartbeat_at=None) | Q(heartbeat_at__lt=at - SILENT), status=RunStatus.RUNNING)
        if not dead.update(heartbeat_at=at):
            return None
    return row.select_related("location", "created_by").get()


def _finish(
    run: BillingRun, status: str, at: datetime, *, outcome: dict[str, Any] | None = None, error: str = ""
) -> None:
    changes: dict[str, Any] = {} if outcome is None else {"outcome": outcome}
    transition_set(
        BillingRun.objects.filter(pk=run.pk), to=status, allowed=RUN_MOVES, finished_at=at, error=error, **changes
    )


def progress_add(run: BillingRun, count: int, outcome: dict[str, Any]) -> bool:
    """Tell how far it is and what came of it, in a statement of its own; False when somebody asked it to stop."""
    BillingRun.objects.filter(pk=run.pk).update(done=F("done") + count, outcome=outcome, heartbeat_at=clock.now())
    return not BillingRun.objects.values_list("is_cancel_requested", flat=True).get(pk=run.pk)


def _night(run: BillingRun, at: datetime) -> tuple[bool, dict[str, Any]]:
    if run.location is None or run.day is None:
        raise ValueError(f"run {run.pk} is a night of no location or day")
    candidates = night_candidates(run.location, run.day)
    BillingRun.objects.filter(pk=run.pk).update(done=0, total=len(candidates))
    report = NightReport()
    before = {
        key: value for key, value in run.outcome.items() if key not in {"refused", LEFT_OUT}
    }  # they are tried again
    is_finished = night_do(
        run.location, run.day, now=at, report=report, candidates=candidates,
        is_wanted=lambda count: progress_add(run, count, outcome_of(report, before)),
    )  # fmt: skip
    logger.info("night of location %d, %s: %s", run.location.pk, run.day, report.counts)
    return is_finished, outcome_of(report, before)


def outcome_of(report: NightReport, before: dict[str, Any]) -> dict[str, Any]:
    """The counts, added to those of the worker that died; the sum of the bills as text."""
    billed = quantise(quantise(before.get("billed", 0)) + report.billed)
    left_out = {LEFT_OUT: [list(row) for row in report.refused[:MOST_NAMED]]} if report.refused else {}
    return {**outcome_counted(before, report.counts), "billed": str(billed), **left_out}


def outcome_counted(before: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    return before | {what: before.get(what, 0) + count for what, count in counts.items() if count}


WORK: dict[str, Any] = {KIND: _night}


@transaction.atomic
def run_cancel(run: BillingRun, *, actor: User | None, ip: str | None = None, now: datetime | None = None) -> None:
    """Stop a run after the chunk it is at: what it did stays done. Raises TransitionError when it has ended."""
    row = BillingRun.objects.filter(pk=run.pk)
    queued = row.filter(status=RunStatus.QUEUED)
    is_stopped = transition_set(queued, to=RunStatus.CANCELLED, allowed=RUN_MOVES, finished_at=now or clock.now())
    if not is_stopped and not row.filter(status=RunStatus.RUNNING).update(is_cancel_requested=True):
        raise TransitionError(_("This run has ended already; there is nothing to stop."), code="run.finished")
    emit(StaffActed(actor.pk if actor else None, "run.cancelled", {"run": run.pk, "kind": run.kind}, ip))


@transaction.atomic
def run_again(run: BillingRun, *, actor: User | None, ip: str | None = None) -> None:
    """Go on with a run that failed or was stopped. It does what is left."""
    transition(
        BillingRun.objects.filter(pk=run.pk), to=RunStatus.QUEUED, allowed=RUN_MOVES, finished_at=None, error="",
        is_cancel_requested=False,
    )  # fmt: skip
    emit(StaffActed(actor.pk if actor else None, "run.again", {"run": run.pk, "kind": run.kind}, ip))
    kick(TASK, run.pk, queue=QUEUE)

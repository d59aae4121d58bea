"""Runs of the ledger check: ordered each night and by hand, done in the background, kept with what they found."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from billing.choices import CHECK_MOVES, CheckStatus
from billing.ledger.checking import ledger_check
from billing.models import LedgerCheck
from core import clock
from core.db.transition import transition, transition_set
from core.events import emit
from core.kick import kick
from core.staff_events import StaffActed

TASK = "billing.tasks.ledger_checks_run"
QUEUE = "batches"
NIGHT_BEGINS = time(2, 30)  # after the night's bills, on the clock of the installation
GIVEN_UP_AFTER = timedelta(hours=2)  # longer than the task may run: its worker is gone


@transaction.atomic
def ledger_check_request(*, now: datetime, actor: User, ip: str | None = None) -> tuple[LedgerCheck, bool]:
    """Order a check now; the one that waits already and False when somebody was quicker."""
    if waiting := LedgerCheck.objects.filter(status=CheckStatus.WAITING).first():
        return waiting, False
    try:
        with transaction.atomic():
            row = LedgerCheck.objects.create(requested_by=actor, requested_at=now)
    except IntegrityError:
        return LedgerCheck.objects.get(status=CheckStatus.WAITING), False
    emit(StaffActed(actor.pk, "ledger.check_requested", {"check": row.pk}, ip))
    kick(TASK, queue=QUEUE)
    return row, True


def ledger_checks_run(*, now: datetime) -> str | None:
    """Order the check of this night if it is missing, and do the one that waits. Returns what was found, in a few words."""
    _night_order(now)
    _abandoned_close(now)
    row = _take(now)
    if row is None:
        return None
    try:
        report = ledger_check()
    except Exception as error:
        _finish(row, CheckStatus.FAILED, error=type(error).__name__)
        raise
    _finish(row, CheckStatus.DONE, counts=report.counts, findings=report.findings)
    return "right" if report.is_right else ", ".join(f"{name}: {count}" for name, count in report.counts.items())


def night_of(now: datetime) -> date:
    """The day whose night check is the last that should have begun: a missed night is caught up, not repeated."""
    here = now.astimezone(ZoneInfo(str(settings.TIME_ZONE)))
    return here.date() if here.time() >= NIGHT_BEGINS else here.date() - timedelta(days=1)


def _night_order(now: datetime) -> None:
    night = night_of(now)
    if not LedgerCheck.objects.filter(night=night).exists():
        # one that waits already is taken first; the next round finds the night missing still
        LedgerCheck.objects.bulk_create([LedgerCheck(night=night, requested_at=now)], ignore_conflicts=True)


def _abandoned_close(now: datetime) -> None:
    old = LedgerCheck.objects.filter(started_at__lt=now - GIVEN_UP_AFTER)
    transition_set(old, to=CheckStatus.FAILED, allowed=CHECK_MOVES, finished_at=now, error="abandoned")


def _take(now: datetime) -> LedgerCheck | None:
    """The waiting row, now ours; None when there is none or another worker runs one."""
    row = LedgerCheck.objects.filter(status=CheckStatus.WAITING).first()
    if row is None or LedgerCheck.objects.filter(status=CheckStatus.RUNNING).exists():
        return None
    try:
        with transaction.atomic():
            taken = transition_set(
                LedgerCheck.objects.filter(pk=row.pk), to=CheckStatus.RUNNING, allowed=CHECK_MOVES, started_at=now
            )
    except IntegrityError:
        return None
    return row if taken else None


def _finish(row: LedgerCheck, status: str, **found: Any) -> None:
    rows = LedgerCheck.objects.filter(pk=row.pk)
    transition(rows, to=status, allowed=CHECK_MOVES, finished_at=clock.now(), **found)

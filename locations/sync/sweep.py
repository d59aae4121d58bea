"""Find locations with something due, whatever became of the kick that should have woken them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from core.clock import now as clock_now
from core.kick import kick
from locations.choices import Reach, RolloutMode, RolloutStatus
from locations.choices_configs import BackupStatus
from locations.choices_servers import PLAN_OPEN
from locations.models import (
    TODO,
    AccessAccount,
    ConfigBackup,
    DriftRow,
    Location,
    Observation,
    ProfileRollout,
    RouterEntry,
    RouterProfile,
    ServerPlan,
    SessionKick,
)
from locations.sync.failure import SLOW_AFTER_FAILURES
from locations.sync.poll import POLL_SECONDS
from locations.sync.queue import AWAITING, by_index

KEEP_OBSERVATIONS = timedelta(hours=24)


def locations_due(now: datetime) -> list[tuple[int, int]]:
    """(location id, failures so far) of every location with work that nobody is doing and whose back-off is over."""
    accounts = AccessAccount.objects.filter(TODO, location=OuterRef("pk")).exclude(AWAITING)
    profiles = RouterProfile.objects.filter(TODO, location=OuterRef("pk"))
    entries = RouterEntry.objects.filter(TODO, location=OuterRef("pk"))
    rollouts = ProfileRollout.objects.filter(
        location=OuterRef("pk"), status=RolloutStatus.RUNNING, mode=RolloutMode.NOW
    )
    observations = Observation.objects.filter(location=OuterRef("pk"), processed_at=None)
    removals = DriftRow.objects.filter(
        location=OuterRef("pk"), repair_at__isnull=False, removed_at=None, router_words=""
    )
    kicks = SessionKick.objects.filter(location=OuterRef("pk"), ended_at=None)
    backups = ConfigBackup.objects.filter(location=OuterRef("pk"), status=BackupStatus.WAITING)
    plans = ServerPlan.objects.filter(location=OuterRef("pk"), status__in=PLAN_OPEN)
    poll_due = Q(state__polled_at=None) | Q(state__polled_at__lte=now - timedelta(seconds=POLL_SECONDS))
    rows = (
        Location.objects.filter(is_active=True)
        .exclude(state__reach__in=[Reach.WRONG_ROUTER, Reach.CERTIFICATE])
        .filter(Q(state__retry_at=None) | Q(state__retry_at__lte=now))
        .filter(Q(state__lease_until=None) | Q(state__lease_until__lt=Now()))
        .filter(
            poll_due
            | Exists(accounts)
            | Exists(profiles)
            | Exists(entries)
            | Exists(rollouts)
            | Exists(observations)
            | Exists(removals)
            | Exists(kicks)
            | Exists(backups)
            | Exists(plans)
            | Q(state__compare_wanted__isnull=False)
            | Q(state__reconcile_due_at__lte=now)
        )
    )
    with by_index():
        return list(rows.order_by("pk").values_list("pk", "state__failures"))


def sweep() -> int:
    """Wake every location that is due; those that never answer go to a small queue of their own."""
    due = locations_due(clock_now())
    for location_id, failures in due:
        kick("locations.tasks.location_sync", location_id, queue=queue_of(failures), expires_seconds=15)
    return len(due)


def queue_of(failures: int) -> str:
    """Dead routers wait for time-outs; they may not take a thread from the living."""
    return "routers_slow" if failures >= SLOW_AFTER_FAILURES else "routers"


def observations_prune() -> int:
    """Drop observations that were taken in more than a day ago."""
    limit = clock_now() - KEEP_OBSERVATIONS
    return Observation.objects.filter(processed_at__lt=limit).delete()[0]

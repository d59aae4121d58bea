"""A changed speed brought to the sessions that run, at the location's pace (DESIGN 3.1).

Which sessions still have the old speed is asked from the router in every step, so nothing is lost when the server or
the router restarts: a session that began before the router confirmed the profile has it, a younger one has not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from core.db.transition import transition_set
from locations.choices import ROLLOUT_MOVES, Kind, Presence, RolloutMode, RolloutStatus
from locations.models import NOT_SYNCED, AccessAccount, ProfileRollout
from locations.routeros.client import RouterClient
from locations.selectors import sessions_on_old_speed
from locations.sync.batch import remove_rows
from locations.sync.kinds import seconds_of
from locations.sync.menus import MENUS
from locations.sync.outcome import sessions_ended_record

CATCH_UP_SECONDS = 30  # after a pause no more than this is made up for at once
ROUNDING = timedelta(seconds=1)  # a router counts whole seconds; ending one session too many does no harm


def rollouts_step(location_id: int, client: RouterClient, now: datetime) -> bool:
    """Go one step on with each change of speed that runs here. True when sessions were ended."""
    running = ProfileRollout.objects.filter(location_id=location_id, status=RolloutStatus.RUNNING)
    steps = [_step(rollout, client, now) for rollout in running.select_related("profile").order_by("pk")]
    return any(steps)


def _step(rollout: ProfileRollout, client: RouterClient, now: datetime) -> bool:
    profile = rollout.profile
    if not profile.is_synced or profile.applied_at is None:
        return False  # the router does not have the new speed yet
    if profile.kind == Kind.STATIC:
        waiting = AccessAccount.objects.filter(
            NOT_SYNCED, location_id=rollout.location_id, profile=profile, presence=Presence.PRESENT
        )
        return _finish(rollout, now) if not waiting.exists() else False
    if rollout.revision != profile.revision:
        _begin(rollout, profile.revision, profile.applied_at)
    if rollout.mode == RolloutMode.NEXT_LOGIN:
        old_count = sessions_on_old_speed(profile, rollout.confirmed_at).count()
        return _finish(rollout, now) if not old_count else False
    old = _old_sessions(rollout, client, now)
    if not rollout.total:
        rollout.total = len(old)
    if not old:
        return _finish(rollout, now)
    allowed = _allowed(rollout, now)
    doomed = old[:allowed]
    if doomed:
        remove_rows(client, MENUS[profile.kind].active, [router_id for _began, router_id, _name in doomed])
        _record(rollout, [name for _began, _id, name in doomed], now)
    return bool(doomed)


def _begin(rollout: ProfileRollout, revision: int, confirmed_at: datetime) -> None:
    """The router has this revision now; count from here, also when the profile changed once more on the way."""
    rollout.revision, rollout.confirmed_at, rollout.stepped_at, rollout.total = revision, confirmed_at, confirmed_at, 0
    rollout.save(update_fields=["revision", "confirmed_at", "stepped_at", "total"])


def _old_sessions(rollout: ProfileRollout, client: RouterClient, now: datetime) -> list[tuple[datetime, str, str]]:
    """(began, `.id`, name) of live sessions that began before the new speed was there, oldest first."""
    menu = MENUS[rollout.profile.kind]
    assert rollout.confirmed_at is not None  # noqa: S101  # narrows the type; `_begin` set it
    limit = rollout.confirmed_at + ROUNDING
    live = [
        (now - timedelta(seconds=seconds_of(row.get("uptime", ""))), row[".id"], row.get(menu.active_name, ""))
        for row in client.print(menu.active, (".id", menu.active_name, "uptime"))
    ]
    old = sorted(session for session in live if session[0] < limit)
    mine = set(
        AccessAccount.objects.filter(
            location_id=rollout.location_id, kind=rollout.profile.kind, name__in=[name for _b, _i, name in old],
            profile=rollout.profile, is_isolated=False,
        ).values_list("name", flat=True)
    )  # fmt: skip
    return [session for session in old if session[2] in mine]


def _allowed(rollout: ProfileRollout, now: datetime) -> int:
    """How many sessions may be ended now: the pace times the seconds since the last step."""
    since = (now - (rollout.stepped_at or now)).total_seconds()
    return int(min(max(since, 0.0), CATCH_UP_SECONDS) * rollout.pace_per_second)


@transaction.atomic
def _record(rollout: ProfileRollout, names: list[str], now: datetime) -> None:
    rollout.stepped_at = now
    rollout.ended += len(names)
    rollout.save(update_fields=["stepped_at", "ended", "total"])
    sessions_ended_record(rollout.location_id, [(rollout.profile.kind, name) for name in names], now)


def _finish(rollout: ProfileRollout, now: datetime) -> bool:
    rows = ProfileRollout.objects.filter(pk=rollout.pk)
    transition_set(rows, to=RolloutStatus.DONE, allowed=ROLLOUT_MOVES, finished_at=now)
    return False

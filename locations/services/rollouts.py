"""Bringing a changed speed to sessions that run: at their next login, or now at the location's pace."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.transition import transition, transition_set
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import ROLLOUT_MOVES, RolloutMode, RolloutStatus
from locations.models import ProfileRollout, RouterProfile
from locations.services.kicks import kick_locations


@transaction.atomic
def profile_rollout_start(
    profile: RouterProfile, *, mode: str, now: datetime, actor: User | None = None, ip: str | None = None
) -> ProfileRollout:
    """Ask for it; the writer does it once the router confirmed the profile. One that still runs is replaced."""
    if mode not in RolloutMode.values:
        raise DomainError("rollout.mode", _("Choose next login or now."), {"mode": _("Choose next login or now.")})
    running = ProfileRollout.objects.filter(profile=profile)
    transition_set(running, to=RolloutStatus.CANCELLED, allowed=ROLLOUT_MOVES, cancelled_at=now)
    location = profile.location
    try:
        with transaction.atomic():
            rollout = ProfileRollout.objects.create(
                location=location, profile=profile, mode=mode, requested_at=now,
                pace_per_second=location.speed_change_pace,
            )  # fmt: skip
    except IntegrityError:
        raise DomainError(
            "rollout.running", _("This speed change was just started by someone else."), status=409
        ) from None
    _tell(rollout, "profile.rollout_started", actor, ip)
    kick_locations([profile.location_id])
    return rollout


@transaction.atomic
def profile_rollout_cancel(
    rollout: ProfileRollout, *, now: datetime, actor: User | None = None, ip: str | None = None
) -> None:
    """End no more sessions; those not reached get the new speed at their next login. Raises TransitionError when over."""
    rows = ProfileRollout.objects.filter(pk=rollout.pk)
    transition(rows, to=RolloutStatus.CANCELLED, allowed=ROLLOUT_MOVES, cancelled_at=now)
    rollout.refresh_from_db()
    _tell(rollout, "profile.rollout_cancelled", actor, ip)


def _tell(rollout: ProfileRollout, action: str, actor: User | None, ip: str | None) -> None:
    details = {"profile": rollout.profile_id, "location": rollout.location_id, "mode": rollout.mode}
    events.emit(StaffActed(actor.pk if actor else None, action, details, ip))

"""Ending live sessions: written down as work for the writer, which tells back what the router confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import Kind
from locations.models import RouterSession, SessionKick
from locations.services.kicks import kick_locations

MAX_KICKS = 500
NAMES_KEPT = 20  # in the activity log


@transaction.atomic
def sessions_kick(
    sessions: Sequence[RouterSession], *, actor: User | None, now: datetime, ip: str | None = None
) -> int:
    """Want these live sessions ended, with the cookies that would let them back in; returns how many were asked for.

    One that is asked for already is not asked for twice and not counted. A static address has no session: with nothing
    else chosen, or more than 500, DomainError.
    """
    if len(sessions) > MAX_KICKS:
        raise DomainError(
            "session.too_many", _("At most %(n)d sessions at once.") % {"n": MAX_KICKS}, fields={"sessions": "too many"}
        )
    able = [session for session in sessions if session.kind != Kind.STATIC]
    if not able:
        raise DomainError("session.no_login", _("A static address has no session that could be ended."))
    before = SessionKick.objects.filter(location__in={s.location_id for s in able}, ended_at=None)
    asked = set(before.values_list("location_id", "kind", "router_id"))
    fresh = [s for s in able if (s.location_id, s.kind, s.router_id) not in asked]
    SessionKick.objects.bulk_create(
        [
            SessionKick(
                location_id=s.location_id, kind=s.kind, name=s.name, router_id=s.router_id, mac_address=s.mac_address,
                address=s.address, started_at=s.started_at, asked_at=now, actor=actor,
            )
            for s in fresh
        ],
        ignore_conflicts=True,  # somebody else asked in the same moment
    )  # fmt: skip
    if fresh:
        names = sorted({s.name for s in fresh})
        details = {
            "count": len(fresh),
            "names": names[:NAMES_KEPT],
            "locations": sorted({s.location_id for s in fresh}),
        }
        events.emit(StaffActed(actor.pk if actor else None, "session.kicked", details, ip))
    kick_locations({s.location_id for s in able}, is_forced=True)
    return len(fresh)

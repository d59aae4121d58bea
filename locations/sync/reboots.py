"""A restart that two people wanted: sent once by the location's writer, then watched through the router's uptime."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.db.transition import transition_set
from locations.choices import REBOOT_MOVES, RebootStatus
from locations.models import RouterReboot
from locations.routeros.client import RouterClient
from locations.routeros.errors import LeaseLost, RouterTrap, RouterUnreachable
from locations.sync.lease import Lease, lease_confirm

VALID = timedelta(minutes=30)  # from asking to the second person, and from him to the router
LOST_AFTER = timedelta(minutes=10)
IGNORED_AFTER = timedelta(minutes=2)  # it answers that long after the word was sent, and runs since before
ROUNDING = timedelta(seconds=5)  # uptimes are whole seconds, and our moment is a little later than theirs


def reboot_due(location_id: int, now: datetime) -> RouterReboot | None:
    """The confirmed restart that waits for this location's writer."""
    rows = RouterReboot.objects.filter(location_id=location_id, status=RebootStatus.CONFIRMED)
    return rows.filter(confirmed_at__gt=now - VALID).first()


def reboot_send(lease: Lease, row: RouterReboot, client: RouterClient, now: datetime) -> None:
    """Say it, once: that it is said is committed before. The connection is closed afterwards, unless it was refused.

    Raises LeaseLost; then either nothing was written down, or nothing was sent and the uptime will tell.
    """
    this = RouterReboot.objects.filter(pk=row.pk)
    with transaction.atomic():
        lease_confirm(lease)
        if not transition_set(this, to=RebootStatus.SENT, allowed=REBOOT_MOVES, sent_at=now):
            return  # cancelled meanwhile
    try:
        client.call("/system/reboot")
    except RouterTrap as trap:
        transition_set(this, to=RebootStatus.REFUSED, allowed=REBOOT_MOVES, ended_at=now, router_words=trap.words[:500])
        return
    except LeaseLost:
        raise
    except RouterUnreachable:
        pass  # it went away while it answered
    client.close()


def reboot_seen(location_id: int, uptime_seconds: int, at: datetime) -> bool:
    """An answer of the router after the word was sent: is it back, or did it never go? True when it is back just now."""
    row = RouterReboot.objects.filter(
        location_id=location_id, status__in=[RebootStatus.SENT, RebootStatus.LOST], sent_at__lt=at
    ).last()
    if row is None or row.sent_at is None:
        return False
    this = RouterReboot.objects.filter(pk=row.pk)
    if at - timedelta(seconds=uptime_seconds) >= row.sent_at - ROUNDING:
        return bool(transition_set(this, to=RebootStatus.BACK, allowed=REBOOT_MOVES, back_at=at, ended_at=at))
    if at - row.sent_at >= IGNORED_AFTER:
        transition_set(this, to=RebootStatus.IGNORED, allowed=REBOOT_MOVES, ended_at=at)
    return False


def is_rebooting(location_id: int) -> bool:
    """It is away because we sent it away: no outage to be told."""
    return RouterReboot.objects.filter(location_id=location_id, status=RebootStatus.SENT).exists()


def reboots_expire(now: datetime) -> int:
    """What waited too long for a person or a router, and what did not come back; returns how many."""
    waiting = Q(status=RebootStatus.ASKED, asked_at__lte=now - VALID)
    waiting |= Q(status=RebootStatus.CONFIRMED, confirmed_at__lte=now - VALID)
    away = RouterReboot.objects.filter(status=RebootStatus.SENT, sent_at__lte=now - LOST_AFTER)
    expired = RouterReboot.objects.filter(waiting)
    return transition_set(expired, to=RebootStatus.EXPIRED, allowed=REBOOT_MOVES, ended_at=now) + transition_set(
        away, to=RebootStatus.LOST, allowed=REBOOT_MOVES, ended_at=now
    )

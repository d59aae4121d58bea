"""Restart a router: one person asks and types its name, another confirms within half an hour, the writer says it once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.staff_events import StaffActed
from locations.choices import REBOOT_MOVES, RebootStatus
from locations.models import Location, RouterReboot
from locations.services.kicks import kick_locations
from locations.sync.reboots import VALID


@transaction.atomic
def reboot_ask(
    location: Location, *, typed_name: str, actor: User, now: datetime, ip: str | None = None
) -> RouterReboot:
    """Ask for a restart. Raises DomainError when the name is not the location's, TransitionError while one is under way."""
    if typed_name.strip() != location.name:
        message = _("Type “%(name)s” exactly.") % {"name": location.name}
        raise DomainError("reboot.name", message, fields={"typed_name": message})
    if not location.is_active:
        raise DomainError(
            "router.switched_off", _("This location is switched off; its router is not asked."), status=409
        )
    try:
        with transaction.atomic():
            row = RouterReboot.objects.create(location=location, asked_by=actor, asked_at=now)
    except IntegrityError:
        raise TransitionError(_("A restart of this router is under way already."), code="reboot.under_way") from None
    _acted("asked", row, actor, ip)
    return row


@transaction.atomic
def reboot_confirm(row: RouterReboot, *, actor: User, now: datetime, ip: str | None = None) -> None:
    """The second pair of eyes; the router is told at once. Raises DomainError for the one who asked (`same_person`)."""
    if row.asked_by_id == actor.pk:
        raise DomainError(
            "reboot.same_person", _("You asked for this yourself: somebody else has to confirm it."), status=403
        )
    _moved(
        RouterReboot.objects.filter(pk=row.pk, status=RebootStatus.ASKED, asked_at__gt=now - VALID),
        RebootStatus.CONFIRMED, confirmed_by=actor, confirmed_at=now,
    )  # fmt: skip
    _acted("confirmed", row, actor, ip)
    kick_locations([row.location_id], is_forced=True)


@transaction.atomic
def reboot_cancel(row: RouterReboot, *, actor: User, now: datetime, ip: str | None = None) -> None:
    """Not after all. Raises TransitionError when the word was sent already."""
    _moved(RouterReboot.objects.filter(pk=row.pk), RebootStatus.CANCELLED, ended_at=now)
    _acted("cancelled", row, actor, ip)


def _moved(rows: QuerySet[RouterReboot], to: str, **changes: Any) -> None:
    try:
        transition(rows, to=to, allowed=REBOOT_MOVES, **changes)
    except TransitionError:
        message = _("This is not possible any more: somebody else decided, it took too long, or the router was told.")
        raise TransitionError(message, code="reboot.decided") from None


def _acted(verb: str, row: RouterReboot, actor: User, ip: str | None) -> None:
    details = {"location": row.location_id, "reboot": row.pk}
    events.emit(StaffActed(actor.pk, f"reboot.{verb}", details, ip))

"""Routers of the installation: add, change, accept a replacement, retry, status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.clock import now as clock_now
from core.db.transition import transition_set
from core.errors import DomainError
from core.installation import installation
from core.models import Installation
from core.staff_events import StaffActed
from locations.choices import REPLACEMENT_MOVES, Hold, Reach, ReplacementStatus, UserType
from locations.models import (
    AccessAccount,
    Location,
    LocationUser,
    RouterEntry,
    RouterProfile,
    RouterReplacement,
    RouterState,
)
from locations.routeros.addresses import is_host, is_localhost, numeric_problem
from locations.selectors import SyncCounts, location_counts
from locations.services.certificates import certificate_question_close, fingerprint_clean
from locations.services.entries import location_isolation_put
from locations.services.isolation import location_isolated_again
from locations.services.isolation_settings import isolation_problems
from locations.services.kicks import kick_locations
from locations.sync.lease import lease_end

EDITABLE = {
    "name", "host", "port", "username", "password", "tls_mode", "tls_fingerprint", "timezone", "latitude", "longitude",
    "is_active", "settings", "isolation_method", "isolation_rate_limit", "isolation_list", "isolation_page_address",
    "isolation_page_port", "isolation_allowed_hosts", "speed_change_pace",
    "drift_repair", "drift_repair_hour", "capacity", "writes_per_second",
}  # fmt: skip
SECRET = {"password"}


@transaction.atomic
def location_add(*, actor: User | None, ip: str | None = None, **fields: Any) -> Location:
    """Add a router. Raises DomainError with one message per field; nothing is contacted here."""
    location = Location(**_known(fields))
    _validate(location)
    location.save()
    RouterState.objects.create(location=location)
    location_isolation_put(location)
    events.emit(StaffActed(actor.pk if actor else None, "location.added", _details(location, fields), ip))
    kick_locations([location.pk])
    return location


@transaction.atomic
def location_change(location: Location, *, actor: User | None, ip: str | None = None, **fields: Any) -> Location:
    """Change a router's settings. An empty password keeps the old one. Raises DomainError per field."""
    fields = {key: value for key, value in _known(fields).items() if key not in SECRET or value}
    location = Location.objects.select_for_update().get(pk=location.pk)
    before = _details(location, fields)
    changed = {key for key, value in fields.items() if getattr(location, key) != value}
    for key, value in fields.items():
        setattr(location, key, value)
    _validate(location)
    location.save(update_fields=sorted(fields)) if fields else None
    if any(key.startswith("isolation_") for key in changed):
        location_isolated_again(location, changed)
        location_isolation_put(location)
    RouterState.objects.filter(pk=location.pk).update(retry_at=None)
    if "is_active" in changed and not location.is_active:
        lease_end(location.pk)
    if changed & {"host", "port", "tls_mode", "tls_fingerprint"}:
        certificate_question_close(RouterState.objects.select_for_update().get(pk=location.pk))
    details = {"before": before, "after": _details(location, fields)}
    events.emit(StaffActed(actor.pk if actor else None, "location.changed", details, ip))
    kick_locations([location.pk], is_forced=True)
    return location


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("tls_fingerprint"):
        fields = {**fields, "tls_fingerprint": fingerprint_clean(fields["tls_fingerprint"])}
    unknown = sorted(set(fields) - EDITABLE)
    if unknown:
        raise DomainError(
            "location.unknown_field", _("Unknown field."), {name: _("Unknown field.") for name in unknown}
        )
    return fields


def _validate(location: Location) -> None:
    try:
        location.full_clean()
    except ValidationError as error:
        raise DomainError(
            "location.invalid", _("Please correct the marked fields."), {k: v[0] for k, v in error.message_dict.items()}
        ) from None
    if location.timezone not in available_timezones():
        raise DomainError("location.invalid", _("Unknown time zone."), {"timezone": _("Unknown time zone.")})
    reason = host_refusal(location.host)
    if reason:
        raise DomainError("location.invalid", reason, {"host": reason})
    problems = isolation_problems(location)
    if problems:
        raise DomainError("location.invalid", next(iter(problems.values())), problems)


def host_refusal(host: str) -> str:
    """Why this address may not be a router (SSRF guard), or an empty string. Names are judged when connecting."""
    if not is_host(host):
        return _("Write a host name or an IP address, without http:// and without a port.")
    if is_localhost(host):
        return "" if settings.ROUTER_LOOPBACK_ALLOWED else _("This address is this server itself.")
    problems = {
        "itself": _("This address is this server itself."), "impossible": _("This address cannot be a router."),
    }  # fmt: skip
    return problems.get(numeric_problem(host), "")


def _details(location: Location, fields: dict[str, Any]) -> dict[str, Any]:
    shown = {key: str(getattr(location, key)) for key in sorted(fields) if key not in SECRET}
    hidden = {key: "[changed]" for key in sorted(fields) if key in SECRET}
    return {"location": location.pk, **shown, **hidden}


@transaction.atomic
def location_accept_router(location: Location, *, actor: User | None, ip: str | None = None) -> None:
    """Go on with the router that answers now: a person confirmed the new serial. Everything is compared and pushed again."""
    state = RouterState.objects.select_for_update().get(pk=location.pk)
    if state.reach != Reach.WRONG_ROUTER:
        raise DomainError("location.same_router", _("The same router as before answers here."), status=409)
    details: dict[str, Any] = {"location": location.pk, "before": state.serial, "after": state.other_serial}
    state.serial, state.other_serial = state.other_serial, ""
    state.reach, state.reach_since = Reach.UNKNOWN, clock_now()
    state.uptime_seconds, state.retry_at, state.failures, state.last_error = None, None, 0, ""
    state.reconciled_at, state.reconcile_due_at, state.is_repair_due = (
        None,
        clock_now(),
        True,
    )  # nobody looked at it yet
    state.save()
    _replacement_start(location, details["before"], details["after"], actor)
    events.emit(StaffActed(actor.pk if actor else None, "location.router_accepted", details, ip))
    kick_locations([location.pk], is_forced=True)


def _replacement_start(location: Location, old: str, new: str, actor: User | None) -> None:
    here = RouterReplacement.objects.filter(location=location)
    transition_set(here, to=ReplacementStatus.ABANDONED, allowed=REPLACEMENT_MOVES, finished_at=clock_now())
    RouterReplacement.objects.create(
        location=location, old_serial=old, new_serial=new, started_at=clock_now(), actor=actor
    )


@transaction.atomic
def location_retry(location: Location, *, actor: User | None, ip: str | None = None) -> int:
    """Try refused rows again and forget the back-off; conflicts stay for a decision. Returns how many rows."""
    held = 0
    refused: dict[str, Any] = {"location": location, "hold": Hold.REFUSED}
    tried_again: dict[str, Any] = {"hold": Hold.NONE, "router_words": ""}
    held += RouterProfile.objects.filter(**refused).update(**tried_again)
    held += RouterEntry.objects.filter(**refused).update(**tried_again)
    held += AccessAccount.objects.filter(**refused).update(**tried_again)
    RouterState.objects.filter(pk=location.pk).update(retry_at=None)
    events.emit(
        StaffActed(actor.pk if actor else None, "location.retried", {"location": location.pk, "rows": held}, ip)
    )
    kick_locations([location.pk], is_forced=True)
    return held


@transaction.atomic
def location_member_add(
    location: Location, user: User, *, user_type: str = UserType.STAFF, actor: User | None = None, ip: str | None = None
) -> LocationUser:
    """Let a staff member work at a location."""
    member, is_new = LocationUser.objects.get_or_create(location=location, user=user, user_type=user_type)
    if is_new:
        details = {"location": location.pk, "user": user.pk, "type": user_type}
        events.emit(StaffActed(actor.pk if actor else None, "location.member_added", details, ip))
    return member


@dataclass(frozen=True)
class LocationStatus:
    """What we know without asking the router now."""

    reach: str
    reach_since: datetime | None
    seen_at: datetime | None
    last_error: str
    counts: SyncCounts


def location_status(location: Location) -> LocationStatus:
    """State of the router and of the changes that wait for it, from the database only."""
    state = RouterState.objects.get(pk=location.pk)
    return LocationStatus(state.reach, state.reach_since, state.seen_at, state.last_error, location_counts(location.pk))


@transaction.atomic
def location_seed_first() -> Location | None:
    """Create the first location from MIKROTIK_*; None when nothing is set, or it was used before, or there is one.

    Once ever: a first location that a person deleted does not come back. Raises DomainError, and then nothing was used.
    """
    first = settings.FIRST_LOCATION
    here = Installation.objects.select_for_update().get(pk=installation().pk)
    if not first["HOST"] or here.first_location_at is not None:
        return None
    here.first_location_at = clock_now()
    here.save(update_fields=["first_location_at"])
    if Location.objects.exists():
        return None
    return location_add(
        actor=None, name=first["HOST"][:80], host=first["HOST"], port=first["PORT"], username=first["USERNAME"],
        password=first["PASSWORD"], timezone=settings.TIME_ZONE,
    )  # fmt: skip

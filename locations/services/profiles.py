"""Which speed and session rules should exist on which router."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.clock import now as clock_now
from core.db.locks import lock_row
from core.errors import DomainError
from locations.choices import Kind, Presence, Priority
from locations.models import AccessAccount, Location, RouterProfile
from locations.routeros.values import queue_words
from locations.services.entries import location_isolation_put
from locations.services.expressing import express_again, locked_parts
from locations.services.isolation import isolation_profiles_put
from locations.services.kicks import kick_locations
from locations.services.profile_rows import profile_row_put


@transaction.atomic
def profile_put(
    *,
    location: Location,
    kind: str,
    name: str,
    rate_limit: str = "",
    shared_users: int = 1,
    session_timeout_seconds: int | None = None,
    idle_timeout_seconds: int | None = None,
    keepalive_timeout_seconds: int | None = None,
    address_pool: str = "",
    address_list: str = "",
    tag: str = "a",
) -> RouterProfile:
    """Make a profile wanted as given; the revision moves only when something differs.

    A static profile is only a speed: there is nothing of it on the router, so it counts as confirmed, and the queues
    of its accounts are sent again, live. Raises DomainError when its rate limit cannot be a queue's.
    """
    rules: dict[str, Any] = {
        "rate_limit": rate_limit, "shared_users": shared_users, "session_timeout_seconds": session_timeout_seconds,
        "idle_timeout_seconds": idle_timeout_seconds, "keepalive_timeout_seconds": keepalive_timeout_seconds,
        "address_pool": address_pool, "address_list": address_list,
    }  # fmt: skip
    if kind == Kind.STATIC:
        check_queue_rate(rate_limit)
    row = profile_row_put(location=location, kind=kind, name=name, tag=tag, rules=rules)
    if kind == Kind.STATIC and (row.is_new or row.changed):
        _confirm_static(row.profile)
    if "address_pool" in row.changed and row.profile.isolation_profile_id is not None:
        _isolation_follows(row.profile)
    if row.is_new and kind == Kind.HOTSPOT:
        _hotspot_begins(location)
    if row.is_new and kind == Kind.STATIC:
        location_isolation_put(location)  # the rule that shuts addresses is there before it is needed
    return row.profile


def check_queue_rate(rate_limit: str) -> None:
    """Raises DomainError when a simple queue cannot have this limit."""
    try:
        queue_words(rate_limit)
    except ValueError:
        text = _("Write the speed like 5M/20M.")
        raise DomainError("profile.rate_limit", text, {"rate_limit": text}) from None


def _confirm_static(profile: RouterProfile) -> None:
    profile.applied_revision, profile.applied_at = profile.revision, clock_now()
    profile.save(update_fields=["applied_revision", "applied_at"])
    _express(AccessAccount.objects.filter(profile=profile))


def _isolation_follows(profile: RouterProfile) -> None:
    """Another pool: the isolated of this profile need one with that pool."""
    isolation_profiles_put({profile.pk})
    _express(AccessAccount.objects.filter(profile=profile, is_isolated=True), is_kick_due=True)


def _hotspot_begins(location: Location) -> None:
    """The first hotspot profile here: static addresses must be let past the hotspot, guests into the walled garden."""
    here = RouterProfile.objects.filter(location=location, kind=Kind.HOTSPOT, presence=Presence.PRESENT)
    if here.count() == 1:
        location_isolation_put(location)
        _express(AccessAccount.objects.filter(location=location, kind=Kind.STATIC))


def _express(rows: QuerySet[AccessAccount], **changes: Any) -> None:
    for part in locked_parts(rows.filter(presence=Presence.PRESENT)):
        express_again([pk for pk, _location in part], Priority.CHANGE, **changes)


@transaction.atomic
def profile_remove(profile: RouterProfile) -> None:
    """Want it off the router; waits until no account here uses it."""
    profile = lock_row(RouterProfile.objects.all(), profile.pk)
    if profile.presence == Presence.ABSENT:
        return
    profile.presence, profile.priority = Presence.ABSENT, Priority.BULK
    profile.revision += 1
    profile.save(update_fields=["presence", "priority", "revision", "changed_at"])
    kick_locations([profile.location_id])

"""Which speed and session rules should exist on which router."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core.db.locks import lock_row
from locations.choices import Hold, Presence, Priority
from locations.models import Location, RouterProfile
from locations.services.kicks import kick_locations


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
    tag: str = "a",
) -> RouterProfile:
    """Make a profile wanted as given; the revision moves only when something differs."""
    wanted: dict[str, Any] = {
        "rate_limit": rate_limit, "shared_users": shared_users, "session_timeout_seconds": session_timeout_seconds,
        "idle_timeout_seconds": idle_timeout_seconds, "keepalive_timeout_seconds": keepalive_timeout_seconds,
        "address_pool": address_pool, "presence": Presence.PRESENT,
    }  # fmt: skip
    profile, is_new = RouterProfile.objects.get_or_create(
        location=location, kind=kind, name=name, defaults={**wanted, "tag": tag}
    )
    if not is_new:
        profile = lock_row(RouterProfile.objects.all(), profile.pk)
        different = {key: value for key, value in wanted.items() if getattr(profile, key) != value}
        if different:
            for key, value in different.items():
                setattr(profile, key, value)
            profile.revision += 1
            profile.hold, profile.router_words = Hold.NONE, ""
            profile.save(update_fields=[*different, "revision", "hold", "router_words", "changed_at"])
    kick_locations([location.pk])
    return profile


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

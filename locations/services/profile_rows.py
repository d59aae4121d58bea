"""The row of a profile: made, or changed where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.db.locks import lock_row
from locations.choices import Hold, Presence
from locations.models import Location, RouterProfile
from locations.services.kicks import kick_locations


@dataclass(frozen=True)
class ProfileRow:
    """The profile, and what this call changed of it."""

    profile: RouterProfile
    is_new: bool
    changed: dict[str, Any] = field(default_factory=dict)


def profile_row_put(*, location: Location, kind: str, name: str, tag: str, rules: Mapping[str, Any]) -> ProfileRow:
    """Make it wanted with these rules and wake the location. Must run in a transaction."""
    wanted = {**rules, "presence": Presence.PRESENT}
    profile, is_new = RouterProfile.objects.get_or_create(
        location=location, kind=kind, name=name, defaults={**wanted, "tag": tag}
    )
    kick_locations([location.pk])
    if is_new:
        return ProfileRow(profile, is_new)
    profile = lock_row(RouterProfile.objects.all(), profile.pk)
    different = {key: value for key, value in wanted.items() if getattr(profile, key) != value}
    if different:
        for key, value in different.items():
            setattr(profile, key, value)
        profile.revision += 1
        profile.hold, profile.router_words = Hold.NONE, ""
        profile.save(update_fields=[*different, "revision", "hold", "router_words", "changed_at"])
    return ProfileRow(profile, is_new, different)

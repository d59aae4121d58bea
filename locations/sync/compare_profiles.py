"""Profiles of a router against our wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F

from locations.choices import DriftCategory, DriftSubject, Hold, Kind, Presence
from locations.models import RouterProfile
from locations.routeros.client import Row
from locations.sync.drift import Drift, words_of
from locations.sync.scope import Scope


@dataclass(frozen=True)
class ProfileChange:
    """`hold`: only listed until a person says "repair". It counts for the revision that was compared."""

    profile_id: int
    revision: int
    router_id: str
    resend: bool = False
    hold: bool = False
    was_held: bool = False


def profiles_compare(
    location_id: int, entries: Mapping[str, list[Row]], drift: Drift, *, repairs: bool, scope: Scope | None
) -> list[ProfileChange]:
    """What of the profiles the router no longer has as sent. A missing one is always repaired: nobody could be added."""
    there = {(str(kind), row.get("name", "")): row for kind, rows in entries.items() for row in rows}
    rows = RouterProfile.objects.filter(
        location_id=location_id, presence=Presence.PRESENT, applied_revision__gt=0, kind__in=list(entries)
    )
    changes = []
    for profile in rows if scope is None else rows.filter(scope.profiles):
        is_held = profile.hold == Hold.DRIFT
        found = (DriftSubject.PROFILE, profile.kind, profile.name, profile.pk)
        row = there.get((profile.kind, profile.name))
        if row is None:
            drift.add(DriftCategory.MISSING, *found)
            changes.append(ProfileChange(profile.pk, profile.revision, "", resend=True, was_held=is_held))
            continue
        wanted = _wanted(profile)
        names = [name for name in wanted if row.get(name, "") != wanted[name]]
        differs = bool(names) and (profile.is_synced or is_held)
        if differs:
            drift.add(DriftCategory.DIFFERENT, *found, words=words_of(names, wanted, row))
        if row.get(".id") != profile.router_id or differs or is_held:
            hold = differs and not repairs and profile.hold in {Hold.NONE, Hold.DRIFT}
            changes.append(
                ProfileChange(profile.pk, profile.revision, row.get(".id", ""), differs and not hold, hold, is_held)
            )
    return changes


def _wanted(profile: RouterProfile) -> dict[str, str]:
    """Speed, how many at once, and for the isolated the address list by which the firewall knows them."""
    wanted = {"rate-limit": profile.rate_limit}
    if profile.kind == Kind.HOTSPOT:
        wanted["shared-users"] = str(profile.shared_users)
    if profile.address_list:
        wanted["address-list"] = profile.address_list
    return wanted


def profiles_write(changes: list[ProfileChange]) -> None:
    """In the caller's transaction. A held profile keeps its last confirmation: accounts go on being added to it."""
    for change in changes:
        rows = RouterProfile.objects.filter(pk=change.profile_id)
        rows.update(router_id=change.router_id, **({"applied_revision": 0} if change.resend else {}))
        if change.hold and not change.was_held:
            held = rows.filter(revision=change.revision)
            held.update(revision=F("revision") + 1, hold=Hold.DRIFT, router_words="it was changed on the router")
        elif change.was_held and not change.hold:
            rows.filter(hold=Hold.DRIFT).update(hold=Hold.NONE, router_words="")

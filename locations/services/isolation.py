"""Holding back who has not paid, and letting back who has: desired state like all else (DESIGN 3.1).

`is_isolated` is the wish; how it looks on the router is the location's method (`sync.kinds`). Sessions are ended with
it, so that the new state is in force and not only written.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from django.db import transaction
from django.db.models import Q

from core.db.locks import lock_rows
from locations.choices import ISOLATION_TAG, IsolationMethod, Kind, Presence, Priority
from locations.models import AccessAccount, Location, RouterProfile
from locations.services.expressing import Accounts, chosen, express_again, locked_parts
from locations.services.kicks import kick_locations
from locations.services.profile_rows import profile_row_put

NAME_LENGTH = 64


@transaction.atomic
def accounts_isolate(accounts: Accounts, *, priority: int = Priority.CHANGE) -> int:
    """Want these accounts held back, their sessions ended. Returns how many changed; those already isolated do not."""
    return _switch(accounts, is_isolated=True, priority=priority)


@transaction.atomic
def accounts_reopen(accounts: Accounts, *, priority: int = Priority.PAID) -> int:
    """Want these accounts back as they were, before all other work and even while the router is in back-off."""
    return _switch(accounts, is_isolated=False, priority=priority)


def _switch(accounts: Accounts, *, is_isolated: bool, priority: int) -> int:
    rows = chosen(accounts).filter(presence=Presence.PRESENT, is_isolated=not is_isolated)
    if is_isolated:
        isolation_profiles_put(set(rows.order_by().values_list("profile_id", flat=True).distinct()))
    changed, locations = 0, set[int]()
    for part in locked_parts(rows):
        changed += express_again([pk for pk, _location in part], priority, is_isolated=is_isolated, is_kick_due=True)
        locations.update(location for _pk, location in part)
    kick_locations(locations, is_forced=priority == Priority.PAID)
    return changed


def isolation_profiles_put(profile_ids: set[int]) -> None:
    """Every one of these profiles has the profile its isolated accounts get, as the location's settings are now.

    One per kind and address pool: an isolated customer needs an address too. None for static addresses, which have a
    queue of their own, and none where isolation switches the login off.
    """
    sources = RouterProfile.objects.filter(pk__in=profile_ids).exclude(kind=Kind.STATIC)
    places = set(sources.values_list("location_id", flat=True))
    # locked together in id order, so that two callers cannot wait for each other
    locked = lock_rows(
        RouterProfile.objects.filter(Q(pk__in=sources.values("pk")) | Q(location__in=places, tag=ISOLATION_TAG))
    )
    locations = Location.objects.in_bulk(places)
    for profile in (profile for profile in locked if profile.pk in profile_ids):
        location = locations[profile.location_id]
        if location.isolation_method != IsolationMethod.DISABLE:
            instead = _isolation_profile(profile, location)
            if profile.isolation_profile_id != instead.pk:
                RouterProfile.objects.filter(pk=profile.pk).update(isolation_profile=instead)


def _isolation_profile(profile: RouterProfile, location: Location) -> RouterProfile:
    is_slow = location.isolation_method == IsolationMethod.PROFILE
    rules = {
        "rate_limit": location.isolation_rate_limit if is_slow else "", "address_list": location.isolation_list,
        "address_pool": profile.address_pool,
    }  # fmt: skip
    name = isolation_name(profile.address_pool)
    return profile_row_put(location=location, kind=profile.kind, name=name, tag=ISOLATION_TAG, rules=rules).profile


def isolation_name(address_pool: str) -> str:
    """`mb-isolated`, and `mb-isolated-<pool>` where plans name a pool."""
    name = f"mb-isolated-{address_pool}" if address_pool else "mb-isolated"
    return name if len(name) <= NAME_LENGTH else f"{name[:55]}-{crc32(name.encode()):08x}"


def location_isolated_again(location: Location, changed: set[str]) -> int:
    """The location's isolation settings changed: express every isolated account in the new way. Returns how many.

    Must run in the transaction that changed the location.
    """
    if not changed & {"isolation_method", "isolation_rate_limit", "isolation_list"}:
        return 0
    rows = AccessAccount.objects.filter(location=location, is_isolated=True)
    used = set(rows.order_by().values_list("profile_id", flat=True).distinct())
    isolation_profiles_put(used | set(_with_isolation_profile(location)))
    held_back = Q(is_isolated=True) | Q(kind=Kind.STATIC, is_disabled=True)
    rows = AccessAccount.objects.filter(held_back, location=location, presence=Presence.PRESENT)
    if not changed & {"isolation_method", "isolation_list"}:
        rows = rows.filter(kind=Kind.STATIC)  # the others follow their profile
    count = 0
    for part in locked_parts(rows):
        count += express_again([pk for pk, _location in part], Priority.CHANGE, is_kick_due=True)
    return count


def _with_isolation_profile(location: Location) -> Iterable[int]:
    rows = RouterProfile.objects.filter(location=location, isolation_profile__isnull=False)
    return rows.values_list("pk", flat=True)

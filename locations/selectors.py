"""Reads about routers that span models or depend on who asks."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from accounts.choices import Role
from accounts.models import User
from locations.choices import Hold, Presence, UserType
from locations.models import NOT_SYNCED as NOT_SYNCED  # the admins of upper rooms filter by it
from locations.models import TODO, AccessAccount, Location, LocationUser


def locations_visible_to(user: User) -> QuerySet[Location]:
    """The locations this person may see: all for Super Admin and Admin, his own for an Operator."""
    rows = Location.objects.select_related("state")
    if user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}:
        return rows
    own = LocationUser.objects.filter(user_id=user.pk, user_type=UserType.STAFF).values("location_id")
    return rows.filter(pk__in=own)


def accounts_visible_to(user: User) -> QuerySet[AccessAccount]:
    """The access accounts at the locations this person may see."""
    return AccessAccount.objects.filter(location__in=locations_visible_to(user).values("pk"))


@dataclass(frozen=True)
class SyncCounts:
    """Accounts of one location: wanted on the router, confirmed by it, waiting, held for a person, leaving."""

    wanted: int
    confirmed: int
    waiting: int
    held: int
    leaving: int


def location_counts(location_id: int) -> SyncCounts:
    """Counts for the location's page. `waiting + held` is what the router does not have as we want it."""
    row = AccessAccount.objects.filter(location_id=location_id).aggregate(
        wanted=Count("pk", filter=Q(presence=Presence.PRESENT)),
        confirmed=Count("pk", filter=Q(presence=Presence.PRESENT, revision=F("applied_revision"))),
        waiting=Count("pk", filter=TODO),
        held=Count("pk", filter=~Q(hold=Hold.NONE)),
        leaving=Count("pk", filter=Q(presence=Presence.ABSENT)),
    )
    return SyncCounts(**row)


def waiting_count(location_id: int) -> int:
    """Changes that wait for this router; served by the partial index of unsynced rows."""
    return AccessAccount.objects.filter(TODO, location_id=location_id).count()


def tag_counts(tag: str) -> SyncCounts:
    """The same counts for one batch over all its locations."""
    row = AccessAccount.objects.filter(tag=tag).aggregate(
        wanted=Count("pk", filter=Q(presence=Presence.PRESENT)),
        confirmed=Count("pk", filter=Q(presence=Presence.PRESENT, revision=F("applied_revision"))),
        waiting=Count("pk", filter=TODO),
        held=Count("pk", filter=~Q(hold=Hold.NONE)),
        leaving=Count("pk", filter=Q(presence=Presence.ABSENT)),
    )
    return SyncCounts(**row)

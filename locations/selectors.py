"""Reads about routers that span models or depend on who asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from accounts.choices import Role
from accounts.models import User
from locations.choices import (
    ISOLATION_TAG,
    OFF_LIST,
    OFF_TAG,
    DriftCategory,
    DriftSubject,
    EntryKind,
    Hold,
    Kind,
    Presence,
    RolloutMethod,
    RolloutMode,
    RolloutStatus,
    UserType,
)
from locations.models import NOT_SYNCED as NOT_SYNCED  # the admins of upper rooms filter by it
from locations.models import (
    TODO,
    AccessAccount,
    DesiredRow,
    DriftRow,
    GroupPlace,
    Location,
    LocationChoice,
    LocationGroup,
    LocationUser,
    ProfileRollout,
    RouterEntry,
    RouterProfile,
    RouterReplacement,
    RouterSession,
    RouterState,
)
from locations.sync.identity import licence_limits


def locations_visible_to(user: User) -> QuerySet[Location]:
    """The locations this person may see: all for Super Admin and Admin, his own for an Operator, none for an agent."""
    rows = Location.objects.select_related("state")
    if user.role == Role.AGENT and not user.is_superuser:
        return rows.none()
    if user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}:
        return rows
    own = LocationUser.objects.filter(user_id=user.pk, user_type=UserType.STAFF).values("location_id")
    return rows.filter(pk__in=own)


def certificates_unconfirmed(user: User | None = None) -> QuerySet[Location]:
    """Active locations whose router shows a certificate that nobody confirmed: nothing is sent to them."""
    rows = locations_visible_to(user) if user is not None else Location.objects.select_related("state")
    return rows.filter(is_active=True, state__other_fingerprint__gt="").defer("password").order_by("name")


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


def isolated_count(location_id: int) -> int:
    """Accounts held back here; served by the partial index of isolated rows."""
    return AccessAccount.objects.filter(location_id=location_id, is_isolated=True).count()


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


def entries_visible_to(user: User) -> QuerySet[RouterEntry]:
    """Address-list, walled-garden and firewall entries at the locations this person may see."""
    return RouterEntry.objects.filter(location__in=locations_visible_to(user).values("pk"))


def shut_address(location_id: int, address: str) -> RouterEntry | None:
    """The entry that keeps an address shut there since its static subscriber left, if it is wanted."""
    rows = RouterEntry.objects.filter(location=location_id, kind=EntryKind.ADDRESS_LIST, tag=OFF_TAG)
    return rows.filter(name=f"{OFF_LIST} {address}", presence=Presence.PRESENT).first()


def rollouts_visible_to(user: User) -> QuerySet[ProfileRollout]:
    """Speed changes at the locations this person may see."""
    return ProfileRollout.objects.filter(location__in=locations_visible_to(user).values("pk"))


def profile_sessions(profile: RouterProfile) -> QuerySet[RouterSession]:
    """Sessions of a profile's accounts as last observed, without the isolated (they have another) and those we ended."""
    rows = RouterSession.objects.filter(
        location_id=profile.location_id, kind=profile.kind, account__profile=profile, account__is_isolated=False
    )
    is_ended = Q(account__last_session_ended_at__gte=F("seen_at")) & Q(
        started_at__lt=F("account__last_session_ended_at")
    )
    return rows.exclude(Q(account__last_session_ended_at__isnull=False) & is_ended)


def sessions_on_old_speed(profile: RouterProfile, confirmed_at: datetime | None) -> QuerySet[RouterSession]:
    """Of these, the ones that began before the router confirmed the profile; all of them while it has not."""
    rows = profile_sessions(profile)
    return rows if confirmed_at is None else rows.filter(started_at__lt=confirmed_at)


@dataclass(frozen=True)
class RolloutProgress:
    """How far a changed speed has come. `eta_seconds` is None when it does not depend on us.

    For a static profile the "sessions" are its queues, and those on the old speed the ones not yet confirmed.
    """

    is_confirmed: bool
    confirmed_at: datetime | None
    sessions_total: int
    sessions_on_old_speed: int
    method: str
    status: str
    ended: int
    eta_seconds: int | None


def rollout_progress(profile: RouterProfile) -> RolloutProgress:
    """From the last speed change of the profile; one that was never asked for waits for the next logins."""
    rollout = ProfileRollout.objects.filter(profile=profile).order_by("-pk").first()
    is_confirmed = profile.is_synced
    if profile.kind == Kind.STATIC:
        return _live_progress(profile, rollout)
    is_current = rollout is not None and rollout.revision == profile.revision
    confirmed_at = rollout.confirmed_at if rollout is not None and is_current else profile.applied_at
    confirmed_at = confirmed_at if is_confirmed else None
    old = sessions_on_old_speed(profile, confirmed_at).count()
    is_kicking = rollout is not None and rollout.mode == RolloutMode.NOW and rollout.status == RolloutStatus.RUNNING
    pace = rollout.pace_per_second if rollout is not None else 1
    return RolloutProgress(
        is_confirmed, confirmed_at, profile_sessions(profile).count(), old,
        RolloutMethod.KICK if rollout is not None and rollout.mode == RolloutMode.NOW else RolloutMethod.NEXT_LOGIN,
        rollout.status if rollout else "", rollout.ended if rollout else 0,
        math.ceil(old / pace) if is_kicking and is_confirmed else None,
    )  # fmt: skip


def _live_progress(profile: RouterProfile, rollout: ProfileRollout | None) -> RolloutProgress:
    accounts = AccessAccount.objects.filter(profile=profile, presence=Presence.PRESENT)
    waiting = accounts.filter(NOT_SYNCED).count()
    return RolloutProgress(
        True,
        profile.applied_at,
        accounts.count(),
        waiting,
        RolloutMethod.LIVE,
        rollout.status if rollout else "",
        0,
        None,
    )


@dataclass(frozen=True)
class SessionEnding:
    """When and why the last session of an account ended, as far as observed (to one poll, about half a minute)."""

    at: datetime
    why: str


def last_session_end(account: AccessAccount) -> SessionEnding | None:
    """None: no end was observed yet. A `static` account has no sessions, so never one."""
    if account.last_session_ended_at is None:
        return None
    return SessionEnding(account.last_session_ended_at, account.last_session_end)


def session_of(account: AccessAccount) -> RouterSession | None:
    """The live session as of the last poll, the oldest if there are several."""
    return RouterSession.objects.filter(account=account).order_by("started_at").first()


def drift_of(location: Location, category: str = "") -> QuerySet[DriftRow]:
    """What the last comparison found at this router."""
    rows = DriftRow.objects.filter(location=location).order_by("id")
    return rows.filter(category=category) if category else rows


def drift_counts(location: Location) -> dict[str, int]:
    """Findings listed, by category; the summary of the last full comparison may count more than are listed."""
    return dict(drift_of(location).order_by().values_list("category").annotate(n=Count("pk")))


def drift_found(location: Location) -> int:
    """Findings a person may have to look at: all but the router's own entries."""
    return drift_of(location).exclude(category=DriftCategory.FOREIGN).count()


def desired_rows(rows: Sequence[DriftRow]) -> dict[tuple[str, int], DesiredRow]:
    """The wishes that findings are about, in three queries."""
    found: dict[tuple[str, int], DesiredRow] = {}
    models: dict[str, type[AccessAccount] | type[RouterProfile] | type[RouterEntry]] = {
        DriftSubject.ACCOUNT: AccessAccount, DriftSubject.PROFILE: RouterProfile, DriftSubject.ENTRY: RouterEntry,
    }  # fmt: skip
    for subject, model in models.items():
        ids = [row.row_id for row in rows if row.subject == subject and row.row_id]
        found |= {(str(subject), wish.pk): wish for wish in model.objects.filter(pk__in=ids)}
    return found


def profiles_to_switch_to(account: AccessAccount, user: User) -> QuerySet[RouterProfile]:
    """Profiles of other locations in use, of this person, that this login could be moved to."""
    places = locations_visible_to(user).filter(is_active=True).exclude(pk=account.location_id)
    rows = RouterProfile.objects.filter(kind=account.kind, presence=Presence.PRESENT, location__in=places.values("pk"))
    return rows.exclude(tag=ISOLATION_TAG).select_related("location").order_by("location__name", "name")


def moves_awaited(account_ids: Sequence[int]) -> dict[int, str]:
    """Which of these accounts wait for another router to let them go, and its name (the first of several)."""
    rows = AccessAccount.objects.filter(moved_to__in=account_ids, is_move_awaited=True, presence=Presence.ABSENT)
    rows = rows.order_by("-location__name")
    return {new: name for new, name in rows.values_list("moved_to_id", "location__name") if new is not None}


def groups_visible_to(user: User) -> QuerySet[LocationGroup]:
    """Groups of which this person sees every location: their numbers are compared with each other."""
    rows = LocationGroup.objects.order_by("name")
    if user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}:
        return rows
    seen = locations_visible_to(user).values("pk")
    others = GroupPlace.objects.exclude(location__in=seen).values("group_id")
    return rows.filter(pk__in=GroupPlace.objects.filter(location__in=seen).values("group_id")).exclude(pk__in=others)


def choices_visible_to(user: User) -> QuerySet[LocationChoice]:
    """Choices among locations this person may see."""
    rows = LocationChoice.objects.filter(location__in=locations_visible_to(user).values("pk"))
    if user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN}:
        return rows
    return rows.filter(group__in=groups_visible_to(user).values("pk"))


def choice_for(subject: str) -> LocationChoice | None:
    """Why something is where it is, if that was chosen for it."""
    return LocationChoice.objects.filter(subject=subject).select_related("group", "location").order_by("-pk").first()


LICENCE_ALERT = 0.8


@dataclass(frozen=True)
class LicenceUse:
    """Live sessions of a router against what its licence allows: of the kind, hotspot or PPPoE, nearer to its limit."""

    location: int
    name: str
    sessions: int
    limit: int

    @property
    def share(self) -> float:
        return self.sessions / self.limit if self.limit else 0.0


def licence_uses(location_id: int | None = None) -> list[LicenceUse]:
    """Of every active router with a known limit, or of one."""
    states = RouterState.objects.filter(location__is_active=True, licence_limit__gt=0)
    states = states if location_id is None else states.filter(pk=location_id)
    rows = list(states.order_by("location__name").values_list("pk", "location__name", "licence_limit"))
    sessions = RouterSession.objects.filter(location__in=[pk for pk, _name, _limit in rows])
    counts = sessions.values_list("location_id", "kind").annotate(n=Count("pk")).order_by()
    online = {(pk, kind): count for pk, kind, count in counts}
    uses = [
        [LicenceUse(pk, name, online.get((pk, kind), 0), most) for kind, most in licence_limits(limit).items()]
        for pk, name, limit in rows
    ]
    return [max(of_one, key=lambda use: use.share) for of_one in uses]


@dataclass(frozen=True)
class ReplacementProgress:
    """How far a new router is. `confirmed` of `total` wishes are on it; none before it was compared the first time."""

    old_serial: str
    new_serial: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    confirmed: int
    total: int
    held: int


def replacement_progress(location: Location) -> ReplacementProgress | None:
    """Of the last replacement at this location; None when there never was one."""
    row = RouterReplacement.objects.filter(location=location).order_by("-pk").first()
    if row is None:
        return None
    state = RouterState.objects.get(pk=location.pk)
    is_compared = state.reconciled_at is not None and state.reconciled_at >= row.started_at
    total = confirmed = held = 0
    for model in (RouterProfile, RouterEntry, AccessAccount):
        counts = model.objects.filter(location=location, presence=Presence.PRESENT).aggregate(
            total=Count("pk"),
            confirmed=Count("pk", filter=Q(revision=F("applied_revision"))),
            held=Count("pk", filter=~Q(hold=Hold.NONE)),
        )
        total, confirmed, held = total + counts["total"], confirmed + counts["confirmed"], held + counts["held"]
    return ReplacementProgress(
        row.old_serial, row.new_serial, row.status, row.started_at, row.finished_at, confirmed if is_compared else 0,
        total, held,
    )  # fmt: skip

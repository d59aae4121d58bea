"""Sharing new customers out over a group of locations, and saying why.

What counts is what a router really has to carry: the larger of its live sessions and the logins it should have. A router
that cannot be reached, is busy, full or at its licence's end is left out; when none of a group can be reached, the choice
is made among them all the same, because a sale must not wait for a power cut.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import User
from core.db.locks import lock_row
from core.errors import DomainError
from locations.choices import Reach, Strategy, Unfit
from locations.models import GroupPlace, Location, LocationChoice, LocationGroup, RouterSession
from locations.sync.identity import licence_limits

EARTH_KM = 6371.0
Point = tuple[float, float]  # latitude, longitude


@dataclass(frozen=True)
class Candidate:
    """A location of the group with what was known of it at the moment of the choice."""

    location: int
    name: str
    sessions: int
    accounts: int
    capacity: int | None
    cpu_load: int | None
    licence_limit: int | None
    last_turn: int
    distance_km: float | None = None
    unfit: str = ""
    licence_full: int | None = None  # the limit that is reached, of hotspot or of PPPoE sessions

    @property
    def users(self) -> int:
        return max(self.sessions, self.accounts)

    @property
    def fullness(self) -> float:
        return self.users / self.capacity if self.capacity else float(self.users)


@dataclass(frozen=True)
class Choice:
    """`location` was chosen; `details` say why (`locations.words_balancing.choice_sentences`)."""

    location: Location
    details: dict[str, Any] = field(default_factory=dict)
    record: LocationChoice | None = None


@transaction.atomic
def location_choose(
    group: LocationGroup,
    *,
    allowed: Collection[int] | None = None,
    point: Point | None = None,
    override: Location | None = None,
    subject: str = "",
    name: str = "",
    now: datetime,
    actor: User | None = None,
) -> Choice:
    """Choose a location for something new and write down why. Call it before other rows are locked.

    `allowed`: ids that are possible at all (the plan is published there, the person works there). `point`: where the
    customer is, for "nearest". `override`: a person chose; that is recorded as such. Choices of one group are made one
    after the other, so two at once never take the same turn. Raises DomainError (`balancing.none`) when there is none.
    """
    group = lock_row(LocationGroup.objects.all(), group.pk)
    details, chosen = _decide(group, allowed, point, override)
    group.turn += 1
    group.save(update_fields=["turn"])
    GroupPlace.objects.filter(group=group, location=chosen).update(last_turn=group.turn)
    record = LocationChoice.objects.create(
        group=group, location_id=chosen, strategy=details["strategy"], details=details, subject=subject, name=name,
        actor=actor, chosen_at=now,
    )  # fmt: skip
    return Choice(Location.objects.get(pk=chosen), details, record)


def location_preview(
    group: LocationGroup, *, allowed: Collection[int] | None = None, point: Point | None = None
) -> Choice:
    """Which location would be chosen now, and why. Nothing is written. Raises DomainError when there is none."""
    details, chosen = _decide(group, allowed, point, None)
    return Choice(Location.objects.get(pk=chosen), details)


@transaction.atomic
def choice_assign(choice: LocationChoice, *, subject: str, name: str = "") -> None:
    """Say what the choice was for, once that exists."""
    LocationChoice.objects.filter(pk=choice.pk).update(subject=subject, name=name[:64])


def choices_forget(subjects: Iterable[str]) -> int:
    """Take the login names out of the choices made for these; where and why stays."""
    return LocationChoice.objects.filter(subject__in=list(subjects)).exclude(name="").update(name="")


def _decide(
    group: LocationGroup, allowed: Collection[int] | None, point: Point | None, override: Location | None
) -> tuple[dict[str, Any], int]:
    candidates = _candidates(group, allowed, point)
    details: dict[str, Any] = {"strategy": group.strategy, "asked": group.strategy, "note": ""}
    fixed = override.pk if override is not None else None
    if fixed is None and group.strategy == Strategy.MANUAL:
        fixed = group.manual_location_id
    if fixed is not None:
        if allowed is not None and fixed not in allowed:
            raise _none(candidates)
        details["strategy"] = Strategy.MANUAL.value
        details["note"] = "by_hand" if override is not None else ""
        return _details(details, candidates, fixed), fixed
    fit = [one for one in candidates if not one.unfit]
    if not fit:  # a dead link to all of them: they will carry it when it is back
        fit = [one for one in candidates if one.unfit == Unfit.UNREACHABLE]
        details["note"] = "none_reachable"
    if not fit:
        raise _none(candidates)
    strategy = Strategy(group.strategy)
    if strategy == Strategy.MANUAL or (strategy == Strategy.GEOGRAPHIC and all(one.distance_km is None for one in fit)):
        details["note"] = details["note"] or ("no_manual" if strategy == Strategy.MANUAL else "no_point")
        strategy = Strategy.LEAST_USERS
    details["strategy"] = strategy.value
    return _details(details, candidates, _best(strategy, fit).location), _best(strategy, fit).location


def _best(strategy: Strategy, fit: Sequence[Candidate]) -> Candidate:
    """Ties go to the one whose last turn is longest ago, then to the older location."""
    if strategy == Strategy.ROUND_ROBIN:
        return min(fit, key=lambda one: (one.last_turn, one.location))
    if strategy == Strategy.GEOGRAPHIC:
        placed = [one for one in fit if one.distance_km is not None]
        return min(placed, key=lambda one: (one.distance_km or 0.0, one.fullness, one.last_turn, one.location))
    is_relative = all(one.capacity for one in fit)  # fullness is comparable only when every one has a capacity
    return min(fit, key=lambda one: (one.fullness if is_relative else float(one.users), one.last_turn, one.location))


def _details(details: dict[str, Any], candidates: Sequence[Candidate], chosen: int) -> dict[str, Any]:
    return {**details, "chosen": chosen, "candidates": [{**asdict(one), "users": one.users} for one in candidates]}


def _none(candidates: Sequence[Candidate]) -> DomainError:
    reasons = "; ".join(f"{one.name}: {Unfit(one.unfit).label}" for one in candidates if one.unfit)
    text = _("No location of this group can take a new customer now (%(reasons)s).")
    return DomainError("balancing.none", text % {"reasons": reasons or _("it has no locations")}, status=409)


def _candidates(group: LocationGroup, allowed: Collection[int] | None, point: Point | None) -> list[Candidate]:
    places = list(group.places.select_related("location__state").order_by("location_id"))
    ids = [place.location_id for place in places]
    sessions: dict[int, dict[str, int]] = {pk: {} for pk in ids}
    rows = RouterSession.objects.filter(location__in=ids).values_list("location_id", "kind")
    for pk, kind, count in rows.annotate(n=Count("pk")).order_by():
        sessions[pk][kind] = count
    accounts = _account_counts(ids)
    return [
        _candidate(group, place, sessions[pk], accounts.get(pk, 0), allowed, point)
        for pk, place in zip(ids, places, strict=True)
    ]


_COUNTS = "SELECT location_id, count(*) FROM locations_accessaccount WHERE location_id = ANY(%s) GROUP BY location_id"


def _account_counts(ids: Sequence[int]) -> dict[int, int]:
    """Rows of each location, those on their way out too: answered from the index of identities alone."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(ids)])
        return dict(cursor.fetchall())


def _candidate(
    group: LocationGroup,
    place: GroupPlace,
    sessions: Mapping[str, int],
    accounts: int,
    allowed: Collection[int] | None,
    point: Point | None,
) -> Candidate:
    location = place.location
    state = getattr(location, "state", None)
    limit = state.licence_limit if state else None
    facts = Candidate(
        location.pk, location.name, sum(sessions.values()), accounts, location.capacity,
        state.cpu_load if state else None, limit, place.last_turn, distance_km(point, location),
        licence_full=next((most for kind, most in licence_limits(limit).items() if sessions.get(kind, 0) >= most), None),
    )  # fmt: skip
    return Candidate(**{**asdict(facts), "unfit": _unfit(group, place, facts, allowed)})


def _unfit(group: LocationGroup, place: GroupPlace, facts: Candidate, allowed: Collection[int] | None) -> str:
    state = getattr(place.location, "state", None)
    checks = (
        (Unfit.PAUSED, place.is_paused),
        (Unfit.INACTIVE, not place.location.is_active),
        (Unfit.NOT_ALLOWED, allowed is not None and place.location_id not in allowed),
        (Unfit.FULL, facts.capacity is not None and facts.users >= facts.capacity),
        (Unfit.LICENCE, facts.licence_full is not None),
        (Unfit.UNREACHABLE, state is None or state.reach != Reach.ONLINE),
        (Unfit.CPU, facts.cpu_load is not None and facts.cpu_load >= group.max_cpu_load),
    )
    return next((code.value for code, is_so in checks if is_so), "")


def distance_km(point: Point | None, location: Location) -> float | None:
    """Over the earth's surface; None when one of the two is not known."""
    if point is None or location.latitude is None or location.longitude is None:
        return None
    lat, lon = math.radians(point[0]), math.radians(point[1])
    to_lat, to_lon = math.radians(float(location.latitude)), math.radians(float(location.longitude))
    h = math.sin((to_lat - lat) / 2) ** 2 + math.cos(lat) * math.cos(to_lat) * math.sin((to_lon - lon) / 2) ** 2
    return round(2 * EARTH_KM * math.asin(min(1.0, math.sqrt(h))), 2)

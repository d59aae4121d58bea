"""Reads of live and past sessions and of use: for one person, a fixed number of queries, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from accounts.models import User
from core import clock
from locations.choices import UsagePeriod
from locations.models import (
    AccountUsage,
    InterfaceDay,
    InterfaceTraffic,
    Location,
    RouterSession,
    SessionKick,
    SessionRecord,
)
from locations.selectors import locations_visible_to

Login = tuple[int, str, str]  # location id, kind, name
NOBODY = Q(pk__in=())
TALKERS = 20
KICKS_SHOWN = timedelta(minutes=10)


def sessions_visible_to(user: User) -> QuerySet[RouterSession]:
    """Live sessions at the locations this person may see."""
    return RouterSession.objects.filter(location__in=locations_visible_to(user).values("pk"))


def records_visible_to(user: User) -> QuerySet[SessionRecord]:
    """Past sessions at the locations this person may see."""
    return SessionRecord.objects.filter(location__in=locations_visible_to(user).values("pk"))


def usage_visible_to(user: User) -> QuerySet[AccountUsage]:
    """Use per day and month at the locations this person may see."""
    return AccountUsage.objects.filter(location__in=locations_visible_to(user).values("pk"))


def kicks_visible_to(user: User) -> QuerySet[SessionKick]:
    """Ends of sessions people asked for, at the locations this person may see."""
    return SessionKick.objects.filter(location__in=locations_visible_to(user).values("pk"))


def sessions_found(rows: QuerySet[RouterSession], text: str, accounts: Iterable[int] = ()) -> QuerySet[RouterSession]:
    """Those whose name, device or address begins with `text`, or whose account is one of `accounts`."""
    if not text:
        return rows
    mac = text.upper().replace("-", ":")
    here = Q(name__startswith=text) | Q(mac_address__startswith=mac) | Q(address__startswith=text)
    return rows.filter(here | Q(account_id__in=list(accounts)))


def kicks_recent(rows: QuerySet[SessionKick], now: datetime) -> QuerySet[SessionKick]:
    """Open ones, and those the router confirmed in the last ten minutes; newest first."""
    return rows.filter(Q(ended_at=None) | Q(ended_at__gte=now - KICKS_SHOWN)).order_by("-pk")


def _of(logins: Sequence[Login]) -> Q:
    return reduce(or_, (Q(location_id=place, kind=kind, name=name) for place, kind, name in logins), NOBODY)


def records_of(logins: Sequence[Login], limit: int) -> list[SessionRecord]:
    """The last past sessions of these logins, newest first."""
    rows = SessionRecord.objects.filter(_of(logins)).select_related("location")
    return list(rows.order_by("-ended_at", "-pk")[:limit]) if logins else []


@dataclass(frozen=True)
class DayUse:
    """One day's use, summed over the logins that were asked for."""

    day: date
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: int = 0

    @property
    def bytes(self) -> int:
        return self.bytes_in + self.bytes_out


def days_of(logins: Sequence[Login], last: date, count: int = 30) -> list[DayUse]:
    """`count` days up to `last`, oldest first, with those without use."""
    if not logins:
        return []
    first = last - timedelta(days=count - 1)
    rows = AccountUsage.objects.filter(_of(logins), period=UsagePeriod.DAY, starts_on__range=(first, last))
    sums = rows.values_list("starts_on").annotate(Sum("bytes_in"), Sum("bytes_out"), Sum("seconds")).order_by()
    used = {day: DayUse(day, int(sent), int(got), int(seconds)) for day, sent, got, seconds in sums}
    days = [first + timedelta(days=number) for number in range(count)]
    return [used.get(day, DayUse(day)) for day in days]


@dataclass(frozen=True)
class Talker:
    """Who used most. `amount` is bits per second now, else bytes of the period."""

    location_id: int
    place: str
    kind: str
    name: str
    sent: int
    received: int

    @property
    def amount(self) -> int:
        return self.sent + self.received


PERIODS = ("now", "today", "week", "month")


def top_talkers(locations: Sequence[Location], period: str, now: datetime, limit: int = TALKERS) -> list[Talker]:
    """The `limit` logins that use or used most; days and months are those of each location's calendar."""
    names = {place.pk: place.name for place in locations}
    keys: QuerySet[Any, Any]
    if period == "now":
        live = RouterSession.objects.filter(location__in=list(names), rate_out__isnull=False)
        keys = live.values_list("location_id", "kind", "name").annotate(sent=Sum("rate_in"), received=Sum("rate_out"))
    else:
        used = AccountUsage.objects.filter(_period(locations, period, now))
        keys = used.values_list("location_id", "kind", "name").annotate(sent=Sum("bytes_in"), received=Sum("bytes_out"))
    rows = keys.annotate(amount=F("sent") + F("received")).filter(amount__gt=0).order_by("-amount", "name")[:limit]
    return [Talker(place, names[place], kind, name, int(up), int(down)) for place, kind, name, up, down, _sum in rows]


def _period(locations: Sequence[Location], period: str, now: datetime) -> Q:
    by_day: dict[date, list[int]] = {}
    for place in locations:
        by_day.setdefault(clock.local_date(place.timezone, now), []).append(place.pk)
    found = NOBODY
    for day, ids in by_day.items():
        here = Q(location__in=ids)
        if period == "month":
            found |= here & Q(period=UsagePeriod.MONTH, starts_on=day.replace(day=1))
        else:
            first = day if period == "today" else day - timedelta(days=6)
            found |= here & Q(period=UsagePeriod.DAY, starts_on__range=(first, day))
    return found


def interfaces_visible_to(user: User) -> QuerySet[InterfaceTraffic]:
    """Interfaces of the routers this person may see."""
    return InterfaceTraffic.objects.filter(location__in=locations_visible_to(user).values("pk"))


def interfaces_of(location: Location) -> list[InterfaceTraffic]:
    """A router's own interfaces as last polled, those that run and carry most first."""
    rows = InterfaceTraffic.objects.filter(location=location)
    return sorted(rows, key=lambda row: (not row.is_running, -(row.rx_bytes + row.tx_bytes), row.name))


@dataclass(frozen=True)
class Quarter:
    """Average bits per second over a quarter of an hour that begins at `at`."""

    at: datetime
    received: int
    sent: int


def interface_history(location: Location, name: str, now: datetime, count: int = 96) -> list[Quarter]:
    """The last `count` whole and begun quarters of an hour, oldest first; nothing was seen where it says 0."""
    last = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    first = last - timedelta(minutes=15) * (count - 1)
    rows = InterfaceDay.objects.filter(location=location, name=name, day__range=(first.date(), last.date()))
    days = {row.day: row for row in rows}
    found = []
    for number in range(count):
        at = first + timedelta(minutes=15) * number
        row, slot = days.get(at.date()), at.hour * 4 + at.minute // 15
        seconds = max(60, int(min(timedelta(minutes=15), now - at).total_seconds()))
        received, sent = (row.rx[slot], row.tx[slot]) if row is not None else (0, 0)
        found.append(Quarter(at, received * 8 // seconds, sent * 8 // seconds))
    return found

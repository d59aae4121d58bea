"""What accounts used between two observations, added to the day and the month of their location's calendar.

The amounts are growth of the accounts' own counters (`past_*` + `epoch_*`), which only grow: an observation that is taken
in again finds no growth, and a reset of the router none either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from core import clock
from locations.choices import Kind, UsagePeriod
from locations.models import AccessAccount, Location, RouterSession

INHERITED_SLACK_SECONDS = 60
FASTEST_BYTES = 125_000_000  # a second, at 1 Gbit/s

_ADD = """
INSERT INTO locations_accountusage AS u (location_id, kind, name, period, starts_on, bytes_in, bytes_out, seconds)
SELECT %s, v.kind, v.name, p.period, p.starts_on, v.bytes_in, v.bytes_out, v.seconds
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS v(kind, name, bytes_in, bytes_out, seconds),
  unnest(%s::text[], %s::date[]) AS p(period, starts_on)
ORDER BY v.kind, v.name, p.period
ON CONFLICT (location_id, kind, name, period, starts_on) DO UPDATE SET bytes_in = u.bytes_in + excluded.bytes_in,
  bytes_out = u.bytes_out + excluded.bytes_out, seconds = u.seconds + excluded.seconds
"""


@dataclass(frozen=True)
class Growth:
    """What one account used since the observation before."""

    kind: str
    name: str
    bytes_in: int
    bytes_out: int
    seconds: int


@dataclass(frozen=True)
class Mark:
    """An account's counters before an observation was taken in."""

    seconds: int
    bytes: int

    @classmethod
    def of(cls, account: AccessAccount) -> Mark:
        return cls(account.used_uptime_seconds, account.used_bytes)


def growth(account: AccessAccount, before: Mark, bytes_in: int, at: datetime) -> Growth | None:
    """What came since `before`; of its bytes at most `bytes_in` were sent. None: nothing, or not used under our eyes."""
    seconds = account.used_uptime_seconds - before.seconds
    size = account.used_bytes - before.bytes
    if seconds <= 0 and size <= 0:
        return None
    if before == Mark(0, 0) and _is_inherited(account, seconds, size, at):
        return None
    sent = min(max(0, bytes_in), size)
    return Growth(account.kind, account.name, sent, size - sent, max(0, seconds))


def _is_inherited(account: AccessAccount, seconds: int, size: int, at: datetime) -> bool:
    """The first reading shows more than was possible since the account is ours: its counters came with the router's entry."""
    age = max(0.0, (at - account.created_at).total_seconds()) + INHERITED_SLACK_SECONDS
    return seconds > age or size > age * FASTEST_BYTES


def ppp_growth(
    sessions: Iterable[Mapping[str, Any]], going_on: Mapping[tuple[str, str], RouterSession]
) -> dict[str, int]:
    """Of one account's PPP sessions: a secret counts nothing itself, so what its sessions grew by is its use."""
    sums = {"uptime": 0, "bytes": 0, "in": 0}
    for seen in sessions:
        before = going_on.get((Kind.PPP, seen["id"]))
        known = {"uptime": before.uptime_seconds, "bytes": before.bytes, "in": before.bytes_in} if before else {}
        is_reset = seen["bytes"] < known.get("bytes", 0)  # somebody set the interface's counters to nought
        for key in sums:
            since = 0 if is_reset and key != "uptime" else known.get(key, 0)
            sums[key] += max(0, seen.get(key, 0) - since)
    return sums


def usage_add(location_id: int, grown: Iterable[Growth], at: datetime) -> None:
    """Add to the day and the month of each account; one statement."""
    rows = list(grown)
    if not rows:
        return
    zone = Location.objects.values_list("timezone", flat=True).get(pk=location_id)
    day = clock.local_date(zone, at)
    columns: list[list[Any]] = [
        [getattr(row, name) for row in rows] for name in ("kind", "name", "bytes_in", "bytes_out", "seconds")
    ]
    periods: list[list[Any]] = [[str(UsagePeriod.DAY), str(UsagePeriod.MONTH)], [day, day.replace(day=1)]]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [location_id, *columns, *periods])

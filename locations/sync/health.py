"""How a router fares: read with every poll, kept as samples of five minutes, told when something stays wrong.

A warning begins at one value and ends at another, and is told after a minute: who swings around a limit is told once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F

from core import events
from locations.choices import AlertKind
from locations.events import RouterAlerted, RouterAlertEnded, RouterRestarted
from locations.models import RouterAlert, RouterSample, RouterState
from locations.routeros.client import RouterClient
from locations.routeros.errors import RouterTrap
from locations.sync.identity import Identity, licence_limit, licence_limits
from locations.sync.reboots import reboot_seen

SAMPLE_SECONDS = 300
KEEP_SAMPLES = timedelta(days=8)
KEEP_ALERTS = timedelta(days=90)
TOLD_AFTER = timedelta(seconds=60)
LICENCE_PERCENT, LICENCE_PERCENT_AGAIN = 80, 70
CLOCK_SECONDS, CLOCK_SECONDS_AGAIN = 120, 60
MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
LARGEST = 2**62  # a router's nonsense must not be larger than a column
STATE_FIELDS = (
    "clock_skew_seconds", "total_memory", "latency_ms", "write_sectors", "write_sectors_total", "bad_blocks",
    "restarted_at",
)  # fmt: skip


# --- reading -----------------------------------------------------------------------------------------------------------


def health_read(client: RouterClient, seen: Identity, zone: str, now: datetime) -> dict[str, Any]:
    """What a poll adds to its observation. The round trip is that of reading the clock: one short sentence, one row."""
    started = time.monotonic()
    skew = clock_skew(client, zone, now)
    latency = round((time.monotonic() - started) * 1000)
    return {
        "latency": latency, "skew": skew, "total_memory": _bounded(seen.total_memory),
        "write_sectors": _bounded(seen.write_sectors), "write_sectors_total": _bounded(seen.write_sectors_total),
        "bad_blocks": seen.bad_blocks,
    }  # fmt: skip


def clock_skew(client: RouterClient, zone: str, now: datetime) -> int | None:
    """Router clock minus ours, in seconds; None when it cannot be told."""
    try:
        rows = client.print("/system/clock")
    except RouterTrap:
        return None
    if not rows:
        return None
    try:
        local = clock_reading(rows[0].get("date", ""), rows[0].get("time", ""))
        zone_name = rows[0].get("time-zone-name", "") or zone
        offset_zone = ZoneInfo(zone_name if "/" in zone_name or zone_name == "UTC" else zone)
        skew = round((local.replace(tzinfo=offset_zone).astimezone(UTC) - now).total_seconds())
    except (ValueError, KeyError, OverflowError):
        return None
    return max(-2_000_000_000, min(2_000_000_000, skew))


def clock_reading(day: str, time: str) -> datetime:
    """RouterOS date and time of either style, without zone: before 7.10 dates read `jan/02/2026`. Raises ValueError."""
    parts = day.replace("/", "-").split("-")
    if len(parts) == 3 and parts[0].lower() in MONTHS:
        parts = [parts[2], str(MONTHS[parts[0].lower()]), parts[1]]
    if len(parts) != 3:
        raise ValueError("not a date of a router")
    return datetime.fromisoformat(f"{int(parts[0]):04d}-{int(parts[1]):02d}-{int(parts[2]):02d}T{time}")


def _bounded(value: int | None) -> int | None:
    return None if value is None else min(value, LARGEST)


# --- taking in, inside the observation's transaction -------------------------------------------------------------------


def health_take(state: RouterState, payload: dict[str, Any], at: datetime) -> None:
    """Into the state (saved by the caller with `STATE_FIELDS`), the samples, the warnings and a restart under way."""
    health = payload.get("health") or {}
    state.clock_skew_seconds = health.get("skew", state.clock_skew_seconds)
    state.latency_ms, state.total_memory = health.get("latency"), health.get("total_memory")
    state.write_sectors, state.bad_blocks = health.get("write_sectors"), health.get("bad_blocks")
    state.write_sectors_total = health.get("write_sectors_total")
    sessions = len(payload["sessions"])
    identity = payload["identity"]
    sample_add(
        state.location_id, at, answered=1, latency_ms=state.latency_ms, cpu_load=identity["cpu"],
        free_memory=min(identity["memory"], LARGEST), sessions=sessions,
    )  # fmt: skip
    limits = licence_limits(licence_limit(identity["licence"]))
    online = Counter(session["kind"] for session in payload["sessions"])
    fullest = max((online[kind] * 100 // limit for kind, limit in limits.items()), default=0)
    alerts_take(state.location_id, _readings(health, fullest), at)
    is_asked = reboot_seen(state.location_id, identity["uptime"], at)
    if payload["restarted"] or is_asked:
        state.restarted_at = at - timedelta(seconds=identity["uptime"])
        events.emit(RouterRestarted(state.location_id, is_asked=is_asked))


_SAMPLE = """
INSERT INTO locations_routersample AS s
  (location_id, at, answered, failed, latency_ms, cpu_load, free_memory, sessions, error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (location_id, at) DO UPDATE SET
  answered = LEAST(s.answered + EXCLUDED.answered, 9999), failed = LEAST(s.failed + EXCLUDED.failed, 9999),
  latency_ms = GREATEST(s.latency_ms, EXCLUDED.latency_ms), cpu_load = GREATEST(s.cpu_load, EXCLUDED.cpu_load),
  free_memory = LEAST(s.free_memory, EXCLUDED.free_memory), sessions = GREATEST(s.sessions, EXCLUDED.sessions),
  error = COALESCE(NULLIF(EXCLUDED.error, ''), s.error)
"""


def sample_add(
    location_id: int, at: datetime, *, answered: int = 0, failed: int = 0, latency_ms: int | None = None,
    cpu_load: int | None = None, free_memory: int | None = None, sessions: int | None = None, error: str = "",
) -> None:  # fmt: skip
    """Add one poll, answered or failed, to its five minutes."""
    begin = datetime.fromtimestamp(at.timestamp() // SAMPLE_SECONDS * SAMPLE_SECONDS, UTC)
    with connection.cursor() as cursor:
        values: list[Any] = [
            location_id,
            begin,
            answered,
            failed,
            latency_ms,
            cpu_load,
            free_memory,
            sessions,
            error[:200],
        ]
        cursor.execute(_SAMPLE, values)


@dataclass(frozen=True)
class Reading:
    """One thing that may be wrong: `is_right` is not the opposite of `is_wrong`, between them nothing changes."""

    kind: AlertKind
    value: int
    is_wrong: bool
    is_right: bool


def _readings(health: dict[str, Any], percent: int) -> list[Reading]:
    """Only what this poll told: a menu that was not read neither begins nor ends a warning."""
    found = [
        Reading(AlertKind.LICENCE, percent, percent >= LICENCE_PERCENT, percent < LICENCE_PERCENT_AGAIN),
    ]  # fmt: skip
    if health.get("skew") is not None:
        off = abs(health["skew"])
        found.append(Reading(AlertKind.CLOCK, health["skew"], off > CLOCK_SECONDS, off < CLOCK_SECONDS_AGAIN))
    if health.get("bad_blocks") is not None:
        bad = health["bad_blocks"]
        found.append(Reading(AlertKind.FLASH, -int(-bad // 1), bad > 0, bad == 0))
    return found


def alerts_take(location_id: int, readings: Iterable[Reading], at: datetime) -> None:
    """Begin, tell and end warnings. Inside the transaction that holds the location's state, so nobody else does."""
    known = {row.kind: row for row in RouterAlert.objects.filter(location_id=location_id, ended_at=None)}
    told: list[tuple[int, str]] = []
    ended: list[tuple[int, str]] = []
    for reading in readings:
        row = known.get(reading.kind)
        if row is None:
            if reading.is_wrong:
                RouterAlert.objects.create(location_id=location_id, kind=reading.kind, value=reading.value, since=at)
        elif reading.is_right and row.told_at is None:
            row.delete()
        elif reading.is_right:
            RouterAlert.objects.filter(pk=row.pk).update(ended_at=at, value=reading.value)
            ended.append((location_id, row.kind))
        else:
            is_news = row.told_at is None and at - row.since >= TOLD_AFTER
            if is_news:
                told.append((location_id, row.kind))
            if is_news or row.value != reading.value:
                RouterAlert.objects.filter(pk=row.pk).update(
                    value=reading.value, told_at=at if is_news else F("told_at")
                )
    if told:
        events.emit(RouterAlerted(told))
    if ended:
        events.emit(RouterAlertEnded(ended))


def health_prune(now: datetime) -> int:
    """Drop samples and ended warnings that no page shows any more; returns how many samples."""
    RouterAlert.objects.filter(ended_at__lt=now - KEEP_ALERTS).delete()
    return RouterSample.objects.filter(at__lt=now - KEEP_SAMPLES).delete()[0]

"""Traffic of a router's own interfaces: the last poll as it is, and sums per quarter of an hour for the graph."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django.db import connection

from locations.models import InterfaceTraffic, Observation, RouterState
from locations.sync.sessions import LONGEST_RATE_SECONDS

_ADD = """
INSERT INTO locations_interfaceday AS d (location_id, name, day, rx, tx)
SELECT %s, v.name, %s, array_fill(0::bigint, ARRAY[96]), array_fill(0::bigint, ARRAY[96])
FROM unnest(%s::text[]) AS v(name) ORDER BY v.name
ON CONFLICT (location_id, name, day) DO NOTHING
"""
_SUM = """
UPDATE locations_interfaceday d SET rx[%s] = d.rx[%s] + v.rx, tx[%s] = d.tx[%s] + v.tx
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS v(name, rx, tx)
WHERE d.location_id = %s AND d.day = %s AND d.name = v.name
"""


def interfaces_take(observation: Observation, state: RouterState) -> None:
    """Replace what is known of the interfaces. `state` is still that of the observation before.

    A counter that fell began anew: what it shows was received since. After a gap (router or server off) the bytes count
    in the quarter in which they were seen, and no rate is said.
    """
    seen = {row["name"]: row for row in observation.payload.get("interfaces", ())}
    if not seen:
        return
    before = {row.name: row for row in InterfaceTraffic.objects.filter(location_id=observation.location_id)}
    seconds = 0
    if state.uptime_seconds is not None and not observation.payload["restarted"]:
        seconds = observation.payload["identity"]["uptime"] - state.uptime_seconds
    rows, grown = [], []
    for name, row in seen.items():
        old = before.get(name)
        rx, tx = (0, 0) if old is None else (_since(row["in"], old.rx_bytes), _since(row["out"], old.tx_bytes))
        fresh = InterfaceTraffic(
            location_id=observation.location_id, name=name, is_running=row["running"], rx_bytes=row["in"],
            tx_bytes=row["out"], seen_at=observation.observed_at,
        )  # fmt: skip
        if old is not None and 0 < seconds <= LONGEST_RATE_SECONDS:
            fresh.rx_rate, fresh.tx_rate = rx * 8 // seconds, tx * 8 // seconds
        elif old is not None and seconds == 0 and rx == tx == 0:
            fresh.rx_rate, fresh.tx_rate = old.rx_rate, old.tx_rate
        rows.append(fresh)
        if rx or tx:
            grown.append((name, rx, tx))
    InterfaceTraffic.objects.filter(location_id=observation.location_id).exclude(name__in=seen).delete()
    InterfaceTraffic.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["location", "name"],
        update_fields=["is_running", "rx_bytes", "tx_bytes", "rx_rate", "tx_rate", "seen_at"],
    )  # fmt: skip
    moment = observation.observed_at.astimezone(UTC)
    _sum(observation.location_id, moment.date(), moment.hour * 4 + moment.minute // 15 + 1, grown)


def _since(now: int, before: int) -> int:
    return now - before if now >= before else now


def _sum(location_id: int, day: date, quarter: int, grown: list[tuple[str, int, int]]) -> None:
    """`quarter` counts from 1, as PostgreSQL's arrays do."""
    if not grown:
        return
    names, received, sent = (list(column) for column in zip(*grown, strict=True))
    values: list[Any] = [quarter, quarter, quarter, quarter, names, received, sent, location_id, day]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [location_id, day, names])
        cursor.execute(_SUM, values)

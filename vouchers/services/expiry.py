"""Ending paid time. Only time and used limits end a voucher; one that a router lost is put back, never ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from core import clock
from core.db.transition import transition_set
from locations.choices import Presence
from locations.services import accounts_remove
from vouchers.choices import VOUCHER_MOVES, VoucherStatus
from vouchers.models import Voucher
from vouchers.selectors import entries_named
from vouchers.services.retry import deadlock_retried

CHUNK = 5_000

TIME_OVER = """
SELECT v.id, v.code, v.batch_id, 'time' FROM vouchers_voucher v
WHERE v.status IN ('sold', 'active') AND v.valid_until <= %(now)s
ORDER BY v.valid_until LIMIT %(chunk)s
FOR NO KEY UPDATE OF v SKIP LOCKED
"""
# `tag || ''` keeps the planner off the index of tags: one tag has 100,000 rows, a name has one per router. Right after
# a COPY it has no statistics and cannot know.
# The limits stand on the entries (extending raises them there); what was used is summed over all routers.
USED_UP = """
SELECT v.id, v.code, v.batch_id, CASE WHEN u.uptime >= u.limit_uptime THEN 'uptime' ELSE 'data' END
FROM vouchers_voucherbatch b
JOIN vouchers_voucher v ON v.batch_id = b.id AND v.status = 'active'
CROSS JOIN LATERAL (
    SELECT sum(a.past_uptime_seconds + a.epoch_uptime_seconds) AS uptime, max(a.limit_uptime_seconds) AS limit_uptime,
           sum(a.past_bytes + a.epoch_bytes) AS bytes, max(a.limit_bytes) AS limit_bytes
    FROM locations_accessaccount a
    WHERE a.kind = 'hotspot' AND a.name = v.code AND a.tag || '' = 'b' || b.id
) u
WHERE (b.uptime_limit_seconds IS NOT NULL OR b.data_limit_bytes IS NOT NULL)
  AND (u.uptime >= u.limit_uptime OR u.bytes >= u.limit_bytes)
LIMIT %(chunk)s
FOR NO KEY UPDATE OF v SKIP LOCKED
"""

# The entries go with their counters when the routers confirm; extending must still know what was used.
WRITE_DOWN = """
INSERT INTO vouchers_voucherevent (voucher_id, kind, at, details)
SELECT v.id, 'expired', %(now)s, jsonb_build_object(
    'reason', d.reason, 'used_seconds', coalesce(u.uptime, 0), 'used_bytes', coalesce(u.bytes, 0))
FROM unnest(%(ids)s::bigint[], %(reasons)s::text[]) AS d(id, reason)
JOIN vouchers_voucher v ON v.id = d.id
LEFT JOIN LATERAL (
    SELECT sum(a.past_uptime_seconds + a.epoch_uptime_seconds) AS uptime, sum(a.past_bytes + a.epoch_bytes) AS bytes
    FROM locations_accessaccount a
    WHERE a.kind = 'hotspot' AND a.name = v.code AND a.tag || '' = 'b' || v.batch_id
) u ON true
"""


class Due(NamedTuple):
    voucher_id: int
    code: str
    batch_id: int
    reason: str


def vouchers_expire(*, now: datetime | None = None) -> int:
    """End every voucher whose paid time is over; returns how many. An index finds them, so it may run every few seconds.

    Chunks of 5,000 in transactions of their own: it can be killed and run again at any moment, and several can run
    at once (each skips what another one holds).
    """
    return _expire_all(TIME_OVER, now or clock.now())


def vouchers_use_up(*, now: datetime | None = None) -> int:
    """End every voucher whose online time or data is used up over all its routers; returns how many.

    Each router enforces its own share at once; this looks at every running voucher with such a limit, so it runs
    once a minute.
    """
    return _expire_all(USED_UP, now or clock.now())


def _expire_all(query: str, now: datetime) -> int:
    total = 0
    while count := _expire_chunk(query, now):
        total += count
    return total


@deadlock_retried
@transaction.atomic
def _expire_chunk(query: str, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, {"now": now, "chunk": CHUNK})
        due = [Due(*row) for row in cursor.fetchall()]
    if due:
        _expire(due, now)
    return len(due)


def _expire(due: Sequence[Due], now: datetime) -> None:
    rows = Voucher.objects.filter(pk__in=[row.voucher_id for row in due])
    transition_set(rows, to=VoucherStatus.EXPIRED, allowed=VOUCHER_MOVES, ended_at=now)
    with connection.cursor() as cursor:
        cursor.execute(WRITE_DOWN, {
            "now": now, "ids": [row.voucher_id for row in due], "reasons": [row.reason for row in due],
        })  # fmt: skip
    accounts_remove(entries_named({row.code: row.batch_id for row in due}).filter(presence=Presence.PRESENT))

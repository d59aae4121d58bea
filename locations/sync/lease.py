"""One writer per location: a lease in the database, measured in the holder on its monotonic clock.

The database's clock decides who holds it; the holder only trusts a shorter time of its own, started before it asked.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from locations.routeros.errors import LeaseLost

LEASE_SECONDS = 60.0
BATCH_SECONDS = LEASE_SECONDS / 3

_TAKE = """
WITH old AS (
  SELECT location_id, lease_token, lease_sent FROM locations_routerstate
  WHERE location_id = %s AND (lease_until IS NULL OR lease_until < clock_timestamp()) FOR UPDATE SKIP LOCKED)
UPDATE locations_routerstate s
SET lease_token = %s, lease_until = clock_timestamp() + make_interval(secs => %s)
FROM old WHERE s.location_id = old.location_id RETURNING old.lease_token, old.lease_sent
"""
_RENEW = """
UPDATE locations_routerstate SET lease_until = clock_timestamp() + make_interval(secs => %s), lease_sent = %s
WHERE location_id = %s AND lease_token = %s AND lease_until > clock_timestamp()
"""
_END = """
UPDATE locations_routerstate SET lease_until = clock_timestamp()
WHERE location_id = %s AND lease_token IS NOT NULL AND lease_until > clock_timestamp()
"""
_RELEASE = """
UPDATE locations_routerstate SET lease_token = NULL, lease_until = NULL, lease_sent = '{}'
WHERE location_id = %s AND lease_token = %s
"""


@dataclass
class Lease:
    """`inherited` are the rows a writer that never released may have sent: {"account": ids, "profile": ids}."""

    location_id: int
    token: uuid.UUID
    ends_at: float
    inherited: dict[str, list[int]] = field(default_factory=dict)
    is_takeover: bool = False

    def check(self) -> None:
        """Raises LeaseLost when our time may be over. Asked before every sentence."""
        if time.monotonic() >= self.ends_at:
            raise LeaseLost("the lease ran out")


def lease_take(location_id: int, seconds: float = LEASE_SECONDS) -> Lease | None:
    """Become the location's writer, or None while another one is."""
    started, token = time.monotonic(), uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [location_id, token, seconds])
        row = cursor.fetchone()
    if row is None:
        return None
    old_token, sent = row
    return Lease(
        location_id, token, started + seconds, inherited=_loaded(sent) if old_token else {}, is_takeover=bool(old_token)
    )


def lease_renew(lease: Lease, sent: dict[str, list[int]], seconds: float = LEASE_SECONDS) -> None:
    """Start a new full lease and note which rows are about to be sent. Raises LeaseLost when it is no longer ours."""
    started = time.monotonic()
    lease.check()
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [seconds, json.dumps(sent), lease.location_id, lease.token])
        if cursor.rowcount != 1:
            lease.ends_at = 0.0
            raise LeaseLost("another writer took over")
    lease.ends_at = started + seconds


def lease_confirm(lease: Lease) -> None:
    """Inside the transaction that records results: they only count while the lease is ours. Raises LeaseLost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM locations_routerstate WHERE location_id = %s AND lease_token = %s FOR UPDATE",
            [lease.location_id, lease.token],
        )
        if cursor.fetchone() is None:
            raise LeaseLost("another writer took over")


def lease_end(location_id: int) -> None:
    """The holder may begin nothing more and store no reading; what it had sent is still recorded.

    Its token stays: what is on its way is unknown, so the next writer reads back like after one that died.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END, [location_id])


def lease_release(lease: Lease) -> None:
    """Give it back cleanly: everything sent has been recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [lease.location_id, lease.token])


def _loaded(value: Any) -> dict[str, list[int]]:
    loaded: dict[str, list[int]] = json.loads(value) if isinstance(value, str) else value
    return loaded

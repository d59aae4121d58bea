"""Progress, lease and cancel of a long transaction, told and heard on a second connection while it runs.

The row of the work has `status`, `done`, `heartbeat_at` and `is_cancel_requested`. `heartbeat_at` is the lease: every tick
renews it by compare-and-set, so a worker that stalled and was replaced finds out before it commits (`confirm`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from django.db import models
from psycopg import sql

from core import clock

TICK_SECONDS = 0.3
TICK_ROWS = 500
Row = TypeVar("Row")


class Cancelled(Exception):
    """A person asked to stop."""


class LeaseLost(Exception):
    """Another worker has this work now."""


class Progress:
    """Costs nothing per row: it ticks when `TICK_SECONDS` have passed."""

    def __init__(self, side: psycopg.Connection[Any], row: models.Model, running: str, lease: datetime) -> None:
        self.side, self.row, self.running, self.lease = side, row, running, lease
        self._next = 0.0
        self._statement = sql.SQL(
            "UPDATE {} SET heartbeat_at = %s, done = %s WHERE id = %s AND status = %s AND heartbeat_at = %s "
            "RETURNING is_cancel_requested"
        ).format(sql.Identifier(row._meta.db_table))

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on, ticking on the way."""
        for count, row in enumerate(rows):
            if count % TICK_ROWS == 0 and time.monotonic() >= self._next:
                self.tick(count)
            yield row

    def tick(self, done: int) -> None:
        """Raises Cancelled or LeaseLost."""
        lease = clock.now()
        cursor = self.side.execute(self._statement, (lease, done, self.row.pk, self.running, self.lease))
        found = cursor.fetchone()
        if found is None:
            raise LeaseLost
        if found[0]:
            raise Cancelled
        self.lease = lease
        self._next = time.monotonic() + TICK_SECONDS

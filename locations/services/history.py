"""What is forgotten of sessions and use, in batches that hold nobody up."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from core.settings_registry import setting
from locations.choices import HISTORY_DAYS, USAGE_DAYS

BATCH_ROWS = 10_000
INTERFACE_DAYS = 60
KICK_DAYS = 30
_DELETE = "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} ORDER BY {order} LIMIT {rows})"


def history_prune(now: datetime) -> int:
    """Delete what is older than its setting, 10,000 rows a statement, each found by its index; returns how many."""
    today = now.date()
    work: list[tuple[str, str, str, date | datetime]] = [
        ("locations_sessionrecord", "ended_at < %s", "ended_at", now - timedelta(days=setting(HISTORY_DAYS))),
        (
            "locations_accountusage", "period = 'day' AND starts_on < %s", "starts_on",
            today - timedelta(days=setting(USAGE_DAYS)),
        ),
        ("locations_interfaceday", "day < %s", "day", today - timedelta(days=INTERFACE_DAYS)),
        ("locations_sessionkick", "asked_at < %s AND ended_at IS NOT NULL", "id", now - timedelta(days=KICK_DAYS)),
    ]  # fmt: skip
    return sum(_prune(*item) for item in work)


def _prune(table: str, condition: str, order: str, limit: date | datetime) -> int:
    statement = _DELETE.format(table=table, condition=condition, order=order, rows=BATCH_ROWS)
    total: int = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [limit])
            gone = int(cursor.rowcount)
        total += gone
        if gone < BATCH_ROWS:
            return total

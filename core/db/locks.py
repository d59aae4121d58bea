"""Named row locks, taken in one order everywhere: Customer, Subscription, Invoice, Payment, Voucher,
NumberSequence, RouterProfile, AccessAccount. Locks by primary key order cannot dead-lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def lock_rows(rows: models.QuerySet[Row]) -> list[Row]:
    """Lock and return the rows in primary key order. Must run inside a transaction."""
    return list(rows.order_by("pk").select_for_update(of=("self",)))


def lock_row(rows: models.QuerySet[Row], pk: int) -> Row:
    """Lock and return one row; raises the model's DoesNotExist."""
    return rows.select_for_update(of=("self",)).get(pk=pk)


def try_advisory_lock(key: int) -> bool:
    """Take a transaction-scoped advisory lock if it is free; False when another transaction has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
        return bool(cursor.fetchone()[0])


def advisory_locks_wait(keys: Iterable[int]) -> None:
    """Take these transaction-scoped advisory locks, waiting for each; in one order, so that two callers cannot dead-lock."""
    with connection.cursor() as cursor:
        for key in sorted(set(keys)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


@contextmanager
def session_lock(keys: Sequence[int]) -> Iterator[bool]:
    """Hold the first free one of these advisory locks without a transaction; yields False when all are taken.

    For work that waits for others (a router). It belongs to the connection: a process that dies gives it back. Nested
    in one thread it is the same lock twice, as PostgreSQL counts them per connection.
    """
    taken = next((key for key in keys if _session_lock_taken(key)), None)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [taken])


def _session_lock_taken(key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        return bool(cursor.fetchone()[0])

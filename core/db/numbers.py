"""Numbers without gaps: invoices, customer numbers, user names by pattern.

Not a PostgreSQL sequence: a rolled-back transaction would leave a hole that a tax office asks about. The row stays
locked until the caller's transaction ends, so take numbers last (lock order: after Voucher), and many at once.
"""

from __future__ import annotations

from django.db import connection, transaction

_TAKE = """
INSERT INTO core_numbersequence (key, value) VALUES (%s, %s)
ON CONFLICT (key) DO UPDATE SET value = core_numbersequence.value + excluded.value RETURNING value
"""


def numbers_take(key: str, count: int = 1) -> range:
    """The next `count` numbers of the sequence, starting at 1. Must run inside a transaction."""
    if count < 1:
        raise ValueError("take at least one number")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a number taken outside a transaction would be lost when its use fails")
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [key, count])
        last = int(cursor.fetchone()[0])
    return range(last - count + 1, last + 1)

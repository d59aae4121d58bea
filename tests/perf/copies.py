"""Copies of our tables with the same columns, indexes, checks and foreign keys: what raw COPY or UPDATE is timed on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql


def make_copy(session: psycopg.Connection[Any], table: str) -> str:
    """An empty copy; returns its name."""
    name = f"bench_{table}"
    session.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    keys = session.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        [table],
    ).fetchall()
    for key, definition in keys:
        session.execute(f'ALTER TABLE {name} ADD CONSTRAINT "b_{key[:60]}" {definition}')
    return name


def rows_as_text(session: psycopg.Connection[Any], query: sql.Composable) -> bytes:
    """The rows in COPY's own text form, read before anything is timed."""
    with session.cursor().copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as stream:
        return b"".join(bytes(piece) for piece in stream)


def raw_copy(session: psycopg.Connection[Any], loads: Sequence[tuple[str, Sequence[str], bytes]]) -> float:
    """COPY each (table, columns, rows as text) in one transaction, commit included; returns seconds."""
    started = time.perf_counter()
    with session.transaction():
        for table, columns, data in loads:
            names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            with session.cursor().copy(statement) as stream:
                for start in range(0, len(data), 1 << 20):
                    stream.write(data[start : start + (1 << 20)])
    return time.perf_counter() - started

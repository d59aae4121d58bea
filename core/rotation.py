"""Key rotation of encrypted columns: every model, in batches, beside running work.

Values never leave the database layer as text: tokens are read and written as they are stored. A row somebody changes
meanwhile is left to him (compare and swap): he wrote with the newest key already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from psycopg import sql

from core.fields import PREFIX, EncryptedTextField, fernet

BATCH = 1000


@dataclass
class ColumnRotated:
    """What was done to one column. `current` were written with the newest key already."""

    name: str
    rotated: int = 0
    current: int = 0
    unreadable: int = 0


def secrets_rotate(*, batch: int = BATCH) -> Iterator[ColumnRotated]:
    """Rotate column by column; yields each when it is done. Running it again goes on where it stopped."""
    for model in apps.get_models():
        if not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield _column_rotate(model, field, batch)


def _column_rotate(model: type[models.Model], field: models.Field[Any, Any], batch: int) -> ColumnRotated:
    done = ColumnRotated(f"{model._meta.label}.{field.name}")
    key = model._meta.pk
    names = {
        "table": sql.Identifier(model._meta.db_table),
        "column": sql.Identifier(str(field.column)),
        "key": sql.Identifier(str(key.column)),
    }
    newest = Fernet(settings.FIELD_ENCRYPTION_KEYS[0])
    last: Any = None
    while rows := _read(names, last, batch):
        changes = []
        for pk, stored in rows:
            token = _rotated(newest, stored)
            if token is None:
                done.unreadable += 1
            elif token == stored:
                done.current += 1
            else:
                changes.append((pk, stored, token))
        done.rotated += _write(names, changes)
        last = rows[-1][0]
    return done


def _rotated(newest: Fernet, stored: str) -> str | None:
    """The token under the newest key; the same one if it is; None if no key opens it."""
    if not stored.startswith(PREFIX):
        return None
    token = stored[len(PREFIX) :].encode()
    try:
        newest.decrypt(token)
    except InvalidToken:
        try:
            return PREFIX + fernet().rotate(token).decode()
        except InvalidToken:
            return None
    return stored


def _read(names: dict[str, sql.Identifier], last: Any, batch: int) -> list[tuple[Any, str]]:
    after = sql.SQL("AND {key} > %(last)s").format(**names) if last is not None else sql.SQL("")
    statement = sql.SQL(
        "SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL {after} ORDER BY {key} LIMIT %(batch)s"
    ).format(after=after, **names)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"last": last, "batch": batch})
        return list(cursor.fetchall())


def _write(names: dict[str, sql.Identifier], changes: list[tuple[Any, str, str]]) -> int:
    statement = sql.SQL("UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s").format(**names)
    written = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for pk, old, new in changes:
            cursor.execute(statement, [new, pk, old])
            written += cursor.rowcount
    return written

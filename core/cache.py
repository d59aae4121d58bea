"""Django's cache on PostgreSQL, for installations without Redis: counters of rate limits, few and short-lived.

Django's own database cache reads, adds and writes back, so two requests at once count as one; django-ratelimit
rightly refuses it. Here every operation is one statement and the row lock makes it atomic. Values are JSON (whole
numbers in their own column): what lies in the table can never run as code. Expiry uses the application's clock.
An operation inside a transaction is undone with it: count outside of transactions.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from core.clock import now
from core.models import CacheEntry

LONGEST_KEY = 250
PRUNE_ONE_IN = 200  # writes; expired rows are invisible anyway, this only keeps the table small
LARGEST = 2**63 - 1
TABLE = CacheEntry._meta.db_table

_SET = f"""
INSERT INTO {TABLE} (key, value, number, expires_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, number = excluded.number, expires_at = excluded.expires_at
"""  # noqa: S608 - the table's name is a constant
_ADD = _SET + f"WHERE {TABLE}.expires_at <= %s RETURNING key"
_INCR = f"""
UPDATE {TABLE} SET number = number + %s
WHERE key = %s AND number IS NOT NULL AND (expires_at IS NULL OR expires_at > %s) RETURNING number
"""  # noqa: S608


class PostgresCache(BaseCache):
    def __init__(self, location: str, params: dict[str, Any]):
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        row = self._live([self._key(key, version)]).values_list("value", "number").first()
        return default if row is None else _load(*row)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        names = {self._key(key, version): key for key in keys}
        rows = self._live(list(names)).values_list("key", "value", "number")
        return {names[key]: _load(value, number) for key, value, number in rows}

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._live([self._key(key, version)]).exists())

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        name, expires = self._key(key, version), self._expires(timeout)
        if expires is not None and expires <= now():
            CacheEntry.objects.filter(pk=name).delete()
            return
        self._execute(_SET, [name, *_dump(value), expires])

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        expires = self._expires(timeout)
        if expires is not None and expires <= now():
            return not self.has_key(key, version)
        return self._execute(_ADD, [self._key(key, version), *_dump(value), expires, now()]) is not None

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a live whole number. Raises ValueError if there is none, as Django's contract says."""
        row = self._execute(_INCR, [delta, self._key(key, version), now()])
        if row is None:
            raise ValueError(f"Key {key!r} not found")
        return int(row[0])

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._live([self._key(key, version)]).update(expires_at=self._expires(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._live([self._key(key, version)]).delete()[0])

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        CacheEntry.objects.filter(pk__in=[self._key(key, version) for key in keys]).delete()

    def clear(self) -> None:
        CacheEntry.objects.all().delete()

    def _key(self, key: str, version: int | None) -> str:
        name = self.make_key(key, version)
        if len(name) > LONGEST_KEY or "\x00" in name:
            return "sha256:" + hashlib.sha256(name.encode()).hexdigest()
        return name

    def _expires(self, timeout: Any) -> datetime | None:
        stamp = self.get_backend_timeout(timeout)
        if stamp is None:
            return None
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        # from our own clock, not from the float that Django made of it: no rounding between set and get
        return now() + timedelta(seconds=seconds) if seconds and seconds > 0 else datetime.fromtimestamp(0, UTC)

    def _live(self, names: list[str]) -> Any:
        rows = CacheEntry.objects.filter(pk__in=names)
        return rows.exclude(expires_at__lte=now())

    def _execute(self, statement: str, parameters: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            row = cursor.fetchone() if cursor.description else None
        if random.randrange(PRUNE_ONE_IN) == 0:  # noqa: S311 - housekeeping, not security
            prune()
        return row


def prune() -> int:
    """Delete expired rows nobody holds; returns how many went."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {TABLE} WHERE key IN (SELECT key FROM {TABLE} WHERE expires_at <= %s "  # noqa: S608
            "LIMIT 1000 FOR UPDATE SKIP LOCKED)",
            [now()],
        )
        return int(cursor.rowcount)


def _dump(value: Any) -> tuple[bytes | None, int | None]:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return None, value
    return json.dumps(value, cls=DjangoJSONEncoder).encode(), None


def _load(value: Any, number: int | None) -> Any:
    return number if value is None else json.loads(bytes(value))

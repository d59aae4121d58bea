"""Which query of which view takes over 100 ms. Statements are kept as shapes: no value ever reaches the table."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction

from core.clock import now
from core.models import SlowQuery

logger = logging.getLogger(__name__)

SLOW_SECONDS = 0.1
MOST_PER_REQUEST = 20  # a view that sends hundreds of slow ones is known after twenty
LONGEST_STATEMENT = 4000

_STRING = re.compile(r"'(?:[^']|'')*'")
_NUMBER = re.compile(r"(?<![\w\"$])\d+(?:\.\d+)?\b")
_LIST = re.compile(r"\((?:\s*(?:%s|\?)\s*,)+\s*(?:%s|\?)\s*\)")
_ROWS = re.compile(r"(\(…\))(?:\s*,\s*\(…\))+")
_SPACE = re.compile(r"\s+")

_FOLD = f"""
INSERT INTO {SlowQuery._meta.db_table} (fingerprint, view, statement, count, worst_ms, last_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (fingerprint) DO UPDATE SET
  count = {SlowQuery._meta.db_table}.count + excluded.count, last_at = excluded.last_at,
  worst_ms = greatest({SlowQuery._meta.db_table}.worst_ms, excluded.worst_ms)
"""  # noqa: S608 - the table's name is a constant


def statement_shape(sql: str) -> str:
    """The statement without its values: literals become `?`, lists of placeholders become `(…)`."""
    shape = _NUMBER.sub("?", _STRING.sub("?", sql))
    shape = _LIST.sub("(…)", _SPACE.sub(" ", shape))
    return _ROWS.sub(r"\1", shape).strip()[:LONGEST_STATEMENT]


@dataclass
class SlowQueryWatch:
    """An execute wrapper that notes slow statements in memory; nothing is written while it listens."""

    seen: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seconds = time.perf_counter() - began
            if seconds > SLOW_SECONDS and len(self.seen) < MOST_PER_REQUEST:
                self.seen.append((str(sql), seconds))


@contextmanager
def slow_queries_watched() -> Iterator[SlowQueryWatch]:
    watch = SlowQueryWatch()
    with connection.execute_wrapper(watch):
        yield watch


def slow_queries_record(view: str, seen: list[tuple[str, float]]) -> None:
    """Fold into SlowQuery by view and shape. Never raises: a note about a slow answer must not spoil the answer."""
    folded: dict[str, tuple[int, float]] = {}
    for sql, seconds in seen:
        shape = statement_shape(sql)
        count, worst = folded.get(shape, (0, 0.0))
        folded[shape] = (count + 1, max(worst, seconds))
    try:
        # one order in every process: two requests that fold the same shapes cannot wait for each other
        with transaction.atomic(), connection.cursor() as cursor:
            for shape, (count, worst) in sorted(folded.items()):
                fingerprint = hashlib.sha256(f"{view}|{shape}".encode()).hexdigest()
                cursor.execute(_FOLD, [fingerprint, view[:200], shape, count, round(worst * 1000), now()])
    except DatabaseError as error:
        logger.warning("slow queries of %s could not be stored: %s", view, type(error).__name__)

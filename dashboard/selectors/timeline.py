"""Everything that happened to a customer, newest first, out of the rooms' own histories: one list, paged by key.

Each source is one query of a page's length; the pages are cut where the merged list is cut, so no row is shown twice or
left out, whatever shares a moment.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from dashboard.happenings import SOURCES, Happening, Source
from dashboard.selectors.scope import Family

PAGE = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KEY = re.compile(r"(\d{1,17})\.(\d{1,2})\.(\d{1,18})", re.ASCII)


@dataclass(frozen=True, order=True)
class Key:
    """Where a line stands: its moment, its source, its row."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.rank}.{self.pk}"


def key_parse(text: str) -> Key | None:
    """A key as it was written into an address; None for anything else."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    moment, rank, pk = (int(part) for part in match.groups())
    return Key(_EPOCH + moment * _MICROSECOND, rank, pk)


@dataclass(frozen=True)
class Page:
    """`older` is the key of the next page, "" at the end."""

    lines: Sequence[Happening]
    older: str


def timeline_page(family: Family, before: Key | None = None) -> Page:
    """At most PAGE lines older than `before`; sources the person may not see are left out."""
    found = [
        _keyed(rank, source, family, before) for rank, source in enumerate(SOURCES) if source.is_open_to(family.user)
    ]
    newest = heapq.nlargest(PAGE + 1, (entry for part in found for entry in part), key=lambda entry: entry[0])
    lines = [source.line(row, family) for _key, source, row in newest[:PAGE]]
    return Page(lines, str(newest[PAGE - 1][0]) if len(newest) > PAGE else "")


def _keyed(rank: int, source: Source, family: Family, before: Key | None) -> list[tuple[Key, Source, Any]]:
    rows = source.rows(family).order_by(f"-{source.at}", "-pk")
    if before is not None:
        rows = rows.filter(_older(source.at, rank, before))
    return [(Key(getattr(row, source.at), rank, row.pk), source, row) for row in rows[: PAGE + 1]]


def _older(field: str, rank: int, before: Key) -> Q:
    """Rows of a source that stand behind the key: a source of a lower rank stands behind one of the same moment."""
    if rank < before.rank:
        return Q(**{f"{field}__lte": before.at})
    earlier = Q(**{f"{field}__lt": before.at})
    if rank > before.rank:
        return earlier
    return earlier | Q(**{field: before.at, "pk__lt": before.pk})

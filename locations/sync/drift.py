"""What a comparison of a router with our wishes found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from locations.choices import DriftCategory, DriftSubject
from locations.models import DriftRow

LISTED_NAMES = 50
LISTED_ROWS = 500  # of each finding; a router that lost everything is not listed line by line
LISTED_FOREIGN = 100
MAX_VALUE = 200
PASSWORD = "password"  # the word, not one  # noqa: S105


@dataclass
class Drift:
    """Counts, and the first findings of each."""

    others: int = 0  # logins and queues that are none of our accounts, extra ones included
    counts: Counter[str] = field(default_factory=Counter)
    found: list[DriftRow] = field(default_factory=list)
    _extra_entries: int = 0  # nameless rows with our tag that nobody knows

    def add(
        self,
        category: DriftCategory,
        subject: DriftSubject,
        kind: str,
        name: str,
        row_id: int | None = None,
        words: Iterable[list[str]] = (),
    ) -> None:
        self.counts[category] += 1
        self._extra_entries += category == DriftCategory.EXTRA and subject == DriftSubject.ENTRY
        limit = LISTED_FOREIGN if category == DriftCategory.FOREIGN else LISTED_ROWS
        if self.counts[category] <= limit:
            row = DriftRow(category=category, subject=subject, kind=kind, name=name[:300], row_id=row_id)
            row.words = list(words)
            self.found.append(row)

    def rows(self, location_id: int, now: datetime) -> list[DriftRow]:
        for row in self.found:
            row.location_id, row.found_at = location_id, now
        return self.found

    def as_json(self) -> dict[str, Any]:
        extra = self.counts[DriftCategory.EXTRA]
        summary: dict[str, Any] = {"others": self.others, "foreign": self.others - (extra - self._extra_entries)}
        for category, key in (
            (DriftCategory.MISSING, "missing"), (DriftCategory.DIFFERENT, "different"),
            (DriftCategory.CONFLICT, "conflicts"), (DriftCategory.EXTRA, "extra"),
        ):  # fmt: skip
            summary[key] = self.counts[category]
            summary[f"{key}_names"] = [row.name for row in self.found if row.category == category][:LISTED_NAMES]
        return summary


def words_of(names: Iterable[str], wanted: Mapping[str, str], found: Mapping[str, str]) -> list[list[str]]:
    """[word, wanted, found] of every word that differs. That a password differs is said; neither is ever kept."""
    return [
        [name, "", ""]
        if name == PASSWORD
        else [name, wanted.get(name, "")[:MAX_VALUE], found.get(name, "")[:MAX_VALUE]]
        for name in dict.fromkeys(names)
    ]

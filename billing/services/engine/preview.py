"""What tonight will do: the night itself, in a transaction that is rolled back. Nothing of it stays, not even a number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing.services.engine.night import NightReport, night_candidates, night_do
from core import clock
from locations.models import Location

LARGEST = 2_000  # services looked at: the preview holds their locks for its second or two


@dataclass(frozen=True)
class Preview:
    """`total` services may need something; `looked_at` of them were tried, the rest is only counted."""

    location: Location
    day: date
    total: int
    looked_at: int
    report: NightReport

    @property
    def is_whole(self) -> bool:
        return self.looked_at == self.total


def engine_preview(location: Location, day: date, *, now: datetime | None = None) -> Preview:
    """The night of `day` as it would be now. Other people's payments wait for it as they wait for the night."""
    at = now or clock.now()
    candidates = night_candidates(location, day)
    report = NightReport()
    with transaction.atomic():
        chosen = candidates[:LARGEST]
        night_do(location, day, now=at, report=report, with_rows=True, judged_on=day, candidates=chosen)
        transaction.set_rollback(True)
    return Preview(location, day, len(candidates), len(chosen), report)

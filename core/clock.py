"""Time: UTC in the database, a location's own zone for days. Services take `now` so that tests own the clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return timezone.now()


def local_date(zone: str, instant: datetime) -> date:
    """The calendar day of `instant` in the IANA zone `zone`; billing days are counted in it."""
    return instant.astimezone(ZoneInfo(zone)).date()

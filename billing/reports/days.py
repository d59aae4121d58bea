"""Days on the wall clock of a zone: half-open spans of moments, so that 23.30 WIB belongs to its own day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import DateField, F, Func, Value
from django.db.models.expressions import Combinable

from locations.models import Location


def zone_of(location: Location | None) -> str:
    """The zone that decides days: the location's own, or the installation's for all of them together."""
    return location.timezone if location else str(settings.TIME_ZONE)


def day_start(day: date, zone: str) -> datetime:
    """The first moment of the day in the zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone))


def day_end(day: date, zone: str) -> datetime:
    """The first moment after the day."""
    return day_start(day + timedelta(days=1), zone)


def today_in(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def month_start(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    """The last day of the month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def days_between(first: date, last: date) -> list[date]:
    """Both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def months_between(first: date, last: date) -> list[date]:
    """First days of the months that the span touches."""
    months, month = [], month_start(first)
    while month <= last:
        months.append(month)
        month = month_end(month) + timedelta(days=1)
    return months


def day_of(column: str, zone: str) -> Combinable:
    """SQL: the day of a moment on the zone's wall clock."""
    local = Func(Value(zone), F(column), function="timezone")
    return Func(local, function="date", output_field=DateField())


def month_of(column: str, zone: str) -> Combinable:
    """SQL: the first day of a moment's month on the zone's wall clock."""
    local = Func(Value(zone), F(column), function="timezone")
    month = Func(Value("month"), local, function="date_trunc")
    return Func(month, function="date", output_field=DateField())

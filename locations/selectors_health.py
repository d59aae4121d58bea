"""Reads about how routers fared in the last 24 hours, in quarters of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from django.db import connection, models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from accounts.models import User
from accounts.roles import PERMISSIONS
from locations.choices import REBOOT_OPEN, RebootStatus
from locations.models import Location, RouterAlert, RouterReboot
from locations.selectors import locations_visible_to

CELL_SECONDS = 900
CELLS = 96
CONFIRM_REBOOT = "locations.confirm_reboot"
REBOOT_SHOWN = timedelta(days=1)


class Cell(models.TextChoices):
    """A quarter of an hour: all polls were answered, none, some, or nobody asked."""

    UP = "up", _("answered")
    DOWN = "down", _("did not answer")
    PARTLY = "partly", _("answered at times")
    UNKNOWN = "unknown", _("not asked")


@dataclass(frozen=True, slots=True)
class Quarter:
    """Polls of a quarter of an hour from `at` on, and the worst of what they told."""

    at: datetime
    answered: int = 0
    failed: int = 0
    latency_ms: int | None = None
    cpu_load: int | None = None
    free_memory: int | None = None
    sessions: int | None = None
    error: str = ""  # why the last failed poll failed

    @property
    def cell(self) -> Cell:
        if self.answered:
            return Cell.PARTLY if self.failed else Cell.UP
        return Cell.DOWN if self.failed else Cell.UNKNOWN


@dataclass(frozen=True)
class Run:
    """Equal quarters in a row: `first` is the index of the first of 96."""

    cell: Cell
    first: int
    length: int
    begin: datetime
    end: datetime
    error: str


_POLLS = "sum(answered), sum(failed)"
_ALL = """
sum(answered), sum(failed), max(latency_ms), max(cpu_load), min(free_memory), max(sessions),
coalesce((array_agg(error ORDER BY at DESC) FILTER (WHERE error <> ''))[1], '')
"""
_QUARTERS = """
SELECT location_id, floor(extract(epoch FROM at) / %s)::bigint, {columns}
FROM locations_routersample WHERE location_id = ANY(%s) AND at >= %s GROUP BY 1, 2
"""


def quarters_of(location_ids: Sequence[int], now: datetime, *, is_strip_only: bool = False) -> dict[int, list[Quarter]]:
    """The last 96 quarters of each location, oldest first, in one query; the last is the one that runs.

    `is_strip_only` leaves the figures out: half the time for 200 locations.
    """
    last = int(now.timestamp()) // CELL_SECONDS
    first = last - CELLS + 1
    begins = [datetime.fromtimestamp(number * CELL_SECONDS, UTC) for number in range(first, last + 1)]
    empty = [Quarter(at) for at in begins]
    found = {pk: list(empty) for pk in location_ids}
    with connection.cursor() as cursor:
        columns = _POLLS if is_strip_only else _ALL
        cursor.execute(_QUARTERS.format(columns=columns), [CELL_SECONDS, list(location_ids), begins[0]])
        for pk, number, *figures in cursor.fetchall():
            if number <= last:  # a clock that was put back
                found[pk][number - first] = Quarter(begins[number - first], *figures)
    return found


def runs_of(quarters: Sequence[Quarter]) -> list[Run]:
    """Neighbours of the same state as one."""
    runs, first = [], 0
    for cell, group in groupby(quarters, key=lambda quarter: quarter.cell):
        rows = list(group)
        end = rows[-1].at + timedelta(seconds=CELL_SECONDS)
        error = next((row.error for row in reversed(rows) if row.error), "")
        runs.append(Run(cell, first, len(rows), rows[0].at, end, error))
        first += len(rows)
    return runs


def answered_percent(quarters: Sequence[Quarter]) -> int | None:
    """Answered polls of all, rounded down; None when nobody asked."""
    answered, failed = sum(q.answered for q in quarters), sum(q.failed for q in quarters)
    return answered * 100 // (answered + failed) if answered + failed else None


def alerts_visible_to(user: User) -> QuerySet[RouterAlert]:
    """Told warnings at the locations this person may see."""
    rows = RouterAlert.objects.filter(told_at__isnull=False, location__in=locations_visible_to(user).values("pk"))
    return rows.select_related("location")


def alerts_open(location_ids: Sequence[int]) -> dict[int, list[RouterAlert]]:
    """Warnings that hold now, by location."""
    rows = RouterAlert.objects.filter(location__in=location_ids, told_at__isnull=False, ended_at=None)
    found: dict[int, list[RouterAlert]] = {}
    for row in rows.order_by("since", "pk"):
        found.setdefault(row.location_id, []).append(row)
    return found


def reboot_open(location: Location) -> RouterReboot | None:
    """The restart under way at this location."""
    return RouterReboot.objects.filter(location=location, status__in=REBOOT_OPEN).first()


def reboot_shown(location: Location, now: datetime) -> RouterReboot | None:
    """The one under way, or the last one for a day after."""
    row = (
        RouterReboot.objects.filter(location=location).select_related("asked_by", "confirmed_by").order_by("pk").last()
    )
    is_old = row is not None and row.ended_at is not None and now - row.ended_at > REBOOT_SHOWN
    return None if is_old else row


def reboots_asked(user: User) -> QuerySet[RouterReboot]:
    """Restarts that wait for a second person, of others than this one."""
    rows = RouterReboot.objects.filter(status=RebootStatus.ASKED, location__in=locations_visible_to(user).values("pk"))
    return rows.exclude(asked_by=user).select_related("location", "asked_by")


def has_second_person(user: User) -> bool:
    """Whether somebody else may confirm what this one asks for."""
    roles = [role for role, permissions in PERMISSIONS.items() if CONFIRM_REBOOT in permissions]
    others = User.objects.filter(is_active=True).exclude(pk=user.pk)
    return others.filter(Q(is_superuser=True) | Q(role__in=[Role.SUPER_ADMIN, *roles])).exists()

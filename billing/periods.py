"""Which days a bill covers and what a part of a month costs. Pure date maths: no Django, no clock, no database.

A period is half open: `start` is its first day, `end` the first day after it. A service has monthly boundaries: the
anchor day of each month for rolling periods (31 becomes 28, 29 or 30 where a month is shorter, and 31 again after it),
the fixed day otherwise. A period that starts on a boundary takes whole months; one that does not is a part of a month up
to the next boundary. Nothing else is remembered, so a pause or a prepayment cannot bend later periods.

Money of a part: every day of a month has its price in whole units, the month's price split over its days by largest
remainder. Any set of days costs the sum of their prices, so parts always sum to the whole, up and down.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from core.money import allocate

LAST_DAY = 31  # as an anchor: the last day of every month
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rhythm:
    """When the periods of one service begin: `anchor` 1-31, so many `months` per bill.

    `is_merged`: a part of a month is billed together with the whole months after it.
    """

    anchor: int
    months: int = 1
    is_merged: bool = False


def clamped(year: int, month: int, day: int) -> date:
    """That day of the month, or its last one."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def boundary_after(anchor: int, day: date) -> date:
    """The first boundary later than `day`."""
    here = clamped(day.year, day.month, anchor)
    return here if here > day else _next(anchor, day.year, day.month)


def boundary_until(anchor: int, day: date) -> date:
    """The last boundary that is not later than `day`."""
    here = clamped(day.year, day.month, anchor)
    if here <= day:
        return here
    return clamped(day.year, day.month - 1, anchor) if day.month > 1 else clamped(day.year - 1, 12, anchor)


def _next(anchor: int, year: int, month: int) -> date:
    return clamped(year, month + 1, anchor) if month < 12 else clamped(year + 1, 1, anchor)


def boundaries_later(anchor: int, day: date, count: int) -> date:
    """The `count`-th boundary later than `day`; `day` itself for 0."""
    for _n in range(count):
        day = boundary_after(anchor, day)
    return day


def is_boundary(anchor: int, day: date) -> bool:
    return boundary_until(anchor, day) == day


def period_end(rhythm: Rhythm, start: date) -> date:
    """Where the period that starts on `start` ends: whole months, or the part up to the next boundary."""
    if is_boundary(rhythm.anchor, start):
        return boundaries_later(rhythm.anchor, start, rhythm.months)
    first = boundary_after(rhythm.anchor, start)
    return boundaries_later(rhythm.anchor, first, rhythm.months) if rhythm.is_merged else first


def bill_day(rhythm: Rhythm, start: date, *, is_postpaid: bool, lead_days: int = 0) -> date:
    """The day on which the period is billed.

    Postpaid: the day after its last one. Prepaid: `lead_days` before it starts; a merged part waits for the whole months
    it comes with.
    """
    if is_postpaid:
        return period_end(rhythm, start)
    first = start
    if rhythm.is_merged and not is_boundary(rhythm.anchor, start):
        first = boundary_after(rhythm.anchor, start)
    return first - timedelta(days=lead_days)


@dataclass(frozen=True)
class Part:
    """Days of one month between two boundaries: `days` of its `of` days."""

    start: date
    end: date
    days: int
    of: int

    @property
    def is_whole(self) -> bool:
        return self.days == self.of


def parts(anchor: int, start: date, end: date) -> list[Part]:
    """The span cut at every boundary, in order. Empty when `end` is not later than `start`."""
    found = []
    while start < end:
        begins, stops = boundary_until(anchor, start), boundary_after(anchor, start)
        until = min(stops, end)
        found.append(Part(start, until, (until - start).days, (stops - begins).days))
        start = until
    return found


def whole_months(anchor: int, start: date, end: date) -> int:
    return sum(part.is_whole for part in parts(anchor, start, end))


def price_of(anchor: int, monthly: Decimal, start: date, end: date) -> Decimal:
    """What the days cost at `monthly`: whole months at the price, parts by the day."""
    return sum((part_price(anchor, monthly, part) for part in parts(anchor, start, end)), Decimal(0))


def part_price(anchor: int, monthly: Decimal, part: Part) -> Decimal:
    if part.is_whole:
        return monthly
    sums = _running(monthly, part.of)
    first = (part.start - boundary_until(anchor, part.start)).days
    return sums[first + part.days] - sums[first]


def day_prices(anchor: int, monthly: Decimal, start: date, end: date) -> list[Decimal]:
    """The price of each day of the span; they sum to `price_of`."""
    found: list[Decimal] = []
    for part in parts(anchor, start, end):
        sums = _running(monthly, part.of)
        first = (part.start - boundary_until(anchor, part.start)).days
        found += [sums[n + 1] - sums[n] for n in range(first, first + part.days)]
    return found


@lru_cache(maxsize=4096)
def _running(monthly: Decimal, days: int) -> tuple[Decimal, ...]:
    """Price of the first 0, 1, 2 … days of a month that long."""
    return tuple(accumulate(allocate(monthly, [1] * days), initial=Decimal(0)))


def share(
    anchor: int, monthly: Decimal, amount: Decimal, period: tuple[date, date], days: tuple[date, date]
) -> Decimal:
    """How much of `amount`, paid for `period`, belongs to `days` within it.

    `amount` may differ from the price (a discount was taken off): it is spread over the days as their prices are.
    Shares of neighbouring spans sum exactly to the share of both.
    """
    start, end = max(period[0], days[0]), min(period[1], days[1])
    if start >= end:
        return Decimal(0)
    weights: Sequence[Decimal | int] = day_prices(anchor, monthly, *period)
    if not sum(weights):
        weights = [1] * (period[1] - period[0]).days
    first = (start - period[0]).days
    return sum(allocate(amount, weights)[first : first + (end - start).days], Decimal(0))


def due_day(first: date, due_days: int, *, not_before: date) -> date:
    """`due_days` after the bill's first day; a bill that comes late through our fault is never due before it came."""
    return max(first + timedelta(days=due_days), not_before)


def grace_end(due_on: date, grace_days: int) -> date:
    """The last day on which an unpaid service is still open."""
    return due_on + timedelta(days=grace_days)

"""What a service costs, written down a second time: no periods, no bills, no ledger, only days. It imports nothing of ours."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)


def month_day(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


@dataclass
class Service:
    """Days cost whole rupiah; the days of a month sum to its price. `owed` is every day that was billed, at its price."""

    anchor: int
    price: int
    started_on: date
    owed: dict[date, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.billed_until = self.started_on

    def month_of(self, day: date) -> tuple[date, date]:
        starts = month_day(day.year, day.month, self.anchor)
        if starts > day:
            starts = month_day(day.year, day.month - 1, self.anchor)
        return starts, month_day(starts.year, starts.month + 1, self.anchor)

    def price_of(self, day: date) -> int:
        starts, ends = self.month_of(day)
        each, rest = divmod(self.price, (ends - starts).days)
        return each + (1 if (day - starts).days < rest else 0)

    def bill(self, today: date, lead: int) -> None:
        while self.billed_until - lead * DAY <= today:
            ends = self.month_of(self.billed_until)[1]
            self.set(self.billed_until, ends)
            self.billed_until = ends

    def set(self, start: date, end: date, *, is_free: bool = False) -> None:
        for number in range((end - start).days):
            day = start + number * DAY
            self.owed[day] = 0 if is_free else self.price_of(day)

    def change_price(self, price: int, today: date) -> None:
        self.price = price
        self.set(today, self.billed_until)

    def resume(self, paused_on: date, today: date, lead: int) -> None:
        self.set(paused_on, min(today, self.billed_until), is_free=True)
        self.billed_until = max(self.billed_until, today)
        self.bill(today, lead)

    @property
    def total(self) -> int:
        return sum(self.owed.values())

"""What a service costs, written down a second time: no periods, no bills, no ledger, only days. It imports nothing of ours."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)


def month_day(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def percent_of(amount: int, percent: int) -> int:
    """Half up, as on paper."""
    return (amount * percent + 50) // 100


@dataclass
class Coupon:
    percent: int  # 0: an amount
    amount: int
    bills: int


@dataclass
class Service:
    """Days cost whole rupiah; the days of a month sum to its price. `owed` is every day that was billed, at its price.

    `more` is what a bill adds to its days: exclusive tax (`rate_on` the day of the bill) less coupons. Services with either
    are never paused or changed (`is_steady`), so that no bill of theirs is ever cut: then days alone say everything.
    """

    anchor: int
    price: int
    started_on: date
    months: int = 1
    is_postpaid: bool = False
    is_merged: bool = False
    is_steady: bool = False
    rate_on: Callable[[date], int] = lambda _day: 0
    owed: dict[date, int] = field(default_factory=dict)
    coupons: list[Coupon] = field(default_factory=list)
    addon: int = 0
    addon_from: date = date.max
    more: int = 0

    def __post_init__(self) -> None:
        self.billed_until = self.started_on

    def month_of(self, day: date) -> tuple[date, date]:
        starts = month_day(day.year, day.month, self.anchor)
        if starts > day:
            starts = month_day(day.year, day.month - 1, self.anchor)
        return starts, month_day(starts.year, starts.month + 1, self.anchor)

    def share_of(self, day: date, price: int) -> int:
        starts, ends = self.month_of(day)
        each, rest = divmod(price, (ends - starts).days)
        return each + (1 if (day - starts).days < rest else 0)

    def period(self, lead: int) -> tuple[date, date]:
        """Until when the next bill goes, and the day it is written."""
        start = self.billed_until
        starts, ends = self.month_of(start)
        first = starts if start == starts else ends  # the next boundary, which may be today
        is_part = start != first and not self.is_merged
        until = first if is_part else month_day(first.year, first.month + self.months, self.anchor)
        if self.is_postpaid:
            return until, until
        return until, (first if self.is_merged else start) - lead * DAY

    def bill(self, today: date, lead: int) -> None:
        until, day = self.period(lead)
        while day <= today:
            self.bill_days(until, today)
            until, day = self.period(lead)

    def bill_days(self, until: date, today: date) -> None:
        days = [self.billed_until + n * DAY for n in range((until - self.billed_until).days)]
        for day in days:
            self.owed[day] = self.share_of(day, self.price) + self.addon_of(day)
        off = self.coupons_off(sum(self.share_of(day, self.price) for day in days))
        net = sum(self.owed[day] for day in days) - off
        self.more += percent_of(net, self.rate_on(today)) - off
        self.billed_until = until

    def addon_of(self, day: date) -> int:
        return self.share_of(day, self.addon) if day >= self.addon_from else 0

    def coupons_off(self, left: int) -> int:
        total = left
        for coupon in self.coupons:
            off = percent_of(left, coupon.percent) if coupon.percent else min(coupon.amount, left)
            if coupon.bills and off:
                coupon.bills -= 1
                left -= off
        return total - left

    def bill_used(self, today: date) -> None:
        """Days used and not billed yet, before a pause or another price."""
        if self.billed_until < today:
            self.bill_days(today, today)

    def change_price(self, price: int, today: date) -> None:
        self.bill_used(today)
        self.price = price
        for n in range((self.billed_until - today).days):
            day = today + n * DAY
            self.owed[day] = self.share_of(day, price) + self.addon_of(day)

    def resume(self, paused_on: date, today: date, lead: int) -> None:
        for n in range((min(today, self.billed_until) - paused_on).days):
            self.owed[paused_on + n * DAY] = 0
        self.billed_until = max(self.billed_until, today)
        self.bill(today, lead)

    @property
    def total(self) -> int:
        return sum(self.owed.values()) + self.more

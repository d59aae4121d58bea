"""The date maths against a plain model that was written independently: it walks day by day and counts."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing import periods
from billing.periods import Rhythm
from core.clock import local_date
from core.money import allocate

days = st.dates(date(2023, 1, 1), date(2033, 12, 31))
anchors = st.integers(1, 31)
prices = st.integers(0, 3_000_000).map(Decimal)
ONE = timedelta(days=1)


# --- the reference: no boundary arithmetic, only "does this day begin a month of the service?" -------------------------


def begins_month(anchor: int, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.day == anchor or (anchor > last and day.day == last)


def walk_to_month(anchor: int, day: date) -> date:
    day += ONE
    while not begins_month(anchor, day):
        day += ONE
    return day


def model_end(rhythm: Rhythm, start: date) -> date:
    if begins_month(rhythm.anchor, start):
        left, end = rhythm.months, start
    else:
        left, end = (rhythm.months if rhythm.is_merged else 0), walk_to_month(rhythm.anchor, start)
    for _n in range(left):
        end = walk_to_month(rhythm.anchor, end)
    return end


def model_price_of_day(anchor: int, monthly: Decimal, day: date) -> Decimal:
    """Whole rupiah: the first days of a month carry the remainder, one each."""
    first = day
    while not begins_month(anchor, first):
        first -= ONE
    length = (walk_to_month(anchor, first) - first).days
    base, extra = divmod(int(monthly), length)
    return Decimal(base + ((day - first).days < extra))


def days_between(start: date, end: date) -> list[date]:
    return [start + n * ONE for n in range((end - start).days)]


rhythms = st.builds(Rhythm, anchors, st.integers(1, 12), st.booleans())


@given(rhythms, days)
@example(Rhythm(31), date(2024, 1, 31))
@example(Rhythm(29, 12), date(2024, 2, 29))
def test_a_period_ends_where_the_model_says(rhythm: Rhythm, start: date) -> None:
    assert periods.period_end(rhythm, start) == model_end(rhythm, start)


@given(rhythms, days, st.integers(1, 20))
def test_periods_follow_each_other_and_cover_every_day_exactly_once(rhythm: Rhythm, start: date, count: int) -> None:
    billed: list[date] = []
    at = start
    for _n in range(count):
        end = periods.period_end(rhythm, at)
        assert end > at
        billed += days_between(at, end)
        at = end
    assert billed == days_between(start, at)
    # after the first one, every period begins with a month of the service
    assert begins_month(rhythm.anchor, at)


def test_the_last_of_january_comes_back_after_february() -> None:
    start, found = date(2023, 10, 31), []
    for _n in range(8):
        found.append(start)
        start = periods.period_end(Rhythm(31), start)
    assert [day.isoformat() for day in found] == [
        "2023-10-31", "2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31",
    ]  # fmt: skip


def test_a_year_from_a_leap_day_and_back_to_it() -> None:
    assert periods.period_end(Rhythm(29, 12), date(2024, 2, 29)) == date(2025, 2, 28)
    assert periods.period_end(Rhythm(29, 12), date(2027, 2, 28)) == date(2028, 2, 29)


def test_the_first_part_of_a_month_alone_and_merged() -> None:
    start = date(2026, 11, 22)
    assert periods.period_end(Rhythm(5), start) == date(2026, 12, 5)
    assert periods.period_end(Rhythm(5, 3), start) == date(2026, 12, 5)
    assert periods.period_end(Rhythm(5, 3, is_merged=True), start) == date(2027, 3, 5)
    assert periods.period_end(Rhythm(22, 1, is_merged=True), start) == date(2026, 12, 22)


@pytest.mark.parametrize(
    ("rhythm", "is_postpaid", "lead", "day"),
    [
        (Rhythm(5), False, 0, date(2026, 11, 22)),
        (Rhythm(5), False, 7, date(2026, 11, 15)),
        (Rhythm(5, 1, is_merged=True), False, 0, date(2026, 12, 5)),
        (Rhythm(5, 1, is_merged=True), False, 7, date(2026, 11, 28)),
        (Rhythm(5), True, 7, date(2026, 12, 5)),
        (Rhythm(5, 1, is_merged=True), True, 0, date(2027, 1, 5)),
    ],
)
def test_the_day_of_the_bill(rhythm: Rhythm, is_postpaid: bool, lead: int, day: date) -> None:
    assert periods.bill_day(rhythm, date(2026, 11, 22), is_postpaid=is_postpaid, lead_days=lead) == day


@given(rhythms, days, st.booleans(), st.integers(0, 28))
def test_bills_come_in_the_order_of_their_periods(rhythm: Rhythm, start: date, is_postpaid: bool, lead: int) -> None:
    first = periods.bill_day(rhythm, start, is_postpaid=is_postpaid, lead_days=lead)
    after = periods.period_end(rhythm, start)
    assert periods.bill_day(rhythm, after, is_postpaid=is_postpaid, lead_days=lead) > first


# --- money --------------------------------------------------------------------------------------------------------------


@given(anchors, prices, days, st.integers(0, 400))
def test_a_span_costs_the_sum_of_its_days(anchor: int, monthly: Decimal, start: date, length: int) -> None:
    end = start + length * ONE
    wanted = [model_price_of_day(anchor, monthly, day) for day in days_between(start, end)]
    assert periods.day_prices(anchor, monthly, start, end) == wanted
    assert periods.price_of(anchor, monthly, start, end) == sum(wanted)


@given(anchors, prices, days, st.integers(1, 12))
def test_whole_months_cost_the_price(anchor: int, monthly: Decimal, start: date, months: int) -> None:
    start = walk_to_month(anchor, start)
    end = periods.boundaries_later(anchor, start, months)
    assert periods.whole_months(anchor, start, end) == months
    assert periods.price_of(anchor, monthly, start, end) == months * monthly


@given(anchors, prices, days, st.integers(1, 200), st.data())
def test_parts_sum_to_the_whole_up_and_down(
    anchor: int, monthly: Decimal, start: date, length: int, data: st.DataObject
) -> None:
    end = start + length * ONE
    cut = start + data.draw(st.integers(0, length)) * ONE
    used, unused = (
        periods.price_of(anchor, monthly, start, cut),
        periods.price_of(anchor, monthly, cut, end),
    )
    assert used + unused == periods.price_of(anchor, monthly, start, end)
    assert used >= 0
    assert unused >= 0


@given(anchors, prices, prices, days, st.integers(1, 200), st.data())
def test_shares_of_what_was_paid_sum_to_it(
    anchor: int, monthly: Decimal, amount: Decimal, start: date, length: int, data: st.DataObject
) -> None:
    end = start + length * ONE
    one, two = sorted(start + data.draw(st.integers(0, length)) * ONE for _n in range(2))
    spans = [(start, one), (one, two), (two, end)]
    found = [periods.share(anchor, monthly, amount, (start, end), span) for span in spans]
    assert sum(found) == amount
    if amount == periods.price_of(anchor, monthly, start, end):
        assert found == [periods.price_of(anchor, monthly, *span) for span in spans]


def test_a_share_outside_of_its_period_is_nothing() -> None:
    period = (date(2026, 11, 1), date(2026, 12, 1))
    assert periods.share(1, Decimal(30000), Decimal(30000), period, (date(2026, 12, 1), date(2027, 1, 1))) == 0
    assert periods.share(1, Decimal(0), Decimal(3000), period, (date(2026, 11, 21), date(2027, 1, 1))) == 1000


def test_the_days_of_a_month_are_its_price_by_largest_remainder() -> None:
    prices_of_days = periods.day_prices(1, Decimal(150_000), date(2026, 10, 1), date(2026, 11, 1))
    assert prices_of_days == allocate(Decimal(150_000), [1] * 31)
    assert (prices_of_days[0], prices_of_days[-1]) == (Decimal(4839), Decimal(4838))


@given(anchors, days, st.integers(0, 400))
def test_parts_are_cut_at_every_boundary(anchor: int, start: date, length: int) -> None:
    end = start + length * ONE
    found = periods.parts(anchor, start, end)
    assert [day for part in found for day in days_between(part.start, part.end)] == days_between(start, end)
    assert all(begins_month(anchor, part.start) for part in found[1:])
    assert all(part.days == (part.end - part.start).days and part.days <= part.of for part in found)


# --- due, grace, days of a zone -----------------------------------------------------------------------------------------


def test_due_and_the_end_of_grace() -> None:
    assert periods.due_day(date(2026, 11, 22), 7, not_before=date(2026, 11, 15)) == date(2026, 11, 29)
    assert periods.due_day(date(2026, 11, 22), 0, not_before=date(2026, 11, 25)) == date(2026, 11, 25)
    assert periods.grace_end(date(2026, 12, 31), 3) == date(2027, 1, 3)


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_local_day_comes_once_and_in_order(zone: str) -> None:
    """Through a whole year, hour by hour, with both changes of the clocks: no local day is skipped or comes twice."""
    at, found = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC), []
    for _n in range(366 * 24):
        day = local_date(zone, at)
        if not found or found[-1] != day:
            found.append(day)
        at += timedelta(hours=1)
    assert found[:366] == days_between(date(2026, 1, 1), date(2027, 1, 2))

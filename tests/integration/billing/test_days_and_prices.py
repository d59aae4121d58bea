"""Days that leave their period: what was used is billed, what was paid and not used comes back, at the price of its bill."""

from __future__ import annotations

from datetime import date

import pytest

from billing.choices import FirstBill, PeriodMode
from billing.models import Plan
from billing.services.subscriptions import subscription_end
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import subscription_change_plan
from locations.models import Location
from tests.integration.billing.service_world import (
    at,
    bills,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
)

pytestmark = pytest.mark.django_db
NOV_20, NOV_22, NOV_30 = date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 30)
DEC_2, DEC_7, DEC_12, DEC_18, DEC_22 = (date(2026, 12, day) for day in (2, 7, 12, 18, 22))


def merged(pos: Location) -> Plan:
    """5,000 a day in November; the days before 1 December wait for the bill of December."""
    return plan(pos, period_mode=PeriodMode.FIXED_DAY, fixed_day=1, first_bill=FirstBill.MERGED)


# --- days used before the first full bill --------------------------------------------------------------------------------


def test_the_end_before_the_first_full_bill_bills_the_days_used() -> None:
    pos = place()
    row = service(pos, merged(pos), NOV_20)
    subscription_end(row, reason="pindah", actor=None, now=at(date(2026, 11, 28)))
    assert bills(row) == [("2026-11-28", "2026-11-28", 40_000, "open")]
    assert spans(row) == [("2026-11-20", "2026-11-28", 40_000)]
    sound()


def test_a_pause_before_the_first_full_bill_loses_no_day() -> None:
    pos = place()
    row = service(pos, merged(pos), NOV_20)
    pay(row, 25_000, NOV_20)
    subscription_pause(row, actor=None, now=at(date(2026, 11, 24)))
    assert bills(row) == [("2026-11-24", "2026-11-24", 20_000, "paid")]
    subscription_resume(row, actor=None, now=at(date(2026, 11, 28)))
    night(pos, date(2026, 12, 1))
    # 28 to 30 November come with December
    assert bills(row)[1:] == [("2026-12-01", "2026-12-01", 165_000, "open")]
    assert spans(row) == [("2026-11-20", "2026-11-24", 20_000), ("2026-11-28", "2027-01-01", 165_000)]
    sound()


def test_a_plan_change_before_the_first_full_bill_keeps_the_price_of_the_days_used() -> None:
    pos = place()
    row, big = service(pos, merged(pos), NOV_20), plan(pos, name="Paket 20M", price=300_000)
    pay(row, 50_000, NOV_20)
    subscription_change_plan(row, plan=big, is_at_once=True, actor=None, now=at(date(2026, 11, 25)))
    assert bills(row) == [("2026-11-25", "2026-11-25", 25_000, "paid")]
    night(pos, date(2026, 12, 1))
    assert bills(row)[1:] == [("2026-12-01", "2026-12-01", 360_000, "open")]
    sound()


def test_a_change_with_the_period_waits_until_the_merged_period_is_over() -> None:
    pos = place()
    row, big = service(pos, merged(pos), NOV_20), plan(pos, name="Paket 20M", price=300_000)
    change = subscription_change_plan(row, plan=big, is_at_once=False, actor=None, now=at(date(2026, 11, 25)))
    assert change.effective_on == date(2027, 1, 1)
    night(pos, date(2026, 11, 26))
    night(pos, date(2026, 12, 1))
    night(pos, date(2027, 1, 1))
    assert [bill[2] for bill in bills(row)] == [205_000, 300_000]

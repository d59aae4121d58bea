"""Days that leave their period: what was used is billed, what was paid and not used comes back, at the price of its bill."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.choices import FirstBill, PeriodMode
from billing.models import Coupon, CouponUse, Invoice, Plan
from billing.services.invoices import credit_note_issue, invoice_void
from billing.services.subscriptions import subscription_change, subscription_end
from billing.services.subscriptions_extras import coupon_use, coupon_use_end
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import subscription_change_plan
from core.settings_registry import setting_change
from locations.models import Location
from tests.integration.billing.service_world import (
    at,
    bills,
    money,
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


# --- what a bill's days are worth -----------------------------------------------------------------------------------------


def test_days_that_come_back_are_worth_what_their_bill_said() -> None:
    pos = place()
    row = service(pos, plan(pos, price=300_000), NOV_22)
    pay(row, 300_000, NOV_22)
    subscription_change(row, price=100_001, actor=None, now=at(NOV_22))  # from the next bill on
    subscription_end(row, reason="pindah", is_credited=True, actor=None, now=at(DEC_7))
    assert money(row) == (150_000, 0)
    sound()


def test_what_a_person_credited_does_not_come_back_a_second_time() -> None:
    """Half the price was agreed: half the month is a quarter of what was asked first, at an end and at a pause."""
    pos = place()
    row = service(pos, plan(pos, price=300_000), NOV_22)
    pay(row, 300_000, NOV_22)
    [bill] = Invoice.objects.filter(subscription=row, kind="invoice")
    credit_note_issue(bill, amount=150_000, reason="setengah harga", now=at(NOV_22), actor=None)
    assert money(row) == (150_000, 0)
    subscription_pause(row, actor=None, now=at(NOV_22 + timedelta(days=3)))
    subscription_resume(row, actor=None, now=at(NOV_22 + timedelta(days=9)))
    assert money(row) == (180_000, 0)  # 6 of 30 days of 150,000
    subscription_end(row, reason="pindah", is_credited=True, actor=None, now=at(DEC_7))
    assert money(row) == (255_000, 0)
    sound()


@pytest.mark.parametrize("is_billed_ahead", [True, False])
def test_a_month_that_never_begins_is_owed_by_nobody(is_billed_ahead: bool) -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    setting_change("billing.lead_days", "7")
    if is_billed_ahead:
        night(pos, DEC_18)
        assert money(row) == (0, 150_000)
    subscription_end(row, reason="pindah", actor=None, now=at(DEC_18))
    assert money(row) == (0, 0)
    sound()


# --- coupons --------------------------------------------------------------------------------------------------------------


def left(code: str) -> int:
    return CouponUse.objects.get(coupon__code=code).bills_left


def test_a_void_bill_gives_its_coupon_back_unless_it_was_taken_off() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    for code in ("SATU", "DUA"):
        Coupon.objects.create(code=code, kind="percent", value=10, bills=1)
        coupon_use(row, code=code, actor=None, now=at(NOV_22))
    CouponUse.objects.filter(coupon__code="DUA").update(bills_left=2)
    night(pos, DEC_22)
    assert (left("SATU"), left("DUA")) == (0, 1)
    coupon_use_end(CouponUse.objects.get(coupon__code="DUA"), actor=None, now=at(DEC_22))
    bill = Invoice.objects.filter(subscription=row).latest("pk")
    invoice_void(bill, reason="salah", actor=None, now=at(DEC_22))
    assert (left("SATU"), left("DUA")) == (1, 0)
    sound()


def test_a_coupon_that_takes_nothing_off_still_counts() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    for code, value in (("GRATIS", 100), ("SEPULUH", 10)):
        Coupon.objects.create(code=code, kind="percent", value=value, bills=1)
        coupon_use(row, code=code, actor=None, now=at(NOV_22))
    night(pos, DEC_22)
    assert [bill[2] for bill in bills(row)] == [150_000, 0]
    assert (left("GRATIS"), left("SEPULUH")) == (0, 1)

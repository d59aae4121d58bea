"""A change of plan in the middle of paid days: what came off their bill stays off, to the rupiah, whatever it was."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.services import roles_sync
from billing.choices import BillingMode, FirstBill, PeriodMode, TaxMode
from billing.models import Coupon, Invoice, Plan, PrepayDiscount, Subscription, TaxRate
from billing.services.invoices import credit_left, credit_note_issue, invoice_void
from billing.services.subscriptions import subscription_activate, subscription_change
from billing.services.subscriptions_extras import coupon_use
from billing.services.subscriptions_plans import subscription_change_plan
from core import clock
from core.settings_registry import setting_change
from locations.models import Location
from tests.integration.billing.service_world import (
    at,
    bills,
    draft,
    lines,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
)
from tests.integration.payments.test_pages import person

pytestmark = pytest.mark.django_db
NOV_22, DEC_2, DEC_7, DEC_18, DEC_22 = date(2026, 11, 22), *(date(2026, 12, day) for day in (2, 7, 18, 22))


def with_coupon(pos: Location, of: Plan, **coupon: Any) -> Subscription:
    """Started on 22 November with a coupon for one bill."""
    row = draft(pos, of)
    Coupon.objects.create(code="HEMAT", bills=1, **coupon)
    coupon_use(row, code="HEMAT", actor=None, now=at(NOV_22))
    return subscription_activate(row, actor=None, now=at(NOV_22))


def change(row: Subscription, to: Plan, on: date) -> None:
    subscription_change_plan(row, plan=to, is_at_once=True, actor=None, now=at(on))


def newest(row: Subscription) -> Invoice:
    return Invoice.objects.filter(subscription=row, kind="invoice").latest("pk")


# --- coupons ------------------------------------------------------------------------------------------------------------


def test_a_coupon_in_percent_stays_with_the_days_that_are_left() -> None:
    pos = place()
    row = with_coupon(pos, plan(pos, price=300_000), kind="percent", value=50)
    pay(row, 150_000, NOV_22)
    change(row, plan(pos, name="Lain", price=300_000), DEC_7)
    assert money(row) == (0, 0)
    [first] = Invoice.objects.filter(source=f"sub:{row.pk}:2026-11-22")
    carried = {"coupon": "HEMAT", "percent": "50", "carried": first.number}
    assert [(kind, amount) for kind, amount, _details in lines(newest(row))] == [
        ("proration", 150_000), ("discount", -75_000),
    ]  # fmt: skip
    assert lines(newest(row))[1][2] == carried
    assert spans(row) == [("2026-11-22", "2026-12-07", 75_000), ("2026-12-07", "2026-12-22", 75_000)]
    # a dearer one costs half of what it costs without a coupon
    change(row, plan(pos, name="Besar", price=600_000), DEC_7)
    assert money(row) == (0, 75_000)
    sound()


def test_an_amount_off_stays_off_by_the_day_and_never_grows() -> None:
    pos = place()
    row = with_coupon(pos, plan(pos, price=300_000), kind="amount", value=100_000)
    pay(row, 200_000, NOV_22)
    change(row, plan(pos, name="Besar", price=600_000), DEC_7)
    # 15 of 30 days: 100,000 back, 300,000 less 50,000 asked
    assert money(row) == (0, 150_000)
    assert lines(newest(row))[1][:2] == ("discount", -50_000)
    assert lines(newest(row))[1][2]["amount"] == "50000"
    # a plan that costs less than what comes off it costs nothing
    change(row, plan(pos, name="Kecil", price=60_000), DEC_7)
    assert (newest(row).total, newest(row).status) == (0, "paid")
    assert money(row) == (100_000, 0)
    sound()


def test_the_carried_coupon_is_not_given_back_a_second_time() -> None:
    pos = place()
    row = with_coupon(pos, plan(pos, price=300_000), kind="percent", value=50)
    row.coupon_uses.update(bills_left=1)
    subscription_change(row, is_auto_renewed=False, actor=None, now=at(NOV_22))
    change(row, plan(pos, name="Besar", price=600_000), DEC_7)
    assert newest(row).settled_amount == 0
    invoice_void(newest(row), reason="salah", actor=None, now=at(DEC_7))
    assert row.coupon_uses.get().bills_left == 1


# --- months paid ahead --------------------------------------------------------------------------------------------------


def test_months_paid_ahead_keep_their_discount() -> None:
    pos = place()
    year = plan(pos, price=100_000, period_months=12)
    PrepayDiscount.objects.create(plan=year, months=12, percent=20)
    row = service(pos, year, NOV_22)
    pay(row, 960_000, NOV_22)
    change(row, plan(pos, name="Lain", price=100_000), DEC_22)
    assert money(row) == (0, 0)
    assert newest(row).total == 880_000
    assert lines(newest(row))[1][2]["percent"] == "20"
    change(row, plan(pos, name="Besar", price=200_000), date(2027, 1, 7))
    # 20 % off what is dearer: 10 months and 15 of 31 days
    assert spans(row)[1:] == [("2026-12-22", "2027-01-07", 41_293), ("2027-01-07", "2027-11-22", 1_677_414)]
    assert money(row) == (0, 838_707)
    sound()


def test_each_bill_that_is_cut_has_a_bill_of_its_own() -> None:
    """The running month without a coupon, the next one, sent a week before, with it."""
    pos = place()
    setting_change("billing.lead_days", "7")
    row = service(pos, plan(pos, price=300_000), NOV_22)
    pay(row, 300_000, NOV_22)
    Coupon.objects.create(code="HEMAT", bills=1, kind="percent", value=50)
    coupon_use(row, code="HEMAT", actor=None, now=at(NOV_22))
    night(pos, DEC_18)
    change(row, plan(pos, name="Besar", price=600_000), DEC_18)
    assert bills(row) == [
        ("2026-11-22", "2026-11-22", 300_000, "paid"), ("2026-12-15", "2026-12-22", 150_000, "paid"),
        ("2026-12-18", "2026-12-18", 80_000, "open"), ("2026-12-18", "2026-12-22", 300_000, "open"),
    ]  # fmt: skip
    assert spans(row) == [
        ("2026-11-22", "2026-12-18", 260_000), ("2026-12-18", "2026-12-22", 80_000),
        ("2026-12-22", "2027-01-22", 300_000),
    ]  # fmt: skip
    assert money(row) == (0, 340_000)
    sound()


# --- what the bill says, not today's terms ------------------------------------------------------------------------------


def test_the_price_of_the_bill_counts_and_what_people_credited_of_it() -> None:
    pos = place()
    row = service(pos, plan(pos, price=300_000), NOV_22)
    pay(row, 300_000, NOV_22)
    credit_note_issue(newest(row), amount=150_000, reason="setengah harga", now=at(NOV_22), actor=None)
    subscription_change(row, price=1, tax_mode=TaxMode.EXCLUSIVE, actor=None, now=at(NOV_22))
    TaxRate.objects.create(percent=11, valid_from=date(2020, 1, 1))
    assert money(row) == (150_000, 0)
    change(row, plan(pos, name="Lain", price=300_000), DEC_7)
    assert money(row) == (150_000, 0)
    assert spans(row) == [("2026-11-22", "2026-12-07", 225_000), ("2026-12-07", "2026-12-22", 75_000)]
    sound()


def test_days_of_a_void_bill_stay_as_they_are() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    invoice_void(newest(row), reason="gratis", actor=None, now=at(NOV_22))
    change(row, plan(pos, name="Besar", price=300_000), DEC_2)
    assert [bill[2:] for bill in bills(row)] == [(150_000, "void")]
    assert spans(row) == [("2026-11-22", "2026-12-22", 150_000)]
    assert money(row) == (0, 0)
    sound()


# --- days used and not billed -------------------------------------------------------------------------------------------


def test_a_new_price_of_a_postpaid_service_holds_from_today_and_not_for_days_used() -> None:
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID), NOV_22)
    subscription_change(row, price=300_000, actor=None, now=at(DEC_2))
    assert bills(row) == [("2026-12-02", "2026-12-02", 50_000, "open")]
    subscription_change(row, note="sudah dikabari", grace_days=5, actor=None, now=at(DEC_7))
    assert len(bills(row)) == 1
    night(pos, DEC_22)
    assert bills(row)[1:] == [("2026-12-22", "2026-12-22", 200_000, "open")]
    assert spans(row) == [("2026-11-22", "2026-12-02", 50_000), ("2026-12-02", "2026-12-22", 200_000)]
    sound()


def test_tax_that_begins_to_count_leaves_days_used_alone() -> None:
    TaxRate.objects.create(percent=11, valid_from=date(2020, 1, 1))
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID), NOV_22)
    subscription_change(row, tax_mode=TaxMode.EXCLUSIVE, actor=None, now=at(DEC_2))
    night(pos, DEC_22)
    assert [bill[2] for bill in bills(row)] == [50_000, 111_000]
    sound()


# --- days paid in another system ----------------------------------------------------------------------------------------


def elsewhere(pos: Location, price: int = 150_000) -> Subscription:
    """Came from another system, where it was paid until 21 December."""
    row = draft(pos, plan(pos, price=price))
    return subscription_activate(row, billed_until=DEC_22, actor=None, now=at(NOV_22))


def test_a_dearer_plan_asks_the_difference_for_days_paid_elsewhere() -> None:
    pos = place()
    row = elsewhere(pos)
    change(row, plan(pos, name="Besar", price=300_000), DEC_2)
    assert bills(row) == [("2026-12-02", "2026-12-02", 100_000, "open")]
    assert lines(newest(row))[1][1:] == (-100_000, {"elsewhere": "2026-12-22"})
    # and back: nothing is lost
    change(row, Plan.objects.get(name="Paket 10M"), DEC_2)
    assert money(row) == (0, 0)
    sound()


def test_a_plan_that_is_not_dearer_asks_nothing_for_days_paid_elsewhere() -> None:
    pos = place()
    row = elsewhere(pos)
    change(row, plan(pos, name="Lain"), DEC_2)
    change(row, plan(pos, name="Kecil", price=50_000), DEC_2)
    assert (bills(row), spans(row), money(row)) == ([], [], (0, 0))
    night(pos, DEC_22)
    assert [bill[2] for bill in bills(row)] == [50_000]


# --- said before --------------------------------------------------------------------------------------------------------


def test_over_rest_the_amounts_are_said_before_and_nothing_is_done() -> None:
    roles_sync()
    pos = place()
    row = service(pos, plan(pos), clock.now().date())
    big = plan(pos, name="Besar", price=300_000)
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en")
    client.force_authenticate(person("boss", Role.ADMIN))
    body = {"plan": big.pk, "is_at_once": True}
    path = f"/api/v1/subscriptions/{row.pk}/change-plan"
    for _twice in range(2):
        found = client.post(f"{path}-preview/", body, format="json").json()
        assert [bill["total"] for bill in found["bills"]] == ["300000.00"]
        assert found["bills"][0]["lines"][0]["words"].startswith("Besar, ")
        assert (found["credited"], found["debt_before"], found["debt"]) == ("150000.00", "150000.00", "300000.00")
    assert (len(bills(row)), money(row)) == (1, (0, 150_000))
    assert client.post(f"{path}/", body, format="json").status_code == 200
    assert money(row) == (0, 300_000)


# --- whatever it was ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(16))
def test_a_plan_of_the_same_price_is_always_free(seed: int) -> None:
    """Odd prices, tax in and on top, coupons, months ahead, credit notes, bills ahead, twice in a row."""
    dice = random.Random(seed)  # no secret
    pos = place()
    TaxRate.objects.create(percent=11, valid_from=date(2020, 1, 1))
    setting_change("billing.lead_days", str(dice.choice([0, 0, 7, 20])))
    price, months = dice.randint(1_000, 999_999), dice.choice([1, 1, 2, 3, 12])
    terms: dict[str, Any] = {
        "period_months": months, "tax_mode": dice.choice(list(TaxMode)), "fixed_day": dice.choice([1, 15, 31]),
        "period_mode": dice.choice(list(PeriodMode)), "first_bill": dice.choice(list(FirstBill)),
        "billing_mode": dice.choice([BillingMode.PREPAID, BillingMode.PREPAID, BillingMode.POSTPAID]),
    }  # fmt: skip
    plans = [plan(pos, name=f"Paket {n}", price=price, **terms) for n in range(3)]
    PrepayDiscount.objects.create(plan=plans[0], months=2, percent=dice.choice(["7.5", "33.33"]))
    row = draft(pos, plans[0])
    for n in range(dice.randint(0, 3)):
        kind, most = dice.choice([("percent", 100), ("amount", 2 * price)])
        Coupon.objects.create(code=f"K{n}", kind=kind, value=dice.randint(1, most), bills=dice.randint(1, 2))
        coupon_use(row, code=f"K{n}", actor=None, now=at(NOV_22))
    row = subscription_activate(row, actor=None, now=at(NOV_22))
    day = NOV_22
    for _step in range(3):
        day += timedelta(days=dice.randint(0, 17))
        night(pos, day)
        last = Invoice.objects.filter(subscription=row, kind="invoice").order_by("pk").last()
        if last and credit_left(last) > 3 and dice.random() < 0.4:
            credit_note_issue(last, amount=credit_left(last) // 3, reason="gangguan", now=at(day), actor=None)
        if dice.random() < 0.5:
            pay(row, dice.randint(1, price * months), day)
        # used days that no bill had asked for come on one with the change: they are no cost of it
        known = set(Invoice.objects.filter(subscription=row).values_list("pk", flat=True))
        before = money(row)
        change(row, plans[(plans.index(row.plan) + 1) % 3], day)
        used = Invoice.objects.filter(subscription=row, source__startswith="sub:").exclude(pk__in=known)
        after = money(row)
        assert (after[1] - after[0]) - (before[1] - before[0]) == sum(bill.total for bill in used), day
        row.refresh_from_db()
    sound()

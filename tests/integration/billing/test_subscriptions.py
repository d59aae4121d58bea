"""A service from draft to end: names, first bills, pauses, plan changes, and what is left when it is over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.choices import Role
from billing.choices import BillingMode, FirstBill, PeriodMode, PlanType
from billing.models import Charge, Coupon, Invoice, PrepayDiscount, Subscription, TaxRate
from billing.selectors import note_of
from billing.selectors_services import next_bill_of
from billing.services.engine.unused import addon_credit_worth
from billing.services.subscriptions import (
    subscription_activate,
    subscription_change,
    subscription_create,
    subscription_end,
)
from billing.services.subscriptions_access import subscription_change_login, subscription_move
from billing.services.subscriptions_extras import (
    addon_add,
    addon_end,
    charge_add,
    charge_bill_now,
    charge_drop,
    coupon_use,
    coupon_use_end,
)
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import plan_change_cancel, subscription_change_plan
from core.errors import DomainError, TransitionError
from locations.choices import Presence
from locations.models import AccessAccount
from tests.integration.billing.service_world import (
    at,
    bills,
    customer,
    draft,
    kinds,
    lines,
    login,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
    user,
)

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)


def test_a_draft_takes_the_plans_terms_and_owes_nothing() -> None:
    pos = place("Pos 1")
    offer = plan(pos, grace_days=5, billing_mode=BillingMode.POSTPAID)
    who = customer("Bu Sri")
    row = draft(pos, offer, who, grace_days=9, price="120000")
    assert (row.status, row.type, row.username, row.grace_days, row.billing_mode, row.price) == (
        "draft", "pppoe", "pos-100001", 9, "postpaid", Decimal(120000),
    )  # fmt: skip
    assert len(row.password) == 10
    assert not AccessAccount.objects.exists()
    assert not Invoice.objects.exists()
    who.refresh_from_db()
    assert who.location == pos
    assert draft(pos, offer).username == "pos-100002"


def test_a_generated_name_steps_over_what_is_taken() -> None:
    pos = place()
    offer = plan(pos)
    draft(pos, offer, username="pos-100001")
    AccessAccount.objects.create(location=pos, kind="ppp", name="pos-100002", profile=offer.publications.get().profile)
    assert draft(pos, offer).username == "pos-100003"
    with pytest.raises(DomainError) as refused:
        draft(pos, offer, username="pos-100002")
    assert refused.value.fields.keys() == {"username"}


def test_the_same_request_makes_one_draft() -> None:
    pos = place()
    offer, who = plan(pos), customer()
    rows = [draft(pos, offer, who, request_key="once") for _n in range(2)]
    assert rows[0].pk == rows[1].pk
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"username": "has space"}, "username"),
        ({"username": "x" * 65}, "username"),
        ({"mac_address": "AA:BB"}, "mac_address"),
        ({"static_address": "224.0.0.1"}, "static_address"),
        ({"static_address": "10.0.0"}, "static_address"),
        ({"price": "-1"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"fixed_day": 30}, "fixed_day"),
        ({"fixed_day": 0}, "fixed_day"),
        ({"period_months": 25}, "period_months"),
        ({"colour": 1}, "colour"),
        ({"password": "a\nb"}, "password"),
    ],
)
def test_wrong_values_name_their_field(fields: dict[str, Any], wrong: str) -> None:
    pos = place()
    offer = plan(pos)
    with pytest.raises(DomainError) as refused:
        draft(pos, offer, **fields)
    assert refused.value.fields.keys() == {wrong}
    assert not Subscription.objects.exists()


def test_an_operator_makes_services_at_his_places_only() -> None:
    here, there = place("Pos 1"), place("Pos 2")
    offer = plan(here, there)
    ali = user("ali", "operator", here)
    mine, other = customer("A", location=here), customer("B", location=there)
    made = subscription_create(customer=mine, plan=offer, location=here, actor=ali)
    for who, where in ((mine, there), (other, here)):
        with pytest.raises(DomainError):
            subscription_create(customer=who, plan=offer, location=where, actor=ali)
    stranger = user("budi", "operator", there)
    with pytest.raises(DomainError) as refused:
        subscription_activate(made, actor=stranger)
    assert refused.value.status == 404


def test_activation_bills_puts_the_login_and_pays_from_the_balance() -> None:
    pos = place()
    offer, who = plan(pos, rate_limit="10M"), customer()
    pay(who, 200_000, NOV_22)
    row = service(pos, offer, NOV_22, who, password="rahasia")
    assert bills(row) == [("2026-11-22", "2026-11-22", 150_000, "paid")]
    assert money(row) == (50_000, 0)
    assert spans(row) == [("2026-11-22", "2026-12-22", 150_000)]
    assert (row.status, row.billed_until, row.expiry_date) == ("active", date(2026, 12, 22), date(2026, 12, 21))
    account = AccessAccount.objects.get()
    assert (account.name, account.secret, account.kind, account.tag, account.priority) == (
        row.username, "rahasia", "ppp", f"s{row.pk}", 0,
    )  # fmt: skip
    assert account == login(row)
    with pytest.raises(TransitionError):
        subscription_activate(row, actor=None)
    sound()


def test_fixed_day_separate_bills_the_part_at_once() -> None:
    pos = place()
    offer = plan(pos, period_mode=PeriodMode.FIXED_DAY, fixed_day=1, due_days=5)
    row = service(pos, offer, NOV_22)
    # the last 9 of 30 days at 5000
    assert bills(row) == [("2026-11-22", "2026-11-27", 45_000, "open")]
    invoice = Invoice.objects.get()
    assert lines(invoice) == [
        ("proration", 45_000, {
            "plan": "Paket 10M", "from": "2026-11-22", "to": "2026-12-01", "price": "150000", "days": 9, "of": 30,
        })
    ]  # fmt: skip
    night(pos, date(2026, 12, 1))
    assert bills(row)[1:] == [("2026-12-01", "2026-12-06", 150_000, "open")]


def test_fixed_day_merged_waits_for_the_first_full_bill() -> None:
    pos = place()
    offer = plan(pos, period_mode=PeriodMode.FIXED_DAY, fixed_day=1, first_bill=FirstBill.MERGED)
    row = service(pos, offer, NOV_22)
    assert bills(row) == []
    night(pos, date(2026, 11, 30))
    assert bills(row) == []
    night(pos, date(2026, 12, 1))
    assert bills(row) == [("2026-12-01", "2026-12-01", 195_000, "open")]
    assert [(kind, sum_) for kind, sum_, _details in lines(Invoice.objects.get())] == [
        ("proration", 45_000), ("subscription", 150_000),
    ]  # fmt: skip
    assert spans(row) == [("2026-11-22", "2027-01-01", 195_000)]


def test_postpaid_is_billed_when_the_month_is_over() -> None:
    pos = place()
    offer = plan(pos, billing_mode=BillingMode.POSTPAID, due_days=10)
    row = service(pos, offer, NOV_22)
    night(pos, date(2026, 12, 21))
    assert bills(row) == []
    night(pos, date(2026, 12, 22))
    assert bills(row) == [("2026-12-22", "2027-01-01", 150_000, "open")]
    row.refresh_from_db()
    assert (row.billed_until, row.expiry_date) == (date(2026, 12, 22), date(2026, 11, 21))


def test_everything_that_comes_on_a_bill() -> None:
    """Add-on, installation, coupon, prepaid months with discount, tax on top; each line says why."""
    pos = place()
    TaxRate.objects.create(percent=11, valid_from=date(2026, 1, 1))
    offer = plan(pos, period_months=3, tax_mode="exclusive")
    PrepayDiscount.objects.create(plan=offer, months=3, percent=10)
    PrepayDiscount.objects.create(plan=offer, months=6, percent=50)
    Coupon.objects.create(code="HEMAT", kind="percent", value=10, bills=1)
    row = draft(pos, offer)
    addon_add(row, name="IP publik", amount=50_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    charge_add(customer=row.customer, subscription=row, name="Instalasi", amount=300_000, actor=None, now=at(NOV_22))
    charge_add(customer=row.customer, name="Kabel", amount=20_000, actor=None, now=at(NOV_22))
    coupon_use(row, code="hemat", actor=None, now=at(NOV_22))
    with pytest.raises(DomainError):
        coupon_use(row, code="hemat", actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    invoice = Invoice.objects.get(subscription=row)
    assert [(kind, sum_) for kind, sum_, _details in lines(invoice)] == [
        ("subscription", 450_000), ("addon", 150_000), ("discount", -45_000), ("discount", -40_500),
        ("charge", 300_000), ("charge", 20_000),
    ]  # fmt: skip
    assert (invoice.subtotal, invoice.tax_amount) == (834_500, 91_795)
    assert not Charge.objects.filter(invoice=None).exists()
    assert spans(row) == [("2026-11-22", "2027-02-22", 364_500)]
    night(pos, date(2027, 2, 22))
    second = Invoice.objects.filter(subscription=row).latest("pk")
    assert [(kind, sum_) for kind, sum_, _details in lines(second)] == [
        ("subscription", 450_000), ("addon", 150_000), ("discount", -45_000),
    ]  # fmt: skip
    sound()


def test_an_addon_in_the_middle_bills_its_days_and_ends_with_the_billed_ones() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    mid = date(2026, 12, 7)
    made = addon_add(row, name="IP publik", amount=30_000, from_on=mid, actor=None, now=at(mid))
    assert bills(row)[1:] == [("2026-12-07", "2026-12-07", 15_000, "open")]
    addon_end(made, actor=None, now=at(mid))
    night(pos, date(2026, 12, 22))
    assert bills(row)[2:] == [("2026-12-22", "2026-12-22", 150_000, "open")]
    with pytest.raises(TransitionError):
        addon_end(made, actor=None, now=at(mid))


def test_an_addon_ended_today_is_credited_to_the_day_and_never_twice() -> None:
    """10 of 30 days of one add-on; what the end of the service credits later leaves out what was credited."""
    pos = place()
    row = draft(pos, plan(pos))
    first = addon_add(row, name="IP publik", amount=60_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    addon_add(row, name="IP publik", amount=60_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    pay(row, 270_000, NOV_22)
    day = date(2026, 12, 12)
    row.refresh_from_db()
    assert addon_credit_worth(first, row, day) == 20_000
    ended = addon_end(first, is_at_once=True, reason="dikembalikan", actor=None, now=at(day))
    assert (ended.until_on, money(row)) == (day, (20_000, 0))
    note = Invoice.objects.get(kind="credit_note")
    assert (note.note, note_of(note)) == ("dikembalikan", "IP publik, ended, not used 12 – 21 Dec 2026. dikembalikan")
    assert row.events.latest("pk").details == {"name": "IP publik", "until_on": "2026-12-12", "credited": "20000.00"}
    with pytest.raises(TransitionError):
        addon_end(first, is_at_once=True, actor=None, now=at(day))
    subscription_end(row, reason="pindah", is_credited=True, actor=None, now=at(date(2026, 12, 17)))
    assert money(row) == (20_000 + 25_000 + 10_000, 0)  # 5 days of the service and of the other add-on
    sound()


def test_an_addon_that_runs_out_may_end_today_and_pays_its_own_open_bill_first() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    mid = date(2026, 12, 7)
    made = addon_add(row, name="STB", amount=30_000, from_on=mid, actor=None, now=at(mid))
    assert money(row) == (0, 15_000)
    addon_end(made, actor=None, now=at(mid))
    day = date(2026, 12, 12)
    assert addon_end(made, is_at_once=True, actor=None, now=at(day)).until_on == day
    assert money(row) == (0, 5_000)  # 5 of 15 days were used
    sound()


def test_a_postpaid_addon_ends_with_its_running_period_or_today() -> None:
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID), NOV_22)
    ends = []
    for is_at_once in (False, True):
        made = addon_add(row, name="STB", amount=30_000, actor=None, now=at(NOV_22))
        ends.append(addon_end(made, is_at_once=is_at_once, actor=None, now=at(date(2026, 12, 2))).until_on)
    assert ends == [date(2026, 12, 22), date(2026, 12, 2)]
    night(pos, date(2026, 12, 22))
    assert [bill[2] for bill in bills(row)] == [150_000 + 30_000 + 10_000]
    sound()


def test_an_addon_ended_in_a_pause_is_not_credited_twice() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    made = addon_add(row, name="IP publik", amount=30_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    pay(row, 180_000, NOV_22)
    subscription_pause(row, actor=None, now=at(date(2026, 12, 1)))
    addon_end(made, is_at_once=True, actor=None, now=at(date(2026, 12, 6)))
    assert money(row) == (16_000, 0)  # 16 days from the 6th
    subscription_resume(row, actor=None, now=at(date(2026, 12, 11)))
    assert money(row) == (16_000 + 50_000 + 5_000, 0)  # and the 5 paused days before it
    sound()


def test_an_addon_of_a_draft_never_comes_on_a_bill() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    made = addon_add(row, name="STB", amount=30_000, actor=None, now=at(NOV_22))
    addon_end(made, actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    assert [bill[2] for bill in bills(row)] == [150_000]


def test_a_coupon_taken_off_leaves_the_bills_that_were() -> None:
    pos = place()
    Coupon.objects.create(code="HEMAT", kind="percent", value=10, bills=3)
    row = draft(pos, plan(pos))
    use = coupon_use(row, code="hemat", actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    found = next_bill_of(Subscription.objects.get(pk=row.pk))
    assert found is not None
    assert (found.amount, found.coupons) == (135_000, {"HEMAT": 15_000})
    coupon_use_end(use, actor=None, now=at(NOV_22))
    night(pos, date(2026, 12, 22))
    assert [bill[2] for bill in bills(row)] == [135_000, 150_000]
    with pytest.raises(TransitionError):
        coupon_use_end(use, actor=None, now=at(NOV_22))
    assert kinds(row)[-2:] == ["coupon_ended", "isolated"]


def test_a_waiting_charge_is_dropped_or_billed_today() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    wrong, right = (
        charge_add(customer=row.customer, subscription=row, name=name, amount=20_000, actor=None, now=at(NOV_22))
        for name in ("Kabel", "Instalasi")
    )
    charge_drop(wrong, actor=None, now=at(NOV_22))
    assert charge_bill_now(right, actor=None, now=at(NOV_22)).total == 20_000
    for charge in (wrong, right):
        with pytest.raises(TransitionError):
            charge_drop(charge, actor=None, now=at(NOV_22))
    night(pos, date(2026, 12, 22))
    assert sorted(bill[2] for bill in bills(row)) == [20_000, 150_000, 150_000]
    assert {"charge_cancelled", "charge_billed"} <= set(kinds(row))
    sound()


def test_what_comes_on_bills_is_ended_at_ones_own_places_only() -> None:
    pos, other = place(), place("Pos 2")
    stranger = user("asing", Role.OPERATOR, other)
    row = service(pos, plan(pos), NOV_22)
    Coupon.objects.create(code="HEMAT", kind="percent", value=10, bills=3)
    addon = addon_add(row, name="STB", amount=30_000, actor=None, now=at(NOV_22))
    use = coupon_use(row, code="HEMAT", actor=None, now=at(NOV_22))
    charge = charge_add(customer=row.customer, subscription=row, name="Kabel", amount=1, actor=None, now=at(NOV_22))
    for act, subject in ((addon_end, addon), (coupon_use_end, use), (charge_drop, charge), (charge_bill_now, charge)):
        with pytest.raises(DomainError) as refused:
            act(subject, actor=stranger, now=at(NOV_22))
        assert refused.value.code == "subscription.not_found"


def test_a_free_service_has_periods_but_no_bills() -> None:
    pos = place()
    row = service(pos, plan(pos, price=0), NOV_22)
    night(pos, date(2026, 12, 22))
    assert bills(row) == []
    assert spans(row) == [("2026-11-22", "2026-12-22", 0), ("2026-12-22", "2027-01-22", 0)]


# --- vacation -----------------------------------------------------------------------------------------------------------


def test_a_pause_within_paid_days_credits_exactly_them() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    subscription_pause(row, reason="mudik", actor=None, now=at(date(2026, 12, 1)))
    row.refresh_from_db()
    assert (row.status, login(row).is_disabled) == ("paused", True)
    night(pos, date(2026, 12, 22))
    assert len(bills(row)) == 1
    subscription_resume(row, actor=None, now=at(date(2026, 12, 11)))
    row.refresh_from_db()
    assert (row.status, login(row).is_disabled, row.billed_until) == ("active", False, date(2026, 12, 22))
    assert money(row) == (50_000, 0)
    note = Invoice.objects.get(kind="credit_note")
    assert (note.note, note_of(note)) == ("", "Paused 1 – 10 Dec 2026: 10 of 30 days credited")
    sound()


def test_a_pause_longer_than_the_paid_days_begins_anew_on_the_day_of_the_return() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    subscription_pause(row, resume_on=date(2027, 2, 1), actor=None, now=at(date(2026, 12, 12)))
    for day in (date(2026, 12, 22), date(2027, 1, 22), date(2027, 1, 31)):
        night(pos, day)
    assert len(bills(row)) == 1
    assert night(pos, date(2027, 2, 1))["resumed"] == 1
    # 10 of 30 days credited on the unpaid bill; 1 Feb to 22 Feb is 21 of the 31 days of that month
    assert bills(row) == [("2026-11-22", "2026-11-22", 150_000, "open"), ("2027-02-01", "2027-02-01", 101_610, "open")]
    first = Invoice.objects.filter(kind="invoice").earliest("pk")
    assert first.settled_amount == 50_000
    row.refresh_from_db()
    assert (row.billed_until, row.status) == (date(2027, 2, 22), "isolated")
    assert kinds(row)[-2:] == ["resumed", "isolated"]
    sound()


def test_a_postpaid_pause_bills_the_used_days_at_once() -> None:
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID, due_days=7), NOV_22)
    subscription_pause(row, actor=None, now=at(date(2026, 12, 2)))
    assert bills(row) == [("2026-12-02", "2026-12-09", 50_000, "open")]
    subscription_resume(row, actor=None, now=at(date(2026, 12, 12)))
    night(pos, date(2026, 12, 22))
    assert bills(row)[1:] == [("2026-12-22", "2026-12-29", 50_000, "open")]
    assert spans(row) == [("2026-11-22", "2026-12-02", 50_000), ("2026-12-12", "2026-12-22", 50_000)]
    sound()


# --- plan changes -------------------------------------------------------------------------------------------------------


def test_a_plan_change_now_credits_and_bills_by_the_day() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    big = plan(pos, name="Paket 20M", price=300_000)
    day = date(2026, 12, 2)
    subscription_change_plan(row, plan=big, is_at_once=True, actor=None, now=at(day))
    # 20 of 30 days: 100000 back, 200000 asked; the credit pays for half of it
    assert bills(row)[1:] == [("2026-12-02", "2026-12-02", 200_000, "open")]
    assert money(row) == (0, 100_000)
    assert spans(row) == [("2026-11-22", "2026-12-02", 50_000), ("2026-12-02", "2026-12-22", 200_000)]
    row.refresh_from_db()
    assert row.plan == big
    assert login(row).profile == big.publications.get().profile
    # and back again on the same day: nothing is lost, nothing is won
    subscription_change_plan(row, plan=plan_named("Paket 10M"), is_at_once=True, actor=None, now=at(day, 9))
    assert money(row) == (0, 0)
    assert spans(row) == [("2026-11-22", "2026-12-02", 50_000), ("2026-12-02", "2026-12-22", 100_000)]
    sound()


def plan_named(name: str) -> Any:
    from billing.models import Plan

    return Plan.objects.get(name=name)


def test_a_plan_change_with_the_period_waits_for_it() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22, price=100_000)
    big = plan(pos, name="Paket 20M", price=300_000)
    change = subscription_change_plan(row, plan=big, is_at_once=False, actor=None, now=at(date(2026, 12, 2)))
    assert change.effective_on == date(2026, 12, 22)
    night(pos, date(2026, 12, 21))
    row.refresh_from_db()
    assert row.plan.name == "Paket 10M"
    assert night(pos, date(2026, 12, 22)) == {"bills": 1, "plan_changes": 1}
    row.refresh_from_db()
    assert (row.plan, row.price) == (big, None)
    assert bills(row)[1:] == [("2026-12-22", "2026-12-22", 300_000, "open")]
    assert login(row).profile == big.publications.get().profile


def test_a_waiting_change_is_replaced_or_cancelled() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    big, huge = plan(pos, name="B", price=300_000), plan(pos, name="C", price=500_000)
    first = subscription_change_plan(row, plan=big, is_at_once=False, actor=None, now=at(NOV_22))
    second = subscription_change_plan(row, plan=huge, is_at_once=False, actor=None, now=at(NOV_22))
    first.refresh_from_db()
    assert first.status == "cancelled"
    plan_change_cancel(second, actor=None, now=at(NOV_22))
    night(pos, date(2026, 12, 22))
    assert bills(row)[1:] == [("2026-12-22", "2026-12-22", 150_000, "open")]
    with pytest.raises(TransitionError):
        plan_change_cancel(second, actor=None)


def test_a_postpaid_plan_change_now_bills_the_days_at_the_old_price() -> None:
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID), NOV_22)
    big = plan(pos, name="Paket 20M", price=300_000)
    subscription_change_plan(row, plan=big, is_at_once=True, actor=None, now=at(date(2026, 12, 2)))
    assert bills(row) == [("2026-12-02", "2026-12-02", 50_000, "open")]
    night(pos, date(2026, 12, 22))
    assert bills(row)[1:] == [("2026-12-22", "2026-12-22", 200_000, "open")]


def test_another_type_of_plan_is_another_service() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    other = plan(pos, name="Hotspot", type=PlanType.HOTSPOT)
    with pytest.raises(DomainError) as refused:
        subscription_change_plan(row, plan=other, is_at_once=True, actor=None, now=at(NOV_22))
    assert refused.value.fields.keys() == {"plan"}


# --- the login ----------------------------------------------------------------------------------------------------------


def test_a_rename_and_a_new_password_reach_the_account() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    account = login(row)
    subscription_change_login(
        row, username="busri", password="baru", mac_address="aa-bb-cc-00-11-22", static_address="10.1.1.9", actor=None
    )
    account.refresh_from_db()
    assert (account.name, account.secret, account.mac_address, account.is_mac_locked, account.static_address) == (
        "busri", "baru", "AA:BB:CC:00:11:22", True, "10.1.1.9",
    )  # fmt: skip
    details = row.events.latest("pk").details
    assert details["after"] == {"username": "busri", "mac_address": "AA:BB:CC:00:11:22", "static_address": "10.1.1.9"}
    assert "baru" not in str(details)


def test_a_move_is_a_new_login_and_the_old_one_leaves() -> None:
    here, there = place("Pos 1"), place("Pos 2")
    row = service(here, plan(here, there), NOV_22)
    old = login(row)
    subscription_move(row, location=there, actor=None, now=at(NOV_22))
    row.refresh_from_db()
    old.refresh_from_db()
    assert (old.presence, login(row).presence, login(row).location) == (Presence.ABSENT, Presence.PRESENT, there)
    assert login(row).secret == old.secret


def test_a_static_service_needs_its_address() -> None:
    pos = place()
    offer = plan(pos, type=PlanType.STATIC, rate_limit="5M/20M")
    with pytest.raises(DomainError) as refused:
        draft(pos, offer)
    assert refused.value.fields.keys() == {"static_address"}
    row = service(pos, offer, NOV_22, static_address="10.9.0.2")
    assert (login(row).kind, login(row).static_address, row.password) == ("static", "10.9.0.2", None)


# --- the end ------------------------------------------------------------------------------------------------------------


def test_the_end_credits_unused_days_when_asked_and_takes_the_login_away() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    subscription_end(row, reason="pindah", is_credited=True, actor=None, now=at(date(2026, 12, 12)))
    row.refresh_from_db()
    assert (row.status, row.ended_on) == ("ended", date(2026, 12, 12))
    assert money(row) == (50_000, 0)
    assert login(row).presence == Presence.ABSENT
    night(pos, date(2026, 12, 22))
    assert len(bills(row)) == 1
    sound()


def test_add_ons_are_credited_with_the_days_of_the_end() -> None:
    """One add-on is on the service's bill, one has a bill of its own; both stop with the service, to the day."""
    pos = place()
    row = draft(pos, plan(pos))
    addon_add(row, name="IP publik", amount=60_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    mid, last = date(2026, 12, 7), date(2026, 12, 12)
    addon_add(row, name="STB", amount=30_000, from_on=mid, actor=None, now=at(mid))
    pay(row, 225_000, mid)
    assert (bills(row)[0][2], bills(row)[1][2], money(row)) == (210_000, 15_000, (0, 0))
    subscription_end(row, reason="pindah", is_credited=True, actor=None, now=at(last))
    # 10 of 30 days of each: 50000 of the service, 20000 and 10000 of the add-ons
    notes = Invoice.objects.filter(kind="credit_note").order_by("pk")
    assert [(int(note.total), note_of(note)) for note in notes] == [
        (50_000, "Ended, not used 12 – 21 Dec 2026: 10 of 30 days credited. pindah"),
        (20_000, "Add-ons, ended, not used 12 – 21 Dec 2026. pindah"),
        (10_000, "Add-ons, ended, not used 12 – 21 Dec 2026. pindah"),
    ]
    assert money(row) == (80_000, 0)
    sound()


def test_add_ons_rest_in_a_pause_and_stay_in_a_change_of_plan() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    addon_add(row, name="IP publik", amount=30_000, from_on=NOV_22, actor=None, now=at(NOV_22))
    subscription_activate(row, actor=None, now=at(NOV_22))
    pay(row, 180_000, NOV_22)
    subscription_pause(row, actor=None, now=at(date(2026, 12, 1)))
    subscription_resume(row, actor=None, now=at(date(2026, 12, 11)))
    assert money(row) == (60_000, 0)  # 50000 and 10000 of 10 days
    day = date(2026, 12, 12)
    cheap = plan(pos, name="Paket 5M", price=75_000)
    subscription_change_plan(row, plan=cheap, is_at_once=True, actor=None, now=at(day))
    assert money(row) == (85_000, 0)  # 10 days at 5000 back, 10 at 2500 asked; the add-on goes on
    sound()


def test_the_end_of_a_postpaid_service_bills_its_last_days_and_charges() -> None:
    pos = place()
    row = service(pos, plan(pos, billing_mode=BillingMode.POSTPAID), NOV_22)
    charge_add(customer=row.customer, subscription=row, name="Kabel", amount=20_000, actor=None, now=at(NOV_22))
    subscription_end(row, reason="pindah", actor=None, now=at(date(2026, 12, 2)))
    assert [bill[2] for bill in bills(row)] == [70_000]


def test_the_last_charges_of_a_prepaid_service_have_their_own_bill() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    charge_add(customer=row.customer, subscription=row, name="Kabel", amount=20_000, actor=None, now=at(NOV_22))
    subscription_end(row, reason="pindah", actor=None, now=at(date(2026, 12, 2)))
    assert [bill[2] for bill in bills(row)] == [150_000, 20_000]


def test_a_name_is_free_again_after_the_end() -> None:
    pos = place()
    offer = plan(pos)
    row = service(pos, offer, NOV_22, username="busri")
    subscription_end(row, reason="pindah", actor=None, now=at(NOV_22))
    with pytest.raises(DomainError):
        draft(pos, offer, username="busri")  # the old login is still on its way out
    AccessAccount.objects.all().delete()
    assert draft(pos, offer, username="busri").status == "draft"


def test_terms_change_for_the_next_bill_only() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    subscription_change(row, price="99000", due_days=4, actor=None, now=at(NOV_22))
    night(pos, date(2026, 12, 22))
    assert bills(row) == [
        ("2026-11-22", "2026-11-22", 150_000, "open"), ("2026-12-22", "2026-12-26", 99_000, "open"),
    ]  # fmt: skip

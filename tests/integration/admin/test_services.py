"""Services in the back office: made, found, their steps, a night before it happens, and many at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from billing.models import BillingRun, Coupon, Invoice, Plan, PrepayDiscount, Subscription
from billing.service_words import day_text
from billing.services import plan_create, plan_publish
from billing.services.history import today_at
from billing.services.subscriptions import subscription_activate, subscription_create
from billing.services.subscriptions_access import subscription_move
from billing.services.subscriptions_extras import addon_add, charge_add, coupon_use
from core.clock import local_date, now
from customers.models import Customer
from customers.services import customer_create
from locations.choices import Reach
from locations.models import AccessAccount, RouterState
from locations.selectors import choice_for
from locations.services import group_put
from tests.integration.admin.world import World

Login = Callable[[User], Client]
DAY = timedelta(days=1)


@pytest.fixture
def offer(world: World) -> Plan:
    plan = plan_create(actor=None, name="Rumah 10M", type="pppoe", price_sell=150_000, grace_days=10)
    plan_publish(plan, [world.near, world.far], actor=None)
    return plan


@pytest.fixture
def sri(world: World) -> Customer:
    return customer_create(actor=None, name="Bu Sri", location=world.near)


def started(world: World, offer: Plan, sri: Customer, days_ago: int = 0) -> Subscription:
    row = subscription_create(customer=sri, plan=offer, location=world.near, actor=None)
    return subscription_activate(row, actor=None, now=now() - days_ago * DAY)


def page(row: Any) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


def step(row: Subscription, name: str) -> str:
    return reverse(f"admin:billing_subscription_{name}", args=[row.pk])


def test_a_service_is_made_and_started_in_one_form(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    client = login(world.operator)
    url = reverse("admin:billing_subscription_add")
    assert "Rumah 10M" in client.get(url).content.decode()
    data = {
        "customer": sri.pk, "plan": offer.pk, "location": world.near.pk, "is_started": "on", "form_key": "abc",
        "username": "", "password": "", "static_address": "", "mac_address": "", "price": "", "note": "",
    }  # fmt: skip
    for _n in range(2):  # pressed twice: one service
        response = client.post(url, data)
        assert response.status_code == 302
    row = Subscription.objects.get()
    assert response.headers["Location"] == page(row)
    assert (row.status, row.username, Invoice.objects.count()) == ("active", "pos-200001", 1)
    body = client.get(page(row)).content.decode()
    for text in ("pos-200001", "Waiting for router", "should be open", "IDR 150,000", row.password or "?"):
        assert text in body


def test_a_group_chooses_the_place_and_the_page_says_why(
    world: World, login: Login, offer: Plan, sri: Customer
) -> None:
    group = group_put(None, name="Kota", strategy="least_users", locations=[world.near, world.far], actor=None)
    client = login(world.admin)
    url = reverse("admin:billing_subscription_add")
    data = {"customer": sri.pk, "plan": offer.pk, "group": group.pk, "is_started": "on", "form_key": "abc"}
    both = client.post(url, {**data, "location": world.near.pk})
    assert "Choose a location, or a group that chooses." in both.content.decode()
    assert not Subscription.objects.exists()
    assert client.post(url, data).status_code == 302
    row = Subscription.objects.get()
    choice = choice_for(f"subscription:{row.pk}")
    assert choice is not None
    assert row.location == choice.location
    assert "Why there" in client.get(page(row)).content.decode()


def test_a_moved_service_is_opened_now_while_its_old_router_is_away(
    world: World, login: Login, offer: Plan, sri: Customer
) -> None:
    row = started(world, offer, sri)
    AccessAccount.objects.update(applied_revision=F("revision"))
    subscription_move(row, location=world.far, actor=None)
    row.refresh_from_db()
    RouterState.objects.filter(location=world.near).update(reach=Reach.OFFLINE)
    client = login(world.admin)
    assert "Open now" in client.get(page(row)).content.decode()
    url = reverse("admin:billing_subscription_open_now", args=[row.pk])
    question = client.get(url).content.decode()
    assert world.near.name in question
    assert client.post(url).status_code == 302
    assert not AccessAccount.objects.filter(is_move_awaited=True).exists()
    assert "Open now" not in client.get(page(row)).content.decode()


def test_a_refusal_stands_beside_its_field(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    data = {"customer": sri.pk, "plan": offer.pk, "location": world.near.pk, "form_key": "abc", "username": "has space"}
    response = login(world.admin).post(reverse("admin:billing_subscription_add"), data)
    assert response.status_code == 200
    assert "without spaces" in response.content.decode()
    assert not Subscription.objects.exists()


def test_the_list_is_searched_by_user_name_and_shows_two_facts(
    world: World, login: Login, offer: Plan, sri: Customer
) -> None:
    row = started(world, offer, sri)
    client = login(world.admin)
    url = reverse("admin:billing_subscription_changelist")
    assert row.username in client.get(url + "?q=pos-2").content.decode()
    assert row.username not in client.get(url + "?q=nobody").content.decode()
    body = client.get(url + "?status__exact=active").content.decode()
    assert "Waiting for router" in body


def test_steps_of_one_service(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    row = started(world, offer, sri)
    big = plan_create(actor=None, name="Rumah 20M", type="pppoe", price_sell=300_000)
    plan_publish(big, [world.near, world.far], actor=None)
    client = login(world.admin)

    def do(name: str, /, **data: Any) -> None:
        assert client.get(step(row, name)).status_code == 200, name
        assert client.post(step(row, name), data).status_code == 302, name
        row.refresh_from_db()

    # the first press says what it costs, the second does it
    chosen = {"plan": big.pk, "is_at_once": "now"}
    page_text = client.post(step(row, "change_plan"), chosen).content.decode()
    assert "IDR 150,000 of what is billed is credited." in page_text
    assert "A bill of IDR 300,000, to pay by" in page_text
    assert "then owes IDR 300,000 (now IDR 150,000)" in page_text
    row.refresh_from_db()
    assert (row.plan, row.invoices.count()) == (offer, 1)
    assert client.post(step(row, "change_plan"), chosen | {"seen": "something else"}).status_code == 200
    seen = re.search(r'name="seen" value="(\w+)"', page_text)
    assert seen is not None
    do("change_plan", **chosen, seen=seen[1])
    assert row.plan == big
    sri.refresh_from_db()
    assert sri.debt == 300_000
    do("change_login", username="busri", password="", static_address="", mac_address="")
    assert row.username == "busri"
    do("add_addon", name="IP publik", amount="50000")
    do("add_charge", name="Kabel", amount="20000")
    terms = {
        name: getattr(row, name) for name in ("billing_mode", "period_mode", "period_months", "fixed_day", "first_bill")
    }
    terms |= {
        "due_days": 3,
        "grace_days": 1,
        "tax_mode": "none",
        "late_fee_kind": "amount",
        "late_fee": 0,
        "late_fee_days": 7,
    }
    do("change_terms", **terms, price="99000", note="x", is_auto_renewed="on")
    assert (row.price, row.due_days) == (Decimal(99000), 3)
    do("pause", reason="mudik")
    assert row.status == "paused"
    do("resume")
    do("move", location=world.far.pk)
    assert row.location == world.far
    do("end", reason="pindah", is_credited="on")
    assert row.status == "ended"
    body = client.get(page(row)).content.decode()
    for text in ("Ended: pindah", "Moved to another location", "Plan changed", "Login changed"):
        assert text in body


def test_what_comes_on_the_bills_is_ended_and_said_before(
    world: World, login: Login, offer: Plan, sri: Customer
) -> None:
    Coupon.objects.create(code="HEMAT", kind="amount", value=10_000, bills=3)
    row = started(world, offer, sri)
    today = today_at(row, now())
    for name in ("IP publik", "STB 50%"):
        addon_add(row, name=name, amount=60_000, from_on=today, actor=None)
    coupon_use(row, code="HEMAT", actor=None)
    for name in ("Kabel", "Instalasi"):
        charge_add(customer=sri, subscription=row, name=name, amount=20_000, actor=None)
    client = login(world.admin)
    until = day_text(row.billed_until - timedelta(days=1))  # type: ignore[operator]

    def asked(name: str) -> str:
        return client.get(step(row, name)).content.decode()

    def do(name: str, /, **data: Any) -> None:
        assert client.post(step(row, name), data).status_code == 302, name

    question = asked("end_addon")
    for name in ("IP publik", "STB 50%"):
        assert f"{name} (IDR 60,000 a month): until {until}, or today with IDR 60,000 credited." in question
    first, second = row.addons.order_by("pk")
    do("end_addon", addon=first.pk, is_at_once="now", reason="dikembalikan")
    do("end_addon", addon=second.pk, is_at_once="period")
    assert Invoice.objects.get(kind="credit_note").total == 60_000
    second.refresh_from_db()
    assert second.until_on == row.billed_until
    assert f"STB 50% (IDR 60,000) until {until}" in client.get(page(row)).content.decode()
    assert "HEMAT: for 3 more bills, IDR 10,000 off the next one." in asked("end_coupon")
    do("end_coupon", use=row.coupon_uses.get().pk)
    drop, bill = row.charges.order_by("pk")
    do("drop_charge", charge=drop.pk)
    do("bill_charge", charge=bill.pk)
    assert Invoice.objects.filter(subscription=row, total=20_000).count() == 1
    for name in ("end_coupon", "drop_charge", "bill_charge"):
        assert client.get(step(row, name)).status_code == 302, name  # nothing is left to end
    log = ActivityLog.objects.filter(user=world.admin).values_list("action", flat=True)
    assert {"addon.ended", "coupon.ended", "charge.cancelled", "charge.billed"} <= set(log)


def test_overdue_is_explained_and_a_promise_opens(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    row = started(world, offer, sri, days_ago=20)
    from billing.services.standing import services_reconsider

    services_reconsider([row.pk], now=now())
    client = login(world.operator)
    body = client.get(page(row)).content.decode()
    assert "IDR 150,000 of 1 bill is overdue" in body
    assert "Its days of grace ended on" in body
    today = local_date(row.location.timezone, now())
    assert client.post(step(row, "promise"), {"until_on": (today + 3 * DAY).isoformat()}).status_code == 302
    row.refresh_from_db()
    assert row.status == "grace"
    assert "A promise to pay keeps it open until" in client.get(page(row)).content.decode()
    assert client.post(step(row, "promise"), {"until_on": "2020-01-01"}).status_code == 422


def test_a_night_is_shown_before_it_happens(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    row = started(world, offer, sri)
    client = login(world.admin)
    url = reverse("admin:billing_tonight")
    assert client.get(url).status_code == 200
    day = row.billed_until
    assert day is not None
    body = client.get(url, {"location": world.near.pk, "day": day.isoformat()}).content.decode()
    for text in (row.username, "IDR 150,000", "Nothing was done"):
        assert text in body
    assert Invoice.objects.count() == 1
    assert login(world.operator).get(url).status_code == 403


def test_many_at_once_counts_first(world: World, login: Login, offer: Plan, sri: Customer) -> None:
    row = started(world, offer, sri, days_ago=5)
    from billing.services.standing import services_reconsider

    services_reconsider([row.pk], now=now())
    client = login(world.admin)
    listing = reverse("admin:billing_subscription_changelist")
    response = client.post(listing, {"action": "many", "_selected_action": [row.pk]})
    url = response.headers["Location"]
    assert url == reverse("admin:billing_many") + f"?ids={row.pk}"
    assert client.get(url).status_code == 200
    data = {"kind": "isolate", "ids": str(row.pk), "reason": "akhir bulan", "request_key": "k1", "step": "count"}
    assert "Isolate 1 service?" in client.post(url, data).content.decode()
    assert not BillingRun.objects.exists()
    for _n in range(2):
        assert client.post(url, data | {"step": "do"}).status_code == 302
    run = BillingRun.objects.get()
    assert (run.kind, run.total) == ("isolate", 1)
    body = client.get(page(run)).content.decode()
    assert "Isolate many" in body
    assert client.post(reverse("admin:billing_billingrun_cancel", args=[run.pk])).status_code == 302
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_plan_form_takes_terms_and_discounts_for_months_ahead(world: World, login: Login, offer: Plan) -> None:
    client = login(world.admin)
    url = reverse("admin:billing_plan_change", args=[offer.pk])
    data = {
        "name": "Rumah 10M", "type": "pppoe", "price_sell": "150000", "price_cost": "0", "validity_from": "first_login",
        "shared_users": "1", "is_active": "on", "billing_mode": "postpaid", "period_mode": "fixed_day", "fixed_day": "5",
        "prepay_discounts-TOTAL_FORMS": "2", "prepay_discounts-INITIAL_FORMS": "0", "prepay_discounts-0-months": "3",
        "prepay_discounts-0-percent": "5", "prepay_discounts-1-months": "12", "prepay_discounts-1-percent": "15",
    }  # fmt: skip
    response = client.post(url, data)
    assert response.status_code == 302, response.content.decode()[-3000:]
    offer.refresh_from_db()
    assert (offer.billing_mode, offer.period_mode, offer.fixed_day, offer.grace_days) == (
        "postpaid",
        "fixed_day",
        5,
        10,
    )
    assert dict(PrepayDiscount.objects.values_list("months", "percent")) == {3: Decimal(5), 12: Decimal(15)}


def test_tax_rates_and_coupons_are_written(world: World, login: Login) -> None:
    client = login(world.admin)
    tax = {"name": "PPN", "percent": "11", "valid_from": date(2026, 1, 1).isoformat()}
    assert client.post(reverse("admin:billing_taxrate_add"), tax).status_code == 302
    coupon = {"code": "HEMAT", "kind": "percent", "value": "10", "bills": "2", "is_active": "on"}
    assert client.post(reverse("admin:billing_coupon_add"), coupon).status_code == 302
    for name in ("taxrate", "coupon", "billingrun"):
        assert client.get(reverse(f"admin:billing_{name}_changelist")).status_code == 200

"""The customer page: who may open it, what stands on it, and what it costs."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Invoice, Promise
from core.csp import STRICT
from core.settings_registry import setting_change
from customers.models import Contact, Customer
from customers.services import customer_create, customer_note_add
from dashboard.links import Step
from locations.models import AccessAccount, RouterState
from tests.integration.dashboard.conftest import Login
from tests.integration.dashboard.world import (
    HOUR,
    NOW,
    TODAY,
    World,
    add_bill,
    add_bills,
    add_service,
    go_online,
    grant,
    move,
    pay,
)


def page_of(customer: Customer) -> str:
    return reverse("dashboard:customer", args=[customer.pk])


def text_of(html: str) -> str:
    """What a person reads: no tags, one space."""
    plain = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(plain.replace("&#x27;", "'").replace("&amp;", "&").split())


def read(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer
    return text_of(answer.content.decode())


def test_an_isolated_customer_and_what_to_do(world: World, login: Login) -> None:
    service = add_service(world, "sri", status="isolated")
    bill = add_bill(service, date(2026, 11, 1), date(2026, 11, 10))
    shown = read(login(world.boss), page_of(world.customer))
    assert "Owes IDR 150,000" in shown
    assert (
        f"Why it is offline Isolated since 14 Nov: invoice {bill.number} of IDR 150,000 was due 10 Nov. "
        "Take a payment or write a promise." in shown
    )
    assert "Isolated Why it is offline" in shown.replace("block ", "").replace("error ", "")
    assert "check_circle On router, checked 12 s ago" in shown
    assert f"{bill.number} IDR 150,000 error Overdue since 10 Nov sri, 1 Nov to 30 Nov" in shown
    assert "Next bill 1 Dec 2026: IDR 150,000 for 1 – 31 Dec 2026" in shown


def test_the_next_bill_is_the_one_the_night_will_make(world: World, login: Login) -> None:
    """Its day is neither the first unbilled day of one that pays afterwards, nor that of a part that waits for its month."""
    setting_change("billing.lead_days", "5")
    fixed = {"period_mode": "fixed_day", "fixed_day": 10}
    add_service(world, "ahead", billed_until=date(2026, 12, 1))
    add_service(world, "after", billing_mode="postpaid", billed_until=date(2026, 11, 1), tax_mode="exclusive")
    add_service(world, "merged", **fixed, first_bill="merged", started_on=TODAY, billed_until=TODAY)
    add_service(world, "off", status="paused", paused_on=TODAY)
    shown = read(login(world.boss), page_of(world.customer))
    for sentence in (
        "5 Dec 2026: IDR 240,000 for 22 Nov 2026 – 9 Jan 2027",
        "1 Dec 2026: IDR 150,000 before tax for 1 – 30 Nov 2026",
        "26 Nov 2026: IDR 150,000 for 1 – 31 Dec 2026",
    ):
        assert f"Next bill {sentence}" in shown
    assert shown.count("Next bill") == 3


def test_an_online_customer_with_live_session_and_credit(world: World, login: Login) -> None:
    service = add_service(world, "sri", expiry_date=date(2026, 11, 30))
    go_online(service)
    pay(world, 20_000)
    shown = read(login(world.boss), page_of(world.customer))
    assert "IDR 20,000 in credit" in shown
    assert "Online Online for 3 h 20 min with address 10.5.0." in shown
    assert "AA:BB:CC:00:00:01, 3 h 20 min, 3 GB" in shown
    assert "Paid until 30 Nov 2026" in shown
    assert "No open bill." in shown
    assert "IDR 20,000 check_circle Paid Cash at the counter · 22 Nov 2026 14.00 · kepala" in shown


def test_each_service_has_its_own_explanation(world: World, login: Login) -> None:
    add_service(world, "toko", location=world.far)
    add_service(world, "rumah")
    RouterState.objects.filter(location=world.far).update(reach="offline", reach_since=NOW - HOUR)
    AccessAccount.objects.filter(location=world.far).update(revision=9)
    shown = read(login(world.boss), page_of(world.customer))
    assert "Router offline since 13.00; 1 change waits." in shown
    assert "Not online; last seen 22 Nov 2026 13.00 (1 h ago)." in shown
    # the operator of one place is shown what is there
    shown = read(login(world.operator), page_of(world.customer))
    assert ("rumah" in shown, "toko" in shown) == (True, False)


def test_the_step_is_offered_only_where_it_leads_somewhere(world: World) -> None:
    step = Step("Open", "/d/", "locations.view_location")
    assert step.is_open_to(world.operator)
    assert not step.is_open_to(AnonymousUser())
    assert not Step("Open", "", "locations.view_location").is_open_to(world.boss)
    assert not Step("Open", "/d/", "accounts.change_user").is_open_to(world.operator)


def test_merged_customers_are_shown_together(world: World, login: Login) -> None:
    loser = customer_create(actor=None, name="Sri W.", location=world.near)
    grandchild = customer_create(actor=None, name="S. Wahyuni", location=world.near)
    old = add_service(world, "lama", customer=loser)
    add_bill(old, date(2026, 10, 1), date(2026, 12, 24))
    Contact.objects.create(customer=loser, name="Pak Budi", phone="+628111", role="billing")
    Customer.objects.filter(pk=grandchild.pk).update(merged_into=loser)
    Customer.objects.filter(pk=loser.pk).update(merged_into=world.customer)
    client = login(world.boss)
    for merged in (loser, grandchild):
        answer = client.get(page_of(merged))
        assert (answer.status_code, answer.headers["Location"]) == (302, page_of(world.customer))
    shown = read(client, page_of(world.customer))
    assert f"Shown together with what was merged: Sri W. ({loser.number}), S. Wahyuni ({grandchild.number})" in shown
    assert ("lama" in shown, "Pak Budi" in shown, "Open, due 24 Dec" in shown) == (True, True, True)


def test_who_may_open_it(world: World, login: Login) -> None:
    add_service(world, "sri")
    client = Client()
    urls = [page_of(world.customer)] + [
        reverse(f"dashboard:{name}", args=[world.customer.pk]) for name in ("services", "timeline")
    ]
    for url in urls:
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={url}")
        assert login(world.clerk).get(url).status_code == 403
        assert login(world.stranger).get(url).status_code == 404
        assert login(world.operator).get(url).status_code == 200
        assert login(world.operator).post(url).status_code == 405
        assert login(world.boss).get(url.replace(f"/{world.customer.pk}/", "/999999/")).status_code == 404
    for user in (world.clerk, world.operator):
        grant(user, "customers.view_customer")
    world.operator.is_active = False
    world.operator.save(update_fields=["is_active"])
    assert login(world.operator).get(urls[0]).status_code == 302


def test_parts_without_the_right_are_not_shown(world: World, login: Login) -> None:
    service = add_service(world, "sri")
    add_bill(service, date(2026, 11, 1), date(2026, 11, 30))
    pay(world, 10_000)
    grant(world.clerk, "customers.view_customer")
    client = login(world.clerk)
    shown = read(client, page_of(world.customer))
    assert "Bu Sri Wahyuni" in shown
    for hidden in ("Services", "Bills", "Payments", "INV/", "sri,", "Cash at the counter"):
        assert hidden not in shown, hidden
    assert client.get(reverse("dashboard:services", args=[world.customer.pk])).status_code == 404


def test_nothing_inline_nothing_from_elsewhere_nothing_stored(world: World, login: Login) -> None:
    add_service(world, "sri")
    answer = login(world.boss).get(page_of(world.customer))
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert {part.split(" ")[0] for part in policy.split("; ")} == set(STRICT)
    assert "no-store" in answer.headers["Cache-Control"]
    html = answer.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son\w+=|javascript:|https?://", html) == []


def test_texts_of_people_are_escaped(world: World, login: Login) -> None:
    evil = "<img src=x onerror=alert(1)>"
    service = add_service(world, "sri", note=evil)
    Customer.objects.filter(pk=world.customer.pk).update(
        name=evil, notes=evil, address=evil, area=evil, tags=[evil[:30]]
    )
    move(service, "active", "paused", NOW, reason=evil)
    html = login(world.boss).get(page_of(world.customer)).content.decode()
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x") >= 7


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code == 200
    return len(queries)


@pytest.mark.parametrize("who", ["boss", "operator"])
def test_the_number_of_queries_does_not_grow(world: World, login: Login, who: str) -> None:
    client, url = login(getattr(world, who)), page_of(world.customer)
    add_bill(add_service(world, "first"), date(2026, 11, 1), date(2026, 11, 10))
    few = queries_of(client, url)
    for number in range(9):
        service = add_service(world, f"line-{number}", status="isolated" if number % 2 else "active")
        go_online(service)
        Promise.objects.create(subscription=service, until_on=date(2026, 11, 25), at=NOW)
        pay(world, 1_000, key=str(number))
        customer_note_add(world.customer, text="calls often", actor=None)
    add_bills(service, 500)
    many = queries_of(client, url)
    assert many == few
    assert few <= 43  # five of them: what is on the next bills; one: drafts of bills


def test_a_customer_with_500_bills_is_answered_with_a_bounded_page(world: World, login: Login) -> None:
    services = [add_service(world, f"line-{number}") for number in range(10)]
    add_bills(services[0], 500)
    assert Invoice.objects.count() == 500
    answer = login(world.boss).get(page_of(world.customer))
    html = answer.content.decode()
    assert html.count("Overdue since") == 20
    assert html.count('<article class="d-card d-service"') == 10
    assert len(html) < 100_000
    assert Customer.objects.get(pk=world.customer.pk).debt == Decimal(75_000_000)


def test_services_come_alone_for_the_live_part(world: World, login: Login) -> None:
    add_service(world, "sri")
    html = login(world.boss).get(reverse("dashboard:services", args=[world.customer.pk])).content.decode()
    assert html.lstrip().startswith("<article")
    assert "<html" not in html

"""One list of everything that happened: complete, in order, each line once, whatever shares a moment."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Promise
from customers.services import customer_change
from dashboard.selectors.scope import family_of
from dashboard.selectors.timeline import PAGE, Key, key_parse, timeline_page
from tests.integration.dashboard.conftest import Login
from tests.integration.dashboard.test_customer_page import text_of
from tests.integration.dashboard.world import DAY, HOUR, NOW, World, add_bill, add_service, grant, move, pay


def told(world: World, user: str = "boss") -> list[str]:
    family = family_of(world.customer.pk, getattr(world, user), NOW)
    assert family is not None
    return [f"{line.text}{' by ' + line.who if line.who else ''}" for line in timeline_page(family).lines]


def test_a_life_in_order(world: World) -> None:
    service = add_service(world, "sri")
    bill = add_bill(service, date(2026, 11, 1), date(2026, 11, 10), now=NOW - 7 * DAY)
    move(service, "active", "grace", NOW - 6 * DAY)
    move(service, "grace", "isolated", NOW - 5 * DAY, actor=world.boss, reason="asked twice")
    Promise.objects.create(
        subscription=service, until_on=date(2026, 11, 25), at=NOW - 4 * DAY, actor=world.operator, status="kept",
        ended_at=NOW - 2 * HOUR,
    )  # fmt: skip
    pay(world, 170_000, now=NOW - 2 * HOUR, actor=world.operator)
    move(service, "isolated", "active", NOW - HOUR)
    customer_change(world.customer, actor=world.boss, now=NOW, area="ODP-08")
    assert told(world) == [
        "Customer changed by kepala",
        "Router “Pos 2” confirmed login sri",
        "Service sri open again",
        "IDR 170,000 paid (Cash at the counter) by kasir",
        f"Invoice {bill.number} is settled",
        "Promise to pay for sri kept",
        "Promised to pay for sri by 25 Nov by kasir",
        "Service sri isolated by kepala",
        "Service sri overdue, still open",
        f"Invoice {bill.number} of IDR 150,000",
        "Service sri started",
        "Customer written down",
    ]


def test_lines_are_those_the_person_may_see(world: World) -> None:
    service = add_service(world, "sri", location=world.far)
    add_bill(service, date(2026, 11, 1), date(2026, 11, 10))
    grant(world.clerk, "customers.view_customer")
    assert told(world, "operator") == ["Customer written down"]
    assert told(world, "clerk") == ["Customer written down"]
    assert len(told(world)) == 4


def read_all(client: Client, url: str) -> list[str]:
    """Every line of the timeline, page by page, by the links a person would press."""
    found: list[str] = []
    for _page in range(20):
        html = client.get(url).content.decode()
        found += [text_of(part) for part in re.findall(r"<li class=.*?</li>", html, re.DOTALL)]
        match = re.search(r'href="([^"]+before=[^"]+)"', html)
        if match is None:
            return found
        url = match[1]
    raise AssertionError("the timeline does not end")


@pytest.mark.parametrize("step", [timedelta(0), timedelta(microseconds=1), timedelta(hours=1)])
def test_pages_leave_nothing_out_and_repeat_nothing(world: World, login: Login, step: timedelta) -> None:
    """Also when everything happened in the same microsecond."""
    service = add_service(world, "sri")
    for number in range(2 * PAGE):
        move(service, "active", "active", NOW - number * step, reason=f"move {number}")
        Promise.objects.create(
            subscription=service, until_on=date(2026, 11, 25), at=NOW - number * step, status="kept", ended_at=NOW,
            note=f"promise {number}",
        )  # fmt: skip
    lines = read_all(login(world.boss), reverse("dashboard:timeline", args=[world.customer.pk]))
    assert len(lines) == 2 * PAGE * 3 + 3
    for number in range(2 * PAGE):
        assert sum(f"move {number} " in line for line in lines) == 1
        assert sum(f"promise {number} " in line for line in lines) == 1


def test_a_part_for_htmx_and_a_page_without(world: World, login: Login) -> None:
    add_service(world, "sri")
    client, url = login(world.boss), reverse("dashboard:timeline", args=[world.customer.pk])
    assert "<html" in client.get(url).content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert ("<html" in part, "Service sri started" in part) == (False, True)


@pytest.mark.parametrize(
    "text", ["", "x", "1.2", "1.2.3.4", "-1.0.1", "99999999999999999999.1.1", "1.1.9999999999999999999", "1.٣.1"]
)
def test_a_key_that_is_none_begins_at_the_top(world: World, login: Login, text: str) -> None:
    assert key_parse(text) is None
    url = reverse("dashboard:timeline", args=[world.customer.pk])
    assert login(world.boss).get(url, {"before": text}).status_code == 200


def test_a_key_is_read_as_it_was_written() -> None:
    key = Key(NOW.replace(microsecond=123_456), 3, 42)
    assert key_parse(str(key)) == key
    assert key_parse("99999999999999999.99.999999999999999999") is not None

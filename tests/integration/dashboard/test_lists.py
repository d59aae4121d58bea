"""The landing page and the customer lists behind its numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.test import Client
from django.urls import reverse

from customers.models import Customer
from customers.services import customer_create
from locations.models import AccessAccount, Location, RouterState
from tests.integration.dashboard.conftest import Login
from tests.integration.dashboard.test_customer_page import page_of, queries_of, read
from tests.integration.dashboard.world import DAY, HOUR, NOW, World, add_bill, add_service, move

HOME, CUSTOMERS = reverse("dashboard:home"), reverse("dashboard:customers")


def owes(world: World, name: str, amount: int, location: Location | None = None) -> Customer:
    place = location or world.near
    customer = customer_create(actor=None, name=name, location=place)
    service = add_service(world, name.lower(), customer=customer, location=place)
    add_bill(service, date(2026, 11, 1), date(2026, 11, 10), amount=Decimal(amount))
    return customer


def names(client: Client, **query: str) -> list[str]:
    found = client.get(CUSTOMERS, query).context["found"]
    return [row.customer.name for row in found.rows]


def test_what_needs_somebody_today(world: World, login: Login) -> None:
    owes(world, "Agus", 100_000)
    owes(world, "Dewi", 300_000)
    cut = add_service(world, "sri", status="isolated")
    move(cut, "grace", "isolated", NOW - 2 * HOUR)
    RouterState.objects.filter(location=world.far).update(reach="offline", reach_since=NOW - HOUR)
    add_service(world, "jauh", location=world.far)
    AccessAccount.objects.filter(location=world.far).update(revision=9)
    shown = read(login(world.boss), HOME)
    assert "Owe most 2 customers IDR 400,000 Dewi IDR 300,000 Agus IDR 100,000" in shown
    assert "Isolated today All isolated 1 Bu Sri Wahyuni sri 22 Nov 2026 12.00" in shown
    assert "Routers offline All routers 1 Pos 7 cloud_off Router offline since 13.00; 1 change waits" in shown


def test_a_quiet_day(world: World, login: Login) -> None:
    shown = read(login(world.boss), HOME)
    for sentence in ("Nobody owes anything.", "Nobody was cut off today.", "Every router answers."):
        assert sentence in shown


def test_yesterday_and_reopened_are_not_today(world: World, login: Login) -> None:
    yesterday = add_service(world, "kemarin", status="isolated")
    move(yesterday, "grace", "isolated", NOW - DAY)
    reopened = add_service(world, "buka")
    move(reopened, "grace", "isolated", NOW - 3 * HOUR)
    move(reopened, "isolated", "active", NOW - HOUR)
    assert "Nobody was cut off today." in read(login(world.boss), HOME)


def test_everybody_sees_his_places(world: World, login: Login) -> None:
    owes(world, "Dekat", 100_000)
    owes(world, "Jauh", 200_000, location=world.far)
    RouterState.objects.filter(location=world.far).update(reach="offline", reach_since=NOW - HOUR)
    near, far = read(login(world.operator), HOME), read(login(world.stranger), HOME)
    assert ("Dekat" in near, "Jauh" in near, "Every router answers." in near) == (True, False, True)
    assert ("Dekat" in far, "Jauh" in far, "Router offline since" in far) == (False, True, True)
    assert names(login(world.operator)) == ["Dekat", "Bu Sri Wahyuni"]
    assert names(login(world.stranger), show="owing") == ["Jauh"]
    assert names(login(world.stranger), q="Dekat") == []


def test_who_may_open_the_lists(world: World, login: Login) -> None:
    for url in (HOME, CUSTOMERS):
        answer = Client().get(url)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={url}")
    assert login(world.clerk).get(CUSTOMERS).status_code == 403
    page = read(login(world.clerk), HOME)
    assert ("Owe most" in page, "Find a customer" in page, "Isolated today" in page) == (False, False, False)


def test_customers_are_found_by_what_people_say(world: World, login: Login) -> None:
    add_service(world, "sri@pos2")
    client = login(world.boss)
    for query in ("wahyu", "0812 3456 7890", world.customer.number, "sri wah", "sri@pos2"):
        assert names(client, q=query) == ["Bu Sri Wahyuni"], query
    assert names(client, q="nobody") == []
    assert "Nobody found for “nobody”" in read(client, f"{CUSTOMERS}?q=nobody")


def test_the_lists(world: World, login: Login) -> None:
    rich, poor = owes(world, "Agus", 100_000), owes(world, "Dewi", 300_000)
    cut = add_service(world, "toko", status="isolated", customer=rich)
    move(cut, "grace", "isolated", NOW - HOUR)
    add_service(world, "lama", status="isolated", customer=poor)
    client = login(world.boss)
    assert names(client) == ["Dewi", "Agus", "Bu Sri Wahyuni"]
    assert names(client, show="owing") == ["Dewi", "Agus"]
    assert names(client, show="isolated") == ["Dewi", "Agus"]
    assert names(client, show="isolated-today") == ["Agus"]
    assert names(client, show="nonsense") == ["Dewi", "Agus", "Bu Sri Wahyuni"]
    shown = read(client, f"{CUSTOMERS}?show=isolated-today")
    assert "agus check_circle Active toko block Isolated" in shown


def test_pages_by_key(world: World, login: Login) -> None:
    made = [customer_create(actor=None, name=f"Orang {number:02}", location=world.near).pk for number in range(60)]
    client, before, found = login(world.boss), "", []
    for _page in range(5):
        page = client.get(CUSTOMERS, {"q": "orang", "before": before}).context["found"]
        found += [row.customer.pk for row in page.rows]
        before = page.older
        if not before:
            break
    assert found == sorted(made, reverse=True)
    for number in range(30):
        owes(world, f"Utang{number}", 100_000 + number // 10)
    first = client.get(CUSTOMERS, {"show": "owing"}).context["found"]
    second = client.get(CUSTOMERS, {"show": "owing", "before": first.older}).context["found"]
    debts = [row.customer.debt for row in [*first.rows, *second.rows]]
    assert (len(debts), debts, second.older) == (30, sorted(debts, reverse=True), "")
    assert len({row.customer.pk for row in [*first.rows, *second.rows]}) == 30
    assert client.get(CUSTOMERS, {"before": "'; drop"}).status_code == 200


def test_the_number_of_queries_does_not_grow(world: World, login: Login) -> None:
    client = login(world.boss)
    owes(world, "Satu", 100_000)
    few = {url: queries_of(client, url) for url in (HOME, CUSTOMERS, f"{CUSTOMERS}?show=owing")}
    for number in range(20):
        cut = add_service(world, f"sri-{number}", status="isolated", customer=owes(world, f"Orang{number}", 100_000))
        move(cut, "grace", "isolated", NOW - HOUR)
    assert {url: queries_of(client, url) for url in few} == few
    assert max(few.values()) <= 14


def test_the_way_from_the_admin(world: World, login: Login) -> None:
    from core.panels import row_panels

    class Asked:
        user = world.boss

    def ours() -> list[str]:
        panels = row_panels(Asked(), world.customer)  # type: ignore[arg-type]  # only `user` is asked
        return [panel["body"] for panel in panels if f'href="{page_of(world.customer)}"' in panel["body"]]

    assert len(ours()) == 1
    Asked.user = world.clerk
    assert ours() == []

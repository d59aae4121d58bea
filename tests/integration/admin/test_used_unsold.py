"""Used, never sold: the figures per location, the codes behind them, and that a sale takes one off the list."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync
from billing.ledger.checking import ledger_check
from billing.services.drawers import drawer_amount
from tests.integration.payments.test_pages import person
from tests.integration.vouchers.test_validity import account_ids
from tests.integration.vouchers.world import HOUR, NOW, make_batch, make_location, make_plan, vouchers_of
from vouchers.models import Voucher
from vouchers.selectors_unsold import unsold_places, used_unsold, used_unsold_at
from vouchers.services import voucher_move, voucher_sell, voucher_void, vouchers_activate, vouchers_sell

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    return client


def world() -> tuple[User, User, dict[str, list[Voucher]]]:
    """Pos 1: two used codes at 5000, Pos 2: one at 7000, both places: one at 5000, given away: one at 0."""
    roles_sync()
    one, two = make_location("Pos 1"), make_location("Pos 2")
    boss, operator = person("boss", Role.ADMIN), person("siti", Role.OPERATOR, one)
    daily, dear, free = (
        make_plan(name, one, two, price_sell=price)
        for name, price in (("Harian", 5000), ("Malam", 7000), ("Gratis", 0))
    )
    codes = {
        "one": vouchers_of(make_batch(daily, one)), "two": vouchers_of(make_batch(dear, two)),
        "both": vouchers_of(make_batch(daily, one, two)), "free": vouchers_of(make_batch(free, one)),
    }  # fmt: skip
    used = [codes["one"][0], codes["one"][1], codes["two"][0], codes["both"][0], codes["free"][0]]
    vouchers_activate([(account_ids(row)[0], NOW + HOUR * n) for n, row in enumerate(used)], now=NOW)
    return boss, operator, codes


def figures(user: User) -> list[tuple[str, int, int]]:
    return [(line.location.name if line.location else "", line.count, int(line.amount)) for line in unsold_places(user)]


def test_figures_by_place_are_what_is_used_and_not_sold() -> None:
    boss, operator, codes = world()
    assert figures(boss) == [("Pos 1", 2, 10_000), ("Pos 2", 1, 7_000), ("", 1, 5_000)]
    assert figures(operator) == [("Pos 1", 2, 10_000), ("", 1, 5_000)]
    place = unsold_places(boss)[0]
    assert place.location is not None
    assert place.oldest_at == NOW
    assert set(used_unsold_at(boss, place.location.pk)) == set(codes["one"][:2])
    assert list(used_unsold_at(boss, 0)) == [codes["both"][0]]
    voucher_sell(codes["one"][0], actor=boss, request_key="k1", now=NOW)
    voucher_void(codes["one"][1], actor=boss, reason="leaked", now=NOW)
    voucher_move(codes["both"][0], location=place.location, actor=boss, now=NOW)
    assert figures(boss) == [("Pos 2", 1, 7_000), ("Pos 1", 1, 5_000)]


def test_the_pages_say_it_and_a_sale_takes_it_off() -> None:
    boss, operator, codes = world()
    client, url = client_of(boss), reverse("admin:used_unsold")
    with_tile = client.get(reverse("admin:index")).content.decode().count("Used, never sold")
    page = client.get(url).content.decode()
    assert "4 vouchers were used and no sale of them is recorded: IDR 22,000." in page
    place = unsold_places(boss)[0].location
    assert place is not None
    behind = client.get(url, {"place": place.pk}).content.decode()
    assert [row.code in behind for row in codes["one"]] == [True, True, False]
    assert codes["two"][0].code not in client_of(operator).get(url, {"place": "2"}).content.decode()
    csv = b"".join(client.get(url, {"format": "csv"})).decode()  # type: ignore[arg-type]
    assert [line.split(",")[:3] for line in csv.strip("\ufeff").splitlines()[1:]] == [
        ["Pos 1", "2", "10000"], ["Pos 2", "1", "7000"], ["several places", "1", "5000"], ["Total", "4", "22000"],
    ]  # fmt: skip
    shown = client.get(reverse("admin:vouchers_voucher_change", args=[codes["one"][0].pk])).content.decode()
    assert "no sale recorded, and used" in shown
    for row in used_unsold(boss):
        form = {"amount": "5000", "request_key": f"k{row.pk}"}
        assert client.post(reverse("admin:vouchers_voucher_sell", args=[row.pk]), form).status_code == 302
    assert "0 vouchers were used" in client.get(url).content.decode()
    assert (
        client.get(reverse("admin:index")).content.decode().count("Used, never sold") == with_tile - 1
    )  # the menu stays
    assert (drawer_amount(boss.pk), ledger_check().findings) == (20_000, {})


def test_many_are_recorded_at_once_and_change_nothing_on_routers() -> None:
    boss, _operator, codes = world()
    rows = codes["one"]
    ends = [Voucher.objects.get(pk=row.pk).valid_until for row in rows[:2]]
    done = vouchers_sell([row.pk for row in rows], actor=boss, request_key="b", now=NOW + HOUR)
    again = vouchers_sell([row.pk for row in rows], actor=boss, request_key="b", now=NOW + HOUR)
    assert (done.count, done.amount, done.skipped, again.count) == (3, 15_000, 0, 3)
    after = [Voucher.objects.get(pk=row.pk) for row in rows]
    assert [row.status for row in after] == ["active", "active", "sold"]
    assert [row.valid_until for row in after[:2]] == ends
    assert drawer_amount(boss.pk) == 15_000


def test_over_rest() -> None:
    _boss, operator, codes = world()
    client = APIClient()
    client.force_authenticate(operator)
    found = client.get("/api/v1/vouchers/", {"is_used_unsold": "true"}).json()["results"]
    assert {row["code"] for row in found} == {codes["one"][0].code, codes["one"][1].code, codes["both"][0].code}
    rest = client.get("/api/v1/vouchers/", {"is_used_unsold": "false"}).json()["results"]
    assert len(rest) == 9 - 3

"""Filters by another row, asked as a browser without JavaScript asks: exactly the right rows, nothing of others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.admin import UserAdmin
from accounts.models import ActivityLog, User
from billing.services import plan_create, plan_publish
from locations.models import AccessAccount
from tests.integration.admin.world import World
from vouchers.models import Voucher, VoucherBatch
from vouchers.services import batch_create

Login = Callable[[User], Client]
VOUCHERS, BATCHES = "admin:vouchers_voucher_changelist", "admin:vouchers_voucherbatch_changelist"
ACCOUNTS = "admin:locations_accessaccount_changelist"


def shown(client: Client, name: str, **query: int | str) -> list[int]:
    """The rows of every page of the list, as the person turns them."""
    url, found = reverse(name), []
    response = client.get(url, query)
    while True:
        changelist = response.context["cl"]
        found += [row.pk for row in changelist.result_list]
        if not changelist.older:
            return found
        response = client.get(url + changelist.older)


def options(html: str, name: str) -> list[tuple[str, str]]:
    """Value and text of each option of one `<select>`."""
    select = re.search(rf'<select name="{name}".*?</select>', html, re.DOTALL)
    assert select is not None
    found = re.findall(r'<option value="([^"]*)"[^>]*>\s*(.*?)\s*</option>', select[0], re.DOTALL)
    return [(value, text) for value, text in found]


def keys(rows: object) -> list[int]:
    return list(rows.order_by("-pk").values_list("pk", flat=True))  # type: ignore[attr-defined]


def test_batches_of_a_plan_from_a_plain_list(world: World, login: Login) -> None:
    other = plan_create(actor=world.boss, name="Mingguan", price_sell=20_000, price_cost=1, duration_seconds=604_800)
    plan_publish(other, [world.near], actor=world.boss)
    mine = batch_create(plan=other, locations=[world.near], quantity=1, actor=world.boss)
    client = login(world.boss)
    html = client.get(reverse(BATCHES)).content.decode()
    assert options(html, "plan__id__exact") == [
        ("", "All"), (str(other.pk), "Mingguan"), (str(world.plan.pk), world.plan.name),
    ]  # fmt: skip
    assert "select2" not in html
    assert shown(client, BATCHES, plan__id__exact=other.pk) == [mine.pk]
    assert shown(client, BATCHES, plan__id__exact=world.plan.pk) == keys(VoucherBatch.objects.filter(plan=world.plan))
    assert len(shown(client, BATCHES, plan__id__exact="")) == VoucherBatch.objects.count()


def test_logins_of_a_location_from_the_persons_own_locations(world: World, login: Login) -> None:
    boss, operator = login(world.boss), login(world.operator)
    at_far = keys(AccessAccount.objects.filter(location=world.far))
    assert len(at_far) == 30
    assert shown(boss, ACCOUNTS, location__id__exact=world.far.pk) == at_far
    assert shown(operator, ACCOUNTS, location__id__exact=world.far.pk) == []
    html = operator.get(reverse(ACCOUNTS)).content.decode()
    assert options(html, "location__id__exact") == [("", "All"), (str(world.near.pk), "Pos 2")]


def test_vouchers_of_a_batch_by_its_written_number(world: World, login: Login) -> None:
    client, url = login(world.boss), reverse(VOUCHERS)
    of_batch = keys(Voucher.objects.filter(batch=world.batch))
    assert len(of_batch) == 40
    assert shown(client, VOUCHERS, batch__text=f" {world.batch.pk} ") == of_batch
    new = keys(Voucher.objects.filter(batch=world.batch, status="new"))
    assert shown(client, VOUCHERS, batch__text=world.batch.pk, status__exact="new") == new
    asked: dict[str, int | str] = {"batch__text": world.batch.pk, "status__exact": "new", "q": "POS2"}
    html = client.get(url, asked).content.decode()
    plain = re.search(r"<noscript>\s*<form.*?</noscript>", html, re.DOTALL)
    assert plain is not None
    assert f'name="batch__text" value="{world.batch.pk}"' in plain[0]
    assert '<input type="hidden" name="status__exact" value="new">' in plain[0]
    assert '<input type="hidden" name="q" value="POS2">' in plain[0]
    assert world.batch.name in html


@pytest.mark.parametrize("text", ["0", "999999999", "9" * 30, "Kios", "1\x002x", "' OR 1=1 --"])
def test_a_text_that_fits_nothing_shows_nothing(world: World, login: Login, text: str) -> None:
    assert shown(login(world.boss), VOUCHERS, batch__text=text) == []


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "²", "1 2"])
def test_a_number_that_is_none_shows_nothing(world: World, login: Login, value: str) -> None:
    assert shown(login(world.boss), VOUCHERS, batch__id__exact=value) == []
    assert shown(login(world.boss), BATCHES, plan__id__exact=value) == []


def test_an_operator_cannot_ask_for_a_batch_of_another_place(world: World, login: Login) -> None:
    far = batch_create(plan=world.plan, locations=[world.far], quantity=1, actor=world.boss)
    response = login(world.operator).get(reverse(VOUCHERS), {"batch__text": far.pk})
    assert response.context["cl"].result_list == []
    assert far.name not in response.content.decode()


def test_several_that_fit_are_offered_and_nothing_is_shown_before_one_is_chosen(
    world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staff are a small table; asked as a growing one, with a search by name, the filter offers who fits."""
    client = login(world.boss)
    for user in (world.admin, world.operator):
        ActivityLog.objects.create(user=user, action="test.done", details={})
    url = reverse("admin:accounts_activitylog_changelist")
    monkeypatch.setattr(UserAdmin, "is_small_table", False)
    several = client.get(url, {"user__text": "a"})
    assert several.context["cl"].result_list == []
    html = several.content.decode()
    for user in (world.boss, world.admin, world.operator):
        assert f'<a href="?user__id__exact={user.pk}" class="mb-chip">' in html
    one = client.get(url, {"user__text": "kasir"}).context["cl"].result_list
    assert {row.user_id for row in one} == {world.operator.pk}
    monkeypatch.setattr("core.admin.filters.OFFERED", 2)
    html = client.get(url, {"user__text": "a"}).content.decode()
    assert html.count('href="?user__id__exact=') == 2
    assert "More fit; write more of it." in html

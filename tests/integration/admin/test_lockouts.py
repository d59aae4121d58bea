"""Who is locked out of login: told to a Super Admin on the overview and the people's list, and ended on the person's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.lockouts import PER_ACCOUNT
from accounts.models import ActivityLog, User
from tests.integration.admin.world import PASSWORD, World

Login = Callable[[User], Client]
INDEX, LIVE, PEOPLE = (reverse(f"admin:{name}") for name in ("index", "live", "accounts_user_changelist"))
NOTE = "Locked out of login now"
# the counters' windows begin at times that depend on the counted name; the tests stand still in the middle of one
MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def fail_to_log_in(name: str) -> None:
    for n in range(PER_ACCOUNT + 1):
        data = {"username": name, "password": "wrong"}
        assert Client().post(reverse("admin:login"), data, REMOTE_ADDR=f"198.51.100.{n}").status_code == 200


def tiles(client: Client, url: str) -> list[tuple[str, str, str, str]]:
    response = client.get(url)
    assert response.status_code == 200
    panels = [panel for panel in response.context["panels"] if panel["title"] == "Login"]
    assert response.content.decode().count("<h2>Login</h2>") == len(panels)
    return [(str(t.label), t.value, t.url, str(t.hint)) for panel in panels for t in panel["tiles"]]


def test_a_super_admin_is_led_to_it_from_the_overview(world: World, login: Login) -> None:
    boss = login(world.boss)
    assert (tiles(boss, INDEX), tiles(boss, LIVE)) == ([], [])
    assert NOTE not in boss.get(PEOPLE).content.decode()
    fail_to_log_in(world.operator.username)
    [[label, value, url, hint]] = tiles(boss, INDEX)
    assert (label, value, url) == (NOTE, "1", PEOPLE)
    assert hint.startswith("The last one ends at ")
    assert tiles(boss, LIVE) == tiles(boss, INDEX)
    page = boss.get(PEOPLE).content.decode()
    assert NOTE in page
    assert f"<li>{world.operator.username} · until " in page


def test_an_admin_and_an_operator_are_told_nothing(world: World, login: Login) -> None:
    fail_to_log_in(world.operator.username)
    client = login(world.admin)
    assert (tiles(client, INDEX), tiles(client, LIVE)) == ([], [])
    response = client.get(PEOPLE)
    assert response.status_code == 200
    assert NOTE not in response.content.decode()
    assert tiles(login(world.operator), INDEX) == []


def test_a_super_admin_ends_it_on_the_persons_page(
    world: World, login: Login, django_capture_on_commit_callbacks: Any
) -> None:
    fail_to_log_in(world.operator.username)
    boss = login(world.boss)
    page = reverse("admin:accounts_user_change", args=[world.operator.pk])
    end = reverse("admin:accounts_user_unlock", args=[world.operator.pk])
    assert f'action="{end}"' in boss.get(page).content.decode()
    assert login(world.admin).post(end).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        assert boss.post(end, follow=True).redirect_chain == [(page, 302)]
    assert ActivityLog.objects.filter(action="user.unlocked", user=world.boss).count() == 1
    assert tiles(boss, INDEX) == []
    assert NOTE not in boss.get(PEOPLE).content.decode()
    assert end not in boss.get(page).content.decode()
    data = {"username": world.operator.username, "password": PASSWORD}
    assert Client().post(reverse("admin:login"), data).status_code == 302


def test_it_is_gone_from_both_when_its_time_is_over(world: World, login: Login, clock: Any) -> None:
    fail_to_log_in(world.operator.username)
    clock.shift(timedelta(seconds=301))
    boss = login(world.boss)
    assert tiles(boss, INDEX) == []
    assert NOTE not in boss.get(PEOPLE).content.decode()

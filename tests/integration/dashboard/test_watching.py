"""The pages of traffic as it is now: what they say in each state, and for whom. The readings themselves: locations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse

from core.errors import DomainError
from dashboard.selectors import watching
from locations.models import InterfaceTraffic, RouterSession
from locations.services import Sample, Watch
from locations.sync.sessions import record_of, records_write
from locations.sync.usage import Growth, usage_add
from tests.integration.dashboard.conftest import Login
from tests.integration.dashboard.test_customer_page import text_of
from tests.integration.dashboard.world import HOUR, NOW, World, add_service

NAME = "ether1 <uplink>"
AT = NOW.timestamp()
SAMPLES = [Sample(AT - 20, 1_000_000, 500), *(Sample(AT - n, 4_200_000, 300_000) for n in (8, 5, 2))]
Answered = Callable[[Watch | DomainError], None]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Answered:
    """What the readings are, for both kinds of page."""

    def make(watch: Watch | DomainError) -> None:
        def ask(*args: object) -> Watch:
            if isinstance(watch, DomainError):
                raise watch
            return watch

        monkeypatch.setattr(watching, "interface_watch", ask)
        monkeypatch.setattr(watching, "account_watch", ask)

    return make


def interface_url(world: World, name: str = NAME) -> str:
    InterfaceTraffic.objects.get_or_create(location=world.near, name=NAME, defaults={"seen_at": NOW})
    return reverse("dashboard:interface_now", args=[world.near.pk]) + f"?interface={name.replace(' ', '%20')}"


def test_the_speed_now_in_words_as_a_drawing_and_as_rows(world: World, login: Login, answered: Answered) -> None:
    answered(Watch(SAMPLES, True))
    page = login(world.operator).get(interface_url(world)).content.decode()
    shown = text_of(page)
    assert "Traffic of ether1 &lt;uplink&gt; now Pos 2" in shown
    assert "Now 4.2 Mbit/s received, 300 kbit/s sent. Highest of the last 3 minutes: 4.2 Mbit/s" in shown
    # two shapes each: nothing is drawn over the twelve seconds in which nobody asked, one for what came after
    assert page.count("<polygon") == 4
    assert page.count("<tr><td>") == 4
    assert 'hx-trigger="mb:quick from:body"' in page
    assert "Read again" in shown


def test_the_part_that_changes_is_given_alone(world: World, login: Login, answered: Answered) -> None:
    answered(Watch(SAMPLES, True))
    part = login(world.operator).get(interface_url(world), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.count("<polygon") == 4


@pytest.mark.parametrize(
    ("watch", "said"),
    [
        (Watch([], None), "Not read yet: it is read with the next reading, in a few seconds."),
        (Watch([], True), "Read once. The speed is known with the second reading, in a few seconds."),
        (Watch(SAMPLES, False), "Not online now: nothing goes through."),
        (Watch(SAMPLES, True, "login", "bad password"), "The router refused user name or password: bad password."),
        (Watch(SAMPLES, True, "login", "x"), "Nothing new was read; what is shown is older."),
        (DomainError("router.switched_off", "This location is switched off.", status=409), "This location is switched off."),
    ],
)  # fmt: skip
def test_every_state_of_a_login_is_said(
    world: World, login: Login, answered: Answered, watch: Watch | DomainError, said: str
) -> None:
    account = add_service(world, "sri").account
    assert account is not None
    answered(watch)
    answer = login(world.operator).get(reverse("dashboard:account_now", args=[account.pk]))
    assert answer.status_code == 200
    assert said in text_of(answer.content.decode())


def test_other_peoples_routers_and_logins_and_unknown_interfaces_are_not_there(
    world: World, login: Login, answered: Answered
) -> None:
    answered(DomainError("never", "asked"))
    account = add_service(world, "sri").account
    assert account is not None
    urls = [interface_url(world), reverse("dashboard:account_now", args=[account.pk])]
    assert [login(world.stranger).get(url).status_code for url in urls] == [404, 404]
    assert [login(world.clerk).get(url).status_code for url in urls] == [403, 403]
    assert login(world.operator).get(interface_url(world, "ether9")).status_code == 404


def test_the_pages_of_the_office_show_the_use_of_a_login_and_lead_to_its_traffic(world: World, login: Login) -> None:
    account = add_service(world, "sri").account
    assert account is not None
    usage_add(world.near.pk, [Growth("ppp", "sri", 2**30, 4 * 2**30, 7200)], NOW)
    session = RouterSession.objects.create(
        location=world.near, kind="ppp", router_id="*1", name="sri", started_at=NOW - HOUR, seen_at=NOW,
        mac_address="02:00:00:00:00:09", bytes_in=5, bytes_out=7,
    )  # fmt: skip
    records_write([record_of(session, NOW, "ended")])
    client = login(world.operator)
    page = client.get(reverse("admin:locations_accessaccount_change", args=[account.pk])).content.decode()
    shown = text_of(page)
    assert "5 GB in the last 30 days: 4 GB received, 1 GB sent, online for 2 h" in shown
    assert page.count('<rect class="mb-bar"') == 30
    assert "02:00:00:00:00:09" in shown
    assert f'href="{reverse("dashboard:account_now", args=[account.pk])}"' in page
    place = client.get(reverse("admin:locations_location_change", args=[world.near.pk])).content.decode()
    assert f'href="{reverse("dashboard:traffic", args=[world.near.pk])}"' in place

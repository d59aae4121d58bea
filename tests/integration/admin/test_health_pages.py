"""The pages that show how routers fare, look into them, and restart them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from core.clock import now
from locations.choices import Reach, RebootStatus, TlsMode
from locations.models import Location, RouterAlert, RouterReboot, RouterSample, RouterState
from locations.sync.health import sample_add
from tests.integration.admin.world import World, build_world
from tests.routers import emulated

Login = Callable[[User], Client]


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def page(client: Client, name: str, location: Location, **query: str) -> str:
    response = client.get(reverse(f"admin:locations_location_{name}", args=[location.pk]), query)
    assert response.status_code == 200
    return str(response.content.decode())


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def day_of_samples(location: Location) -> None:
    """Answered for a day, but for one hour that ended three hours ago; half an hour of it at times."""
    end = now().replace(second=0, microsecond=0)
    end -= timedelta(minutes=end.minute % 15)
    for minutes in range(0, 24 * 60, 5):
        at = end - timedelta(minutes=minutes)
        is_away = 180 < minutes <= 240
        sample_add(location.pk, at, failed=1, error="timeout: no answer") if is_away else sample_add(
            location.pk, at, answered=1, latency_ms=20 + minutes // 60, cpu_load=5, free_memory=64 * 2**20, sessions=2
        )
        if is_away and minutes > 210:
            sample_add(location.pk, at, answered=1, latency_ms=90, cpu_load=70, free_memory=32 * 2**20)


def test_a_day_is_drawn_and_said(world: World, login: Login) -> None:
    day_of_samples(world.near)
    RouterState.objects.filter(pk=world.near.pk).update(
        reach=Reach.ONLINE, latency_ms=21, cpu_load=5, free_memory=64 * 2**20, total_memory=256 * 2**20,
        uptime_seconds=7200, write_sectors=1234, write_sectors_total=99999, bad_blocks=0.4, clock_skew_seconds=-90,
    )  # fmt: skip
    RouterAlert.objects.create(location=world.near, kind="clock", value=-90, since=now(), told_at=now())
    RouterAlert.objects.create(location=world.near, kind="flash", value=1, since=now())  # not told yet
    html = page(login(world.boss), "health", world.near)
    cells = [(cell, int(width)) for width, cell in re.findall(r'width="(\d+)" height="\d+" class="is-(\w+)"', html)]
    assert [cell for cell, _width in cells] == ["up", "partly", "down", "up"]
    assert sum(width for _cell, width in cells) == 96
    text = text_of(html)
    assert "The router's clock is 1 min 30 s behind, since" in text.replace("&#x27;", "'")
    assert "flash memory is worn out" not in text
    assert text.count("No answer in time. Check address, firewall and VPN.") == 2
    for fact in ("21 ms", "64 MB of 256 MB", "1,234 sectors", "99,999 sectors", "0.4 %", "2 h"):
        assert fact in text
    assert html.count("<polyline") == 6  # three figures, each broken by the half hour without an answer
    assert "CPU load: highest 70 % at" in text
    assert "Free memory: lowest 32 MB at" in text


def test_a_router_nobody_asked_is_unknown_not_well(world: World, login: Login) -> None:
    html = page(login(world.boss), "health", world.far)
    assert re.findall(r'class="is-(\w+)"', html) == ["unknown"]
    assert "Last 24 hours: not asked." in html


@pytest.mark.parametrize("name", ["change", "health"])
def test_why_a_router_was_not_reached_is_a_sentence(name: str, world: World, login: Login) -> None:
    text = text_of(page(login(world.boss), name, world.far))
    assert (
        "Last answer: The router cannot be reached: No route to host. Check address, port, cable, firewall and VPN. "
    ) in text


def test_all_routers_in_a_fixed_number_of_queries(world: World, login: Login) -> None:
    client, url = login(world.boss), reverse("admin:router_health")
    client.get(url)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    before = queries()
    for number in range(20):
        location = Location.objects.create(name=f"Tower {number}", host="10.0.0.1", username="x", password="x")
        RouterState.objects.create(location=location, reach=Reach.ONLINE, latency_ms=4321)
        day_of_samples(location) if number < 3 else None
        RouterAlert.objects.create(location=location, kind="clock", value=300, since=now(), told_at=now())
    RouterState.objects.filter(location__name="Tower 7").update(reach=Reach.OFFLINE, reach_since=now())
    assert queries() == before
    html = client.get(url).content.decode()
    names = re.findall(r'health/">(Tower \d+)</a>', html)
    assert names[0] == "Tower 7"  # who needs somebody comes first
    assert len(names) == 20
    assert html.count("4,321 ms") == 19  # what the one that is away measured once is not true now
    trouble = client.get(url, {"show": "trouble"}).content.decode()
    assert re.findall(r"Need attention \((\d+)\)", trouble) == ["21"]  # and one of the world's
    assert (
        client.get(reverse("admin:router_health_live"), {"show": "trouble"}).content.decode().count("<svg class=") == 21
    )
    own = login(world.operator).get(url).content.decode()
    assert "Tower" not in own
    assert world.near.name in own


@pytest.fixture
def reachable(world: World) -> Location:
    world.near.host, world.near.username = "127.0.0.1", "billing"
    return world.near


def test_the_log_and_a_ping_through_the_screen(reachable: Location, world: World, login: Login) -> None:
    with emulated() as router:
        reachable.port, reachable.password, reachable.tls_mode = router.port, router.password, TlsMode.NONE
        reachable.save()
        RouterState.objects.filter(pk=reachable.pk).update(serial=router.serial)
        router.command("/log/warning", {"message": "<script>alert(1)</script> in"})
        client = login(world.boss)
        html = page(client, "log", reachable, topic="warning")
        assert "&lt;script&gt;alert(1)&lt;/script&gt; in" in html
        assert "<script>alert" not in html
        assert "The newest 1 of 1 lines that fit" in html
        assert "No line fits." in page(client, "log", reachable, text="nowhere to be found")

        url = reverse("admin:locations_location_ping", args=[reachable.pk])
        answer = client.post(url, {"address": "10.0.0.9", "count": "2"}).content.decode()
        assert "2 of 2 pings to 10.0.0.9 came back." in answer
        assert "1.6 ms" in answer
        refused = client.post(url, {"address": "not an address", "count": "2"})
        assert refused.status_code == 422
        assert "An IP address or a host name" in refused.content.decode()
        assert client.post(url, {"address": "10.0.0.9", "count": "11"}).status_code == 422
        assert len(router.op_log("/ping")) == 1
        assert login(world.operator).get(url).status_code == 403
        router.set_fault("down")
        assert "Is the API service switched on" in page(client, "log", reachable)


def test_a_restart_through_the_screen_needs_two_people(world: World, login: Login) -> None:
    ask, confirm, cancel = (
        reverse(f"admin:locations_location_{name}", args=[world.near.pk])
        for name in ("reboot", "confirm_reboot", "cancel_reboot")
    )
    boss, admin = login(world.boss), login(world.admin)
    assert "Type “" in boss.post(ask, {"typed_name": "something else"}).content.decode()
    assert RouterReboot.objects.count() == 0
    assert boss.post(ask, {"typed_name": world.near.name}).status_code == 302
    row = RouterReboot.objects.get()
    assert (row.status, row.asked_by) == (RebootStatus.ASKED, world.boss)
    assert boss.post(confirm).status_code == 302  # not offered to him
    assert login(world.operator).post(confirm).status_code == 403
    row.refresh_from_db()
    assert row.status == RebootStatus.ASKED
    assert "Confirm a restart" in admin.get(reverse("admin:index")).content.decode()
    assert "Confirm a restart" not in boss.get(reverse("admin:index")).content.decode()
    assert "somebody else has to confirm it until" in page(boss, "health", world.near)
    assert admin.post(confirm).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.confirmed_by) == (RebootStatus.CONFIRMED, world.admin)
    assert "waiting for the router until" in page(boss, "health", world.near)
    assert admin.post(cancel).status_code == 302
    row.refresh_from_db()
    assert row.status == RebootStatus.CANCELLED


def test_who_is_alone_is_told_before(world: World, login: Login) -> None:
    ask = reverse("admin:locations_location_reboot", args=[world.near.pk])
    assert "There is nobody else who may" not in login(world.boss).get(ask).content.decode()
    User.objects.exclude(pk=world.boss.pk).update(is_active=False)
    assert "There is nobody else who may" in login(world.boss).get(ask).content.decode()


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        (RebootStatus.SENT, {}, "Restarting since"),
        (RebootStatus.BACK, {"back_at": now()}, "back since"),
        (RebootStatus.LOST, {}, "did not come back"),
        (RebootStatus.IGNORED, {}, "Did not restart"),
        (
            RebootStatus.REFUSED,
            {"router_words": "not enough permissions (9)"},
            "give our router user the policy “reboot”",
        ),
        (RebootStatus.EXPIRED, {}, "it took longer than half an hour"),
    ],
)
def test_what_became_of_a_restart_is_said(
    world: World, login: Login, status: str, changes: dict[str, object], words: str
) -> None:
    RouterReboot.objects.create(location=world.near, status=status, asked_at=now(), sent_at=now(), **changes)
    assert words in page(login(world.boss), "health", world.near)


def test_the_overview_says_what_is_wrong_since_when(world: World, login: Login) -> None:
    client, index = login(world.boss), reverse("admin:index")
    assert "Routers with warnings" not in client.get(index).content.decode()
    since = now() - timedelta(minutes=10)
    RouterAlert.objects.create(location=world.near, kind="licence", value=85, since=since, told_at=now())
    RouterState.objects.filter(pk=world.far.pk).update(reach=Reach.OFFLINE, reach_since=since)
    text = text_of(client.get(index).content.decode())
    assert f"“{world.near.name}”: licence nearly used up since" in text
    assert f"“{world.far.name}” since" in text
    assert RouterSample.objects.count() == 0

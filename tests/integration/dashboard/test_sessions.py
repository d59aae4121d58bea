"""Who is online, ending sessions, and who uses most: for everybody his own locations, and never more than was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from billing.models import Subscription
from locations.models import InterfaceDay, InterfaceTraffic, Location, RouterSession, RouterState, SessionKick
from locations.sync.usage import Growth, usage_add
from tests.integration.dashboard.conftest import Login
from tests.integration.dashboard.test_customer_page import page_of, queries_of, read
from tests.integration.dashboard.world import DAY, HOUR, NOW, World, add_service, go_online, grant

ONLINE, END, TALKERS = reverse("dashboard:sessions"), reverse("dashboard:sessions_end"), reverse("dashboard:talkers")


@pytest.fixture
def world(world: World) -> World:
    grant(world.operator, "locations.kick_accessaccount")
    grant(world.stranger, "locations.kick_accessaccount")
    return world


def online(world: World, name: str, location: Location | None = None) -> tuple[Subscription, RouterSession]:
    service = add_service(world, name, location=location)
    session = go_online(service, NOW - timedelta(seconds=12))
    return service, session


def foreign(place: Location, name: str, number: int, **fields: object) -> RouterSession:
    values = {"kind": "hotspot", "router_id": f"*A{number}", "started_at": NOW - HOUR, "seen_at": NOW} | fields
    return RouterSession.objects.create(location=place, name=name, **values)


def test_a_row_says_whose_it_is_how_fast_and_as_of_when(world: World, login: Login) -> None:
    online(world, "sri")
    RouterSession.objects.update(rate_in=1_260_000, rate_out=48_000_000)
    shown = read(login(world.operator), ONLINE)
    assert "1 session, as the routers last told." in shown
    assert "Online, seen 12 s ago" in shown
    assert "Bu Sri Wahyuni Rumah 10M Pos 2 · PPPoE" in shown
    assert "down 48 Mbit/s, up 1.3 Mbit/s 3 GB 3 h 20 min" in shown


def test_everybody_sees_his_own_locations(world: World, login: Login) -> None:
    online(world, "sri")
    shown = read(login(world.stranger), ONLINE)
    assert "0 sessions" in shown
    assert "Bu Sri" not in shown
    client = login(world.stranger)
    answer = client.post(END, {"session": [RouterSession.objects.get().pk], "yes": "1"}, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert SessionKick.objects.count() == 0


@pytest.mark.parametrize("words", ["SRI-LO", "02:AA", "02-aa-bb", "10.9.8.", "Wahyuni", "0812-3456-7890"])
def test_found_by_what_people_say(world: World, login: Login, words: str) -> None:
    _service, session = online(world, "SRI-LOGIN")
    RouterSession.objects.update(mac_address="02:AA:BB:00:00:01", address="10.9.8.7")
    foreign(world.near, "other", 1, mac_address="04:00:00:00:00:00", address="10.1.1.1")
    rows = login(world.operator).get(ONLINE, {"q": words}).context["shown"].rows
    assert [row.session.pk for row in rows] == [session.pk]


def test_filters_and_pages(world: World, login: Login) -> None:
    for number in range(60):
        foreign(world.near, f"guest-{number:02}", number)
    foreign(world.far, "far", 1)
    online(world, "sri")
    client = login(world.boss)
    assert client.get(ONLINE, {"kind": "ppp"}).context["shown"].total == 1
    assert client.get(ONLINE, {"location": world.far.pk}).context["shown"].total == 1
    first = client.get(ONLINE, {"kind": "hotspot", "location": world.near.pk}).context["shown"]
    assert (len(first.rows), first.total) == (50, 60)
    query = {"kind": "hotspot", "location": world.near.pk, "before": first.older}
    second = client.get(ONLINE, query).context["shown"]
    assert (len(second.rows), second.older) == (10, None)
    names = [row.session.name for row in [*first.rows, *second.rows]]
    assert sorted(names) == [f"guest-{number:02}" for number in range(60)]


def test_a_router_that_does_not_answer_is_a_memory(world: World, login: Login) -> None:
    online(world, "sri")
    RouterState.objects.filter(location=world.near).update(reach="offline")
    shown = read(login(world.operator), ONLINE)
    assert "Router not reachable; last seen 12 s ago" in shown
    assert "Not reachable: Pos 2." in shown
    assert "Online, seen" not in shown


def test_ending_asks_with_the_number_and_tells_what_is_confirmed(world: World, login: Login) -> None:
    _service, one = online(world, "sri")
    two = foreign(world.near, "guest", 2)
    static = foreign(world.near, "office", 3, kind="static")
    client = login(world.operator)
    chosen = {"session": [one.pk, two.pk, static.pk]}
    asked = client.post(END, chosen).content.decode()
    assert "End 2 sessions?" in asked
    assert "1 static address has no session and is left out." in asked
    assert SessionKick.objects.count() == 0
    client.post(END, {**chosen, "yes": "1"})
    assert sorted(SessionKick.objects.values_list("name", "actor")) == [
        ("guest", world.operator.pk), ("sri", world.operator.pk),
    ]  # fmt: skip
    shown = read(client, ONLINE)
    assert "sri schedule Asked for just now, waiting for router “Pos 2”" in shown
    SessionKick.objects.filter(name="sri").update(ended_at=NOW, had_cookie=True)
    RouterSession.objects.filter(pk=one.pk).delete()
    shown = read(client, ONLINE)
    assert "sri check_circle Ended at 14.00, confirmed by the router" in shown
    assert "A cookie would have let it in again without a password; it was removed." in shown
    SessionKick.objects.filter(name="sri").update(came_back_at=NOW)
    assert "Ended, and came back at 14.00: logged in again" in read(client, ONLINE)
    assert client.get(END).status_code == 405


def test_who_may_not_end_sees_no_button_and_is_refused(world: World, login: Login) -> None:
    online(world, "sri")
    world.operator.user_permissions.clear()
    world.operator.groups.clear()
    grant(world.operator, "locations.view_accessaccount")
    client = login(world.operator)
    assert "End the chosen sessions" not in read(client, ONLINE)
    assert client.post(END, {"session": [1], "yes": "1"}).status_code == 403


def test_the_number_of_queries_does_not_grow(world: World, login: Login) -> None:
    client = login(world.operator)
    online(world, "sri")
    few = queries_of(client, ONLINE)
    for number in range(30):
        online(world, f"line-{number}")
        foreign(world.near, f"guest-{number}", number)
    assert queries_of(client, ONLINE) == few


def test_top_talkers_now_today_week_and_month(world: World, login: Login) -> None:
    _service, session = online(world, "sri")
    RouterSession.objects.filter(pk=session.pk).update(rate_in=1_000_000, rate_out=3_000_000)
    foreign(world.near, "guest", 1, rate_in=0, rate_out=9_000_000)
    foreign(world.far, "far", 1, rate_in=0, rate_out=99_000_000)
    mega = 1024**2
    for name, days, size in (("sri", 0, 5), ("sri", 3, 50), ("budi", 0, 8), ("agus", 30, 900)):
        usage_add(world.near.pk, [Growth("ppp", name, mega, size * mega, 60)], NOW - days * DAY)
    client = login(world.operator)

    def talkers(period: str) -> list[tuple[str, str]]:
        rows = client.get(TALKERS, {"period": period}).context["shown"].rows
        return [(row.talker.name, row.amount) for row in rows]

    assert talkers("now") == [("guest", "9 Mbit/s"), ("sri", "4 Mbit/s")]
    assert talkers("today") == [("budi", "9 MB"), ("sri", "6 MB")]
    assert talkers("week") == [("sri", "57 MB"), ("budi", "9 MB")]
    assert talkers("month") == [("sri", "57 MB"), ("budi", "9 MB")]
    assert client.get(TALKERS, {"location": world.far.pk}).context["shown"].rows == []


def test_the_customer_page_shows_use_and_past_sessions(world: World, login: Login) -> None:
    from locations.sync.sessions import record_of, records_write  # the room's own way of writing them

    _service, session = online(world, "sri")
    mega = 1024**2
    for days in (0, 29, 30):
        usage_add(world.near.pk, [Growth("ppp", "sri", mega, 9 * mega, 1800)], NOW - days * DAY)
    records_write([record_of(session, NOW, "kicked")])
    shown = read(login(world.operator), page_of(world.customer))
    assert "20 MB in the last 30 days: 18 MB received, 2 MB sent, online for 1 h." in shown
    assert "Last seen 22 Nov 2026 13.59 , over at 22 Nov 2026 14.00 : ended by us." in shown
    html = login(world.operator).get(page_of(world.customer)).content.decode()
    assert html.count("<rect") == 30
    assert 'height="80.0"' in html


def test_traffic_of_a_routers_interfaces(world: World, login: Login) -> None:
    for name, rate, size in (("ether1", 90_000_000, 10**12), ("ether2", None, 5)):
        InterfaceTraffic.objects.create(
            location=world.near, name=name, is_running=True, rx_bytes=size, rx_rate=rate, tx_rate=1000, seen_at=NOW
        )
    slots = [0] * 96
    slots[27] = 900 * 1_000_000  # 6.45 to 7.00 UTC, as bytes: 8 Mbit/s on average
    InterfaceDay.objects.create(location=world.near, name="ether1", day=NOW.date(), rx=slots, tx=[0] * 96)
    url = reverse("dashboard:traffic", args=[world.near.pk])
    shown = read(login(world.operator), url)
    assert "ether1 90 Mbit/s 1 kbit/s" in shown
    assert "ether2 – 1 kbit/s" in shown
    assert "Highest in the last 24 hours: 8 Mbit/s received, 0 bit/s sent" in shown
    assert "13.45: 8 Mbit/s" in login(world.operator).get(url).content.decode()
    assert login(world.stranger).get(url).status_code == 404

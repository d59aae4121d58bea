"""Traffic as it is now: one reading of a router for all who watch it, beside the writer, and none when nobody does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from core.clock import now as real_now
from core.db.locks import session_lock
from core.errors import DomainError
from locations import services
from locations.choices import Kind
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location
from locations.services import account_watch, interface_watch, watching
from locations.sync.writer import location_run
from tests.processes import wait_until
from tests.routers import emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "02:00:00:00:00:01"
START = real_now()


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[watching._Lines]:
    """Nothing of another test is remembered, and nothing stays open."""
    cache.clear()
    fresh = watching._Lines()
    monkeypatch.setattr(watching, "_lines", fresh)
    yield fresh
    for client, _since in fresh._kept.values():
        client.close()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def asked(router: EmulatedRouter, path: str) -> int:
    return len([one for one in router.op_log() if path in str(one)])


def account(location: Location, kind: Kind, name: str, **fields: str) -> AccessAccount:
    profile = services.profile_put(location=location, kind=kind, name=f"p-{kind}", rate_limit="5M/10M")
    row = services.account_put(profile=profile, name=name, password="pw-123456", tag="a", **fields)
    location_run(location.pk, is_forced=True)
    return row


def rates(watch: services.Watch) -> list[tuple[float, int, int]]:
    return [(round(one.at - START.timestamp(), 3), one.received, one.sent) for one in watch.samples]


def test_a_login_is_seen_with_the_growth_of_its_counters_whatever_its_kind() -> None:
    with emulated() as router:
        location = location_of(router)
        guest = account(location, Kind.HOTSPOT, "tamu")
        home = account(location, Kind.PPP, "rumah")
        fixed = account(location, Kind.STATIC, "kantor", static_address="10.5.50.9")
        router.hotspot_login("tamu", "pw-123456", PHONE)
        router.hotspot_rates(PHONE, 0, 0)
        router.ppp_connect("rumah", "pw-123456", "02:00:00:00:00:02", up_rate=0, down_rate=0)
        rows = (guest, home, fixed)
        first = account_watch(guest, at(0))
        assert (first.is_there, first.samples) == (True, [])
        for row in rows:  # all three are watched from now on
            account_watch(row, at(3))
        account_watch(guest, at(6))
        router.hotspot_use(PHONE, up_bytes=1000, down_bytes=4000)
        router.ppp_use("rumah", up_bytes=2000, down_bytes=8000)
        router.queue_use("kantor", up_bytes=3000, down_bytes=12_000)
        before = asked(router, "/ip/hotspot/active/print")
        assert [rates(account_watch(row, at(10)))[-1] for row in rows] == [
            (10, 8000, 2000), (10, 16_000, 4000), (10, 24_000, 6000),
        ]  # fmt: skip
        assert asked(router, "/ip/hotspot/active/print") == before + 1  # one reading for the three
        router.hotspot_logout(PHONE)
        watch = account_watch(guest, at(13))
        assert (watch.is_there, len(watch.samples)) == (False, 3)  # its counter is gone: no rate is made up


def test_an_interface_is_told_by_the_router_itself_and_a_missing_one_is_said() -> None:
    with emulated() as router:
        location = location_of(router)
        home = account(location, Kind.PPP, "rumah")
        router.ppp_connect("rumah", "pw-123456", "02:00:00:00:00:02", up_rate=1250, down_rate=125_000)
        watch = interface_watch(location, "<pppoe-rumah>", at(0))
        assert (watch.is_there, rates(watch)) == (True, [(0, 10_000, 1_000_000)])
        assert interface_watch(location, "ether77", at(3)).is_there is False
        assert interface_watch(location, "<pppoe-rumah>", at(6)).is_there is True  # the other one is no harm to it
        assert home.name == "rumah"


def test_however_many_watch_the_router_is_read_once_in_two_seconds_and_never_after_they_left(
    lines: watching._Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "KEPT", 0.05)
    with emulated() as router:
        location = location_of(router)
        path = "/interface/monitor-traffic"
        for _viewer in range(20):
            assert len(interface_watch(location, "ether1", at(0)).samples) == 1
        assert asked(router, path) == 1
        interface_watch(location, "ether2", at(1.9))  # noted, read with the next reading
        assert asked(router, path) == 1
        interface_watch(location, "ether1", at(2))
        assert asked(router, path) == 3
        wait_until(lambda: router.connections_open() == 0)  # nobody asks: the connection is closed
        wait_until(lambda: (lines._kept, lines._clocks) == ({}, set()))
        interface_watch(location, "ether1", at(20))
        assert asked(router, path) == 4  # who watched ether2 has left


def test_one_timer_per_router_however_often_it_is_read(lines: watching._Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[float] = []

    class Timer(threading.Timer):
        def start(self) -> None:
            started.append(self.interval)  # never runs: the test is the clock

    monkeypatch.setattr("locations.services.watching.threading.Timer", Timer)
    with emulated() as router:
        location = location_of(router)
        for number in range(5):
            interface_watch(location, "ether1", at(number * 3))
        assert started == [watching.KEPT]
        lines._look(location.pk)  # it was used meanwhile: closed later
        assert (len(started), router.connections_open()) == (2, 1)
        client, since = lines._kept[location.pk]
        lines._kept[location.pk] = (client, since - watching.KEPT)
        lines._look(location.pk)
        wait_until(lambda: router.connections_open() == 0)
        assert (len(started), lines._kept, lines._clocks) == (2, {}, set())


def test_one_connection_serves_many_readings_and_another_password_opens_a_new_one() -> None:
    with emulated() as router:
        location = location_of(router)
        for number in range(5):
            interface_watch(location, "ether1", at(number * 3))
        assert asked(router, "/login") == 1
        router.drop_connections()
        assert interface_watch(location, "ether1", at(20)).problem == ""
        assert asked(router, "/login") == 2
        location.password = "wrong"
        watch = interface_watch(location, "ether1", at(23))
        assert watch.problem == "login"
        wait_until(lambda: router.connections_open() == 0)


@contextmanager
def reading_elsewhere(location: Location) -> Iterator[None]:
    """Another process in the middle of its reading."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with session_lock([watching._TURN << 32 | location.pk]):
            inside.set()
            leave.wait(30)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(30)
    yield
    leave.set()
    thread.join(30)


def test_who_finds_another_reading_is_shown_what_is_known_and_the_writer_goes_on() -> None:
    with emulated() as router:
        location = location_of(router)
        interface_watch(location, "ether1", at(0))
        with reading_elsewhere(location):
            assert len(interface_watch(location, "ether1", at(5)).samples) == 1
            account(location, Kind.HOTSPOT, "tamu")  # written and confirmed meanwhile
        assert asked(router, "/interface/monitor-traffic") == 1
        assert "tamu" in {row["name"] for row in router.rows("/ip/hotspot/user")}


def test_a_router_that_fails_rests_and_says_why_and_is_asked_again() -> None:
    with emulated() as router:
        location = location_of(router)
        interface_watch(location, "ether1", at(0))
        location.port, port = 1, location.port
        watch = interface_watch(location, "ether1", at(3))
        assert (watch.problem, len(watch.samples)) == ("refused", 1)
        location.port = port
        assert interface_watch(location, "ether1", at(6)).problem == "refused"  # it rests
        assert asked(router, "/interface/monitor-traffic") == 1
        watch = interface_watch(location, "ether1", at(14))
        assert (watch.problem, len(watch.samples)) == ("", 2)
        location.is_active = False
        with pytest.raises(DomainError) as refused:
            interface_watch(location, "ether1", at(60))
        assert refused.value.code == "router.switched_off"


def test_a_router_that_is_another_one_than_before_is_not_read() -> None:
    with emulated() as router:
        location = location_of(router)
        location_run(location.pk, is_forced=True)
        router.replace_hardware()
        watch = interface_watch(location, "ether1", at(0))
        assert (watch.problem, watch.samples) == ("wrong_router", [])
        assert asked(router, "/interface/monitor-traffic") == 0


def test_no_reading_inside_a_transaction_and_no_endless_list() -> None:
    with emulated() as router:
        location = location_of(router)
        with transaction.atomic(), pytest.raises(RuntimeError):
            interface_watch(location, "ether1", at(0))
        for number in range(watching.MOST_SOURCES):
            interface_watch(location, f"vlan{number}", at(0.01 * number))
        for seconds in (1, 2):
            with pytest.raises(DomainError) as refused:
                interface_watch(location, "ether1", at(seconds))
            assert refused.value.code == "router.busy"
        assert asked(router, "/interface/monitor-traffic") == 1 + watching.MOST_SOURCES
        assert len(interface_watch(location, "ether1", at(20)).samples) == 1  # the others have left

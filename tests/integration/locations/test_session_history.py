"""What sessions leave behind: one record each, and what was used, in the day and month of the location."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from locations import services
from locations.choices import Kind, SessionEnd, UsagePeriod
from locations.models import (
    AccessAccount,
    AccountUsage,
    InterfaceDay,
    InterfaceTraffic,
    Location,
    Observation,
    RouterSession,
    SessionRecord,
)
from locations.sync import sessions as sessions_module
from locations.sync.observe import observations_take
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
MAC = "02:00:00:00:00:01"
NOON = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)  # 12.00 in Jakarta
VERSIONS = ("6.49.17", "7.16.1")


def account_at(location: Location, kind: str = Kind.HOTSPOT, name: str = "sari", **fields: Any) -> AccessAccount:
    profile = services.profile_put(location=location, kind=kind, name=f"{kind}-paket", rate_limit="2M/4M")
    account = services.account_put(profile=profile, name=name, password="rahasia", tag="a", **fields)
    AccessAccount.objects.filter(pk=account.pk).update(created_at=NOON - timedelta(days=1))
    return account


class World:
    """An emulated router, its location, and one clock for both."""

    def __init__(self, router: Any, at: datetime = NOON):
        self.router, self.clock = router, Clock(at)
        self.location = location_of(router, timezone="Asia/Jakarta")

    def run(self, seconds: int = 0) -> None:
        if seconds:
            self.router.advance(seconds)
            self.clock.at += timedelta(seconds=seconds)
        location_run(self.location.pk, is_forced=True, now=self.clock)


def usage(period: str = UsagePeriod.DAY) -> list[tuple[str, date, int, int, int]]:
    rows = AccountUsage.objects.filter(period=period).order_by("name", "starts_on")
    return list(rows.values_list("name", "starts_on", "bytes_in", "bytes_out", "seconds"))


def records() -> list[SessionRecord]:
    return list(SessionRecord.objects.order_by("id"))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hotspot_session_is_one_record_and_its_use_one_day(version: str) -> None:
    with emulated(clock="manual", version=version) as router:
        world = World(router)
        account_at(world.location)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC, up_rate=100.0, down_rate=1000.0)
        world.run(40)
        world.run(40)
        session = RouterSession.objects.get()
        assert (session.bytes_in, session.bytes_out) == (8000, 80000)
        assert (session.rate_in, session.rate_out) == (800, 8000)
        assert records() == []
        router.advance(10)
        router.hotspot_logout(MAC)
        world.clock.at += timedelta(seconds=10)
        world.run(30)
        (record,) = records()
        assert (record.name, record.kind, record.mac_address, record.end) == ("sari", "hotspot", MAC, SessionEnd.ENDED)
        assert record.started_at == NOON
        assert record.seen_at == NOON + timedelta(seconds=80)
        assert record.ended_at == NOON + timedelta(seconds=120)
        assert (record.uptime_seconds, record.bytes_in, record.bytes_out) == (80, 8000, 80000)
        # the router's own counter knows the last ten seconds too
        assert usage() == [("sari", date(2026, 11, 25), 9000, 90000, 90)]
        assert usage(UsagePeriod.MONTH) == [("sari", date(2026, 11, 1), 9000, 90000, 90)]
        world.run(60)
        assert len(records()) == 1
        account = AccessAccount.objects.get()
        assert (account.used_uptime_seconds, account.used_bytes, account.epoch_bytes_in) == (90, 99000, 9000)


@pytest.mark.parametrize("version", VERSIONS)
def test_pppoe_counts_by_the_interface_of_the_session(version: str) -> None:
    with emulated(clock="manual", version=version) as router:
        world = World(router)
        account_at(world.location, Kind.PPP)
        world.run()
        for _dial in range(2):
            router.ppp_connect("sari", "rahasia", MAC, up_rate=100.0, down_rate=1000.0)
            world.run(60)
            session = RouterSession.objects.get()
            assert (session.bytes_in, session.bytes_out, session.uptime_seconds) == (6000, 60000, 60)
            router.ppp_disconnect("sari")
            world.run(30)
        assert [(r.kind, r.bytes_in, r.bytes_out, r.uptime_seconds) for r in records()] == [
            ("ppp", 6000, 60000, 60)
        ] * 2
        assert usage() == [("sari", date(2026, 11, 25), 12000, 120000, 120)]
        assert AccessAccount.objects.get().used_uptime_seconds == 120


def test_a_static_address_is_online_while_its_bytes_grow() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location, Kind.STATIC, static_address="10.5.0.7", mac_address=MAC)
        world.run()
        assert RouterSession.objects.count() == 0
        router.queue_use("sari", 1000, 5000)
        world.run(60)
        router.queue_use("sari", 3000, 9000)
        world.run(60)
        session = RouterSession.objects.get()
        assert (session.kind, session.address, session.bytes_in, session.bytes_out) == (
            "static",
            "10.5.0.7",
            4000,
            14000,
        )
        assert (session.rate_in, session.rate_out) == (400, 1200)
        world.run(120)
        assert RouterSession.objects.count() == 1
        world.run(200)
        assert RouterSession.objects.count() == 0
        (record,) = records()
        assert (record.end, record.bytes_in, record.bytes_out) == (SessionEnd.QUIET, 4000, 14000)
        assert usage() == [("sari", date(2026, 11, 25), 4000, 14000, 0)]
        account = AccessAccount.objects.get()
        assert account.last_session_ended_at is None  # nobody saw a login end


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reboot_ends_every_session_once_and_counts_nothing_twice(version: str) -> None:
    with emulated(clock="manual", version=version) as router:
        world = World(router)
        account_at(world.location)
        account_at(world.location, Kind.PPP, "budi")
        world.run()
        router.hotspot_login("sari", "rahasia", MAC, up_rate=100.0, down_rate=1000.0)
        router.ppp_connect("budi", "rahasia", "02:00:00:00:00:02", up_rate=10.0, down_rate=20.0)
        world.run(600)
        router.reboot()
        router.advance(60)
        world.clock.at += timedelta(seconds=60)
        router.hotspot_login("sari", "rahasia", MAC, up_rate=100.0, down_rate=1000.0)
        router.ppp_connect("budi", "rahasia", "02:00:00:00:00:02", up_rate=10.0, down_rate=20.0)
        for _attempt in range(3):
            world.run(30)
        assert sorted((r.name, r.end, r.uptime_seconds) for r in records()) == [
            ("budi", SessionEnd.RESTART, 600),
            ("sari", SessionEnd.RESTART, 600),
        ]
        sari = AccessAccount.objects.get(name="sari")
        assert [(row[0], row[4]) for row in usage()] == [("budi", 690), ("sari", sari.used_uptime_seconds)]
        budi = AccessAccount.objects.get(name="budi")
        assert (budi.used_uptime_seconds, budi.used_bytes) == (690, 690 * 30)
        for account in AccessAccount.objects.all():
            row = AccountUsage.objects.get(name=account.name, period=UsagePeriod.DAY)
            assert row.bytes_in + row.bytes_out == account.used_bytes


def test_an_observation_taken_in_again_changes_nothing() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location)
        account_at(world.location, Kind.PPP, "budi")
        world.run()
        router.hotspot_login("sari", "rahasia", MAC)
        router.ppp_connect("budi", "rahasia", "02:00:00:00:00:02")
        world.run(60)
        router.ppp_disconnect("budi")
        world.run(60)
        before = (usage(), usage(UsagePeriod.MONTH), [r.pk for r in records()], list(RouterSession.objects.values()))
        days = list(InterfaceDay.objects.values())
        assert len(records()) == 1
        Observation.objects.update(processed_at=None)
        assert observations_take(world.location.pk) == Observation.objects.count()
        after = (usage(), usage(UsagePeriod.MONTH), [r.pk for r in records()], list(RouterSession.objects.values()))
        assert after == before
        assert list(InterfaceDay.objects.values()) == days


def test_the_servers_clock_set_forward_and_back_ends_no_session() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC)
        world.run(60)
        world.clock.at += timedelta(hours=3)
        world.run(60)
        world.clock.at -= timedelta(hours=6)
        world.run(60)
        assert records() == []
        assert RouterSession.objects.get().started_at == NOON
        router.hotspot_logout(MAC)
        world.clock.at -= timedelta(hours=1)
        world.run(60)
        (record,) = records()
        assert record.ended_at == record.seen_at
        assert sum(row[4] for row in usage()) == 180


def test_days_are_the_locations_and_months_their_sum() -> None:
    evening = datetime(2026, 11, 30, 16, 59, tzinfo=UTC)  # 23.59 on the last of the month in Jakarta
    with emulated(clock="manual") as router:
        world = World(router, evening)
        account_at(world.location)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC, up_rate=10.0, down_rate=100.0)
        world.run(50)
        world.run(50)
        assert usage() == [
            ("sari", date(2026, 11, 30), 500, 5000, 50),
            ("sari", date(2026, 12, 1), 500, 5000, 50),
        ]
        assert [row[1] for row in usage(UsagePeriod.MONTH)] == [date(2026, 11, 1), date(2026, 12, 1)]


def test_counters_that_came_with_an_entry_are_not_todays_use() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account = account_at(world.location)
        AccessAccount.objects.update(created_at=NOON)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC, up_rate=10.0, down_rate=100.0)
        router.advance(100_000)
        world.clock.at += timedelta(seconds=30)
        world.run()
        account.refresh_from_db()
        assert account.used_uptime_seconds == 100_000
        assert usage() == []
        world.run(50)
        assert usage() == [("sari", date(2026, 11, 25), 500, 5000, 50)]


def test_interfaces_have_rates_and_sums_of_a_quarter_of_an_hour() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        world.run()
        rows = {row["name"]: row for row in on_router(router, "/interface")}
        assert sorted(InterfaceTraffic.objects.values_list("name", flat=True)) == sorted(rows)
        name = next(iter(rows))
        seen = InterfaceTraffic.objects.get(name=name)
        assert (seen.rx_rate, seen.tx_rate) == (None, None)
        InterfaceTraffic.objects.filter(name=name).update(rx_bytes=0, tx_bytes=0)
        before = InterfaceDay.objects.filter(name=name).aggregate(n=Sum("location"))["n"]
        assert before is None
        world.run(60)
        seen.refresh_from_db()
        day = InterfaceDay.objects.filter(name=name).first()
        assert (seen.rx_rate, day.rx[20] if day else 0) == (seen.rx_bytes * 8 // 60, seen.rx_bytes)


@pytest.mark.parametrize(
    ("uptime", "passed", "restarted", "size", "is_same"),
    [
        (160, 60, False, 900, True),
        (160, 60, False, 0, True),  # somebody reset the counter
        (90, 60, False, 900, False),  # younger than before
        (500, 60, False, 900, False),  # it aged more than time went by: another one with the same id
        (130, 600, False, 900, False),  # began after we looked, the router was off meanwhile
        (160, 60, True, 900, True),  # the server's clock was set, the router did not restart
        (160, 60, True, 10, False),
    ],
)
def test_a_session_is_the_same_while_the_routers_clock_says_so(
    uptime: int, passed: int, restarted: bool, size: int, is_same: bool
) -> None:
    row = RouterSession(name="sari", uptime_seconds=100, bytes=800)
    seen = {"name": "sari", "uptime": uptime, "bytes": size}
    assert sessions_module._is_same(row, seen, passed, restarted=restarted) is is_same
    assert not sessions_module._is_same(row, {**seen, "name": "budi"}, passed, restarted=restarted)

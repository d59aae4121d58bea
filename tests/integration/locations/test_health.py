"""How a router fares: samples of five minutes, warnings told once, its log and pings from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from accounts.choices import Role
from accounts.models import ActivityLog, User
from core import events
from core.clock import now as real_now
from core.errors import DomainError
from locations import services
from locations.choices import AlertKind, Kind, Reach
from locations.emulator.router import EmulatedRouter
from locations.events import LocationDown, RouterAlerted, RouterAlertEnded, RouterRestarted
from locations.models import RouterAlert, RouterSample, RouterState
from locations.monitoring import warnings_by_kind, warnings_check
from locations.routeros.errors import LoginRefused, RouterTimeout
from locations.services import AskError, router_log, router_ping
from locations.sync.failure import failure_record
from locations.sync.health import Reading, alerts_take, health_prune, sample_add
from locations.sync.identity import WrongRouter
from locations.sync.writer import location_run
from tests.routers import PASSWORD, Clock, emulated, location_of, second_client

pytestmark = pytest.mark.django_db(transaction=True)
KINDS = (RouterAlerted, RouterAlertEnded, RouterRestarted, LocationDown)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    heard: list[Any] = []
    listeners = [events.Subscription(kind, heard.append, is_critical=True, order=1) for kind in KINDS]
    monkeypatch.setattr(events, "_subscriptions", listeners)
    return heard


class World:
    def __init__(self, router: EmulatedRouter):
        self.router, self.clock = router, Clock(real_now())
        self.location = location_of(router)

    def later(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.router.advance(seconds)
        assert location_run(self.location.pk, is_forced=True, now=self.clock).problem == ""


@pytest.mark.parametrize(
    ("version", "model", "has_flash"),
    [("6.49.17", "RB750Gr3", True), ("7.16.1", "hAP ax^2", True), ("7.18.2", "CHR", False)],
)
def test_a_poll_tells_how_the_router_fares(version: str, model: str, has_flash: bool) -> None:
    with emulated(version=version, model=model, clock="manual", rtt_ms=5) as router:
        world = World(router)
        world.later(700)
        resource = router.rows("/system/resource")[0]
        state = RouterState.objects.get()
        assert state.latency_ms is not None
        assert 5 <= state.latency_ms < 5000
        assert state.clock_skew_seconds is not None
        assert abs(state.clock_skew_seconds) <= 2
        assert (state.total_memory, state.free_memory) == (int(resource["total-memory"]), int(resource["free-memory"]))
        if has_flash:
            assert state.write_sectors == int(resource["write-sect-since-reboot"])
            assert (state.write_sectors_total or 0) >= 120_000
            assert state.bad_blocks == 0
        else:
            assert (state.write_sectors, state.write_sectors_total, state.bad_blocks) == (None, None, None)
        sample = RouterSample.objects.get()
        assert (sample.answered, sample.failed, sample.sessions) == (1, 0, 0)
        assert sample.latency_ms == state.latency_ms
        assert sample.free_memory == state.free_memory


def test_five_minutes_are_one_row_with_the_worst_of_them() -> None:
    with emulated() as router:
        location = location_of(router)
        at = real_now().replace(minute=10, second=0, microsecond=0)
        sample_add(location.pk, at, answered=1, latency_ms=20, cpu_load=5, free_memory=900, sessions=3)
        sample_add(location.pk, at + timedelta(seconds=299), answered=1, latency_ms=8, cpu_load=60, free_memory=500)
        sample_add(location.pk, at + timedelta(seconds=150), failed=1, error="timeout: no answer")
        sample_add(location.pk, at + timedelta(seconds=300), failed=1)
        first, second = RouterSample.objects.order_by("at")
        assert (first.at, first.answered, first.failed, first.error) == (at, 2, 1, "timeout: no answer")
        assert (first.latency_ms, first.cpu_load, first.free_memory, first.sessions) == (20, 60, 500, 3)
        assert (second.at, second.answered, second.failed) == (at + timedelta(seconds=300), 0, 1)
        assert (second.latency_ms, second.cpu_load) == (None, None)
        assert health_prune(at + timedelta(days=8, seconds=1)) == 1
        assert RouterSample.objects.get() == second


def test_a_failed_poll_is_in_the_samples() -> None:
    with emulated() as router:
        location = location_of(router)
        router.set_fault("down")
        location_run(location.pk, is_forced=True)
        sample = RouterSample.objects.get()
        assert (sample.answered, sample.failed, sample.latency_ms) == (0, 1, None)
        assert sample.error == RouterState.objects.get().last_error != ""


def test_a_wrong_clock_is_told_once(told: list[Any]) -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        world.later(60)
        router.set_clock(skew_seconds=-900)
        world.later(40)
        assert (told, RouterAlert.objects.get().told_at) == ([], None)
        assert warnings_check().is_ok
        world.later(40)
        assert told == []
        world.later(40)
        assert told == [RouterAlerted([(world.location.pk, "clock")])]
        assert warnings_by_kind() == {("licence",): 0.0, ("clock",): 1.0, ("flash",): 0.0}
        found = warnings_check()
        assert (found.is_ok, found.sentence) == (False, "Look at the health of the routers: Pos 1 (clock wrong).")
        router.set_clock(skew_seconds=90)  # better, and not right
        world.later(40)
        router.set_clock(skew_seconds=-200)
        world.later(40)
        assert len(told) == 1
        alert = RouterAlert.objects.get()
        assert alert.ended_at is None
        assert abs(alert.value + 200) <= 2
        router.set_clock(skew_seconds=0)
        world.later(40)
        assert told[1:] == [RouterAlertEnded([(world.location.pk, "clock")])]
        assert warnings_check().is_ok
        assert RouterAlert.objects.get().ended_at == world.clock.at


def test_what_passes_within_a_minute_is_not_told(told: list[Any]) -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        router.set_clock(skew_seconds=-900)
        world.later(40)
        router.set_clock(skew_seconds=0)
        world.later(40)
        assert (told, RouterAlert.objects.count()) == ([], 0)


@pytest.mark.parametrize("text", ["1", "0.4%", "3%"])
def test_worn_flash_is_told(text: str, told: list[Any]) -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        router.set_bad_blocks(text)
        world.later(40)
        world.later(80)
        assert told == [RouterAlerted([(world.location.pk, "flash")])]
        assert RouterAlert.objects.get().value == (3 if text == "3%" else 1)


def test_a_licence_is_told_at_80_per_cent_and_again_after_it_was_below_70(told: list[Any]) -> None:
    at = real_now()

    def reading(percent: int) -> Reading:
        return Reading(AlertKind.LICENCE, percent, percent >= 80, percent < 70)

    with emulated() as router:
        location = location_of(router)
        for minute, percent in enumerate((79, 80, 81, 79, 72, 85, 69, 79, 90, 91)):
            with transaction.atomic():
                alerts_take(location.pk, [reading(percent)], at + timedelta(minutes=minute))
    once, ended = RouterAlerted([(location.pk, "licence")]), RouterAlertEnded([(location.pk, "licence")])
    assert told == [once, ended, once]
    assert [row.since for row in RouterAlert.objects.order_by("since")] == [
        at + timedelta(minutes=1), at + timedelta(minutes=8),
    ]  # fmt: skip


def test_sessions_against_the_licence_come_from_the_poll(told: list[Any]) -> None:
    with emulated(model="hAP ax^2", clock="manual") as router:
        world = World(router)
        world.later(5)
        limit = RouterState.objects.get().licence_limit
        assert limit == 200
        profile = services.profile_put(location=world.location, kind=Kind.HOTSPOT, name="paket", shared_users=200)
        services.account_put(profile=profile, name="ABCD2345", password=None, tag="a")
        world.later(5)
        for number in range(160):
            router.hotspot_login("ABCD2345", "ABCD2345", f"02:00:00:00:00:{number:02x}")
        world.later(5)
        world.later(60)
        assert told == [RouterAlerted([(world.location.pk, "licence")])]
        assert RouterAlert.objects.get().value == 80


def test_a_restart_nobody_asked_for_is_told_once(told: list[Any]) -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        world.later(3600)
        router.reboot()
        world.clock.at += timedelta(seconds=40)
        router.advance(40)
        location_run(world.location.pk, is_forced=True, now=world.clock)  # the old connection is dead
        world.later(40)
        world.later(40)
        assert told == [RouterRestarted(world.location.pk, is_asked=False)]
        restarted = RouterState.objects.get().restarted_at
        assert restarted is not None
        assert abs(world.clock.at - restarted - timedelta(seconds=120)) <= timedelta(seconds=2)


def test_down_is_told_for_every_way_to_be_useless(told: list[Any]) -> None:
    now = real_now()
    with emulated() as router:
        for name, error, tries in (
            ("Pos 1", RouterTimeout("no answer"), 2), ("Pos 2", LoginRefused("cannot log in"), 2),
            ("Pos 3", WrongRouter("OTHER"), 1),
        ):  # fmt: skip
            location = location_of(router, name=name)
            for attempt in range(1, tries + 2):
                failure_record(location.pk, error, now)
                assert (told == [LocationDown([location.pk])]) is (attempt >= tries)
            told.clear()
    assert set(RouterState.objects.values_list("reach", flat=True)) == {
        Reach.OFFLINE, Reach.REFUSED, Reach.WRONG_ROUTER,
    }  # fmt: skip


# --- looking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_the_log_is_read_filtered_and_without_secrets(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        client = second_client(router)
        for number in range(250):
            tuple(client("/log/info", message=f"line {number}"))
        tuple(client("/log/warning", message="<b>hotspot</b> of \u202euser\x07 gone"))
        tuple(client("/log/error", message=f"added by admin: name=x password=geheim99 and {PASSWORD} again"))
        client.close()
        writes = router.write_count()
        seen = router_log(location)
        assert len(seen.lines) == 200
        assert seen.lines[0].topics.split(",")[0] in {"script", "system"}
        everything = " ".join(line.message for line in seen.lines)
        assert "geheim99" not in everything
        assert PASSWORD not in everything
        assert "name=x" in everything
        warned = router_log(location, topic="warning")
        assert [line.message for line in warned.lines] == ["<b>hotspot</b> of  user  gone"]
        assert warned.matching == 1
        assert warned.total >= 252
        assert {"error", "info", "warning"} <= set(warned.topics)
        found = router_log(location, text="LINE 24", limit=5)
        assert [line.message for line in found.lines] == [f"line {n}" for n in (249, 248, 247, 246, 245)]
        assert found.matching == 11
        assert router.write_count() == writes


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_a_ping_from_the_router(version: str) -> None:
    actor = User.objects.create_user(username="tina", password=None, role=Role.ADMIN)
    with emulated(version=version) as router:
        location = location_of(router)
        good = router_ping(location, " 10.0.0.9 ", count=2, actor=actor)
        assert (good.address, good.sent, good.received, good.loss_percent) == ("10.0.0.9", 2, 2, 0)
        assert (good.shortest, good.average, good.longest) == (1.612, 1.612, 1.612)
        assert [line.milliseconds for line in good.lines] == [1.612, 1.612]
        lost = router_ping(location, "192.0.2.1", count=1, actor=actor)
        assert (lost.sent, lost.received, lost.loss_percent, lost.average) == (1, 0, 100, None)
        assert lost.lines[0].status == "timeout"
        with pytest.raises(AskError) as unknown:
            router_ping(location, "nobody.example", count=1, actor=actor)
        assert unknown.value.message == "The router says: failure: dns name does not exist."
        asked = [op["words"]["count"] for op in router.op_log("/ping")]
        assert asked == ["2", "1", "1"]
    logged = ActivityLog.objects.filter(action="router.pinged", user=actor).order_by("pk")
    assert [row.details["address"] for row in logged] == ["10.0.0.9", "192.0.2.1", "nobody.example"]


@pytest.mark.parametrize(
    "address",
    ["", "10.0.0", "999.1.1.1", "a b", "x;y", "-a", "a..b", "0.0.0.0", "224.0.0.1", "fe80::1%eth0", "=count=", "é.de"],
)
def test_what_is_no_address_is_not_pinged(address: str) -> None:
    actor = User.objects.create_user(username="tina", password=None, role=Role.ADMIN)
    with emulated() as router:
        location = location_of(router)
        with pytest.raises(DomainError) as refused:
            router_ping(location, address, actor=actor)
        assert refused.value.code == "ping.address"
        assert router.op_log("/ping") == []
        assert ActivityLog.objects.count() == 0


def test_a_ping_without_the_policy_is_said() -> None:
    actor = User.objects.create_user(username="tina", password=None, role=Role.ADMIN)
    with emulated(policies=("api", "read", "write")) as router, pytest.raises(AskError) as refused:
        router_ping(location_of(router), "10.0.0.9", actor=actor)
    assert "not enough permissions" in refused.value.message

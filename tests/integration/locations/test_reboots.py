"""A restart needs two people and is sent once, whatever dies in between; the screen says what became of it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from accounts.choices import Role
from accounts.models import ActivityLog, User
from core import events
from core.clock import now as real_now
from core.errors import DomainError, TransitionError
from locations import services
from locations.choices import Kind, RebootStatus
from locations.emulator.router import EmulatedRouter
from locations.events import LocationDown, LocationUp, RouterRestarted
from locations.models import AccessAccount, Location, RouterReboot, RouterState
from locations.services import reboot_ask, reboot_cancel, reboot_confirm
from locations.sync import connections
from locations.sync.reboots import reboots_expire
from locations.sync.writer import location_run
from tests.processes import kill, spawn, wait_until
from tests.routers import Clock, emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
POLICIES = ("api", "read", "write", "test", "reboot")
REBOOT = "/system/reboot"


def person(name: str) -> User:
    return User.objects.create_user(username=name, password=None, role=Role.ADMIN)


def confirmed(location: Location, now: datetime) -> RouterReboot:
    row = reboot_ask(location, typed_name=location.name, actor=person("tina"), now=now)
    reboot_confirm(row, actor=person("umar"), now=now)
    row.refresh_from_db()
    return row


def said(router: EmulatedRouter) -> int:
    """How often the router was told to restart."""
    return len(router.op_log(REBOOT))


def lease_runs_out() -> None:
    RouterState.objects.update(lease_until=real_now() - timedelta(seconds=1))


class World:
    """A router and the clock that both sides share."""

    def __init__(self, router: EmulatedRouter):
        self.router, self.clock = router, Clock(real_now())
        self.location = location_of(router)

    def later(self, seconds: int) -> str:
        self.clock.at += timedelta(seconds=seconds)
        self.router.advance(seconds)
        return location_run(self.location.pk, is_forced=True, now=self.clock).problem

    def state_of(self, row: RouterReboot) -> str:
        row.refresh_from_db()
        return row.status


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_two_people_restart_a_router_once(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    kinds = (LocationDown, LocationUp, RouterRestarted)
    listeners = [events.Subscription(kind, told.append, is_critical=True, order=1) for kind in kinds]
    with emulated(version=version, policies=POLICIES, clock="manual") as router:
        world = World(router)
        profile = services.profile_put(location=world.location, kind=Kind.HOTSPOT, name="paket")
        services.account_put(profile=profile, name="ABCD2345", password=None, tag="a")
        assert world.later(600) == ""
        router.hotspot_login("ABCD2345", "ABCD2345", "02:00:00:00:00:01")
        router.advance(90)
        world.clock.at += timedelta(seconds=90)
        row = confirmed(world.location, world.clock.at)
        monkeypatch.setattr(events, "_subscriptions", listeners)
        assert (row.status, said(router)) == (RebootStatus.CONFIRMED, 0)
        assert location_run(world.location.pk, now=world.clock).problem == ""
        assert (world.state_of(row), said(router)) == (RebootStatus.SENT, 1)
        assert row.sent_at == world.clock.at
        assert AccessAccount.objects.get().epoch_uptime_seconds >= 90  # read before it went

        router.set_fault("down")
        for _try in range(3):
            assert world.later(20) in {"refused", "unreachable"}
        assert told == []  # away because we sent it away
        assert world.state_of(row) == RebootStatus.SENT
        router.clear_fault("down")
        assert world.later(20) == ""
        assert (world.state_of(row), row.back_at) == (RebootStatus.BACK, world.clock.at)
        assert told == [RouterRestarted(world.location.pk, is_asked=True)]
        world.later(600)
        assert (said(router), len(told)) == (1, 1)
        state = RouterState.objects.get()
        assert state.restarted_at is not None
        assert abs(state.restarted_at - row.sent_at) <= timedelta(seconds=2)
        assert list(ActivityLog.objects.order_by("pk").values_list("action", "user__username")) == [
            ("reboot.asked", "tina"), ("reboot.confirmed", "umar"),
        ]  # fmt: skip


def test_the_same_person_cannot_do_both_and_must_name_it() -> None:
    with emulated(policies=POLICIES) as router:
        location, tina, now = location_of(router), person("tina"), real_now()
        with pytest.raises(DomainError) as unnamed:
            reboot_ask(location, typed_name="Pos 2", actor=tina, now=now)
        assert unnamed.value.fields == {"typed_name": "Type “Pos 1” exactly."}
        row = reboot_ask(location, typed_name="Pos 1", actor=tina, now=now)
        with pytest.raises(DomainError) as alone:
            reboot_confirm(row, actor=tina, now=now)
        assert (alone.value.code, alone.value.status) == ("reboot.same_person", 403)
        with pytest.raises(TransitionError) as twice:
            reboot_ask(location, typed_name="Pos 1", actor=person("umar"), now=now)
        assert twice.value.code == "reboot.under_way"
        with pytest.raises(IntegrityError):  # whatever code may do one day
            RouterReboot.objects.filter(pk=row.pk).update(confirmed_by=tina)
        location_run(location.pk, is_forced=True)
        assert (said(router), RouterReboot.objects.get().status) == (0, RebootStatus.ASKED)


def test_of_two_who_confirm_at_once_one_did() -> None:
    with emulated(policies=POLICIES) as router:
        location, now = location_of(router), real_now()
        row = reboot_ask(location, typed_name="Pos 1", actor=person("tina"), now=now)
        both, outcomes = threading.Barrier(2), []

        def confirm(actor: User) -> None:
            try:
                both.wait(20)
                reboot_confirm(row, actor=actor, now=now)
                outcomes.append(actor.username)
            except TransitionError as error:
                outcomes.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=confirm, args=(person(name),)) for name in ("umar", "wati")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        row.refresh_from_db()
        assert row.confirmed_by is not None
        assert sorted(outcomes) == sorted(["reboot.decided", row.confirmed_by.username])
        location_run(location.pk, is_forced=True)
        location_run(location.pk, is_forced=True)
        assert said(router) == 1


KILLED_BEFORE = """
from locations.routeros.client import RouterClient
from locations.sync.writer import location_run
call = RouterClient.call
def pause(self, command, *rest):
    if command == "/system/reboot":
        print("about to say it", flush=True)
        sys.stdin.readline()
    return call(self, command, *rest)
RouterClient.call = pause
location_run(int(sys.argv[2]), is_forced=True)
"""
RUN = """
from locations.sync.writer import location_run
location_run(int(sys.argv[2]), is_forced=True)
"""


def test_a_writer_killed_before_the_word_went_out_says_nothing_later() -> None:
    with emulated(policies=POLICIES, clock="manual") as router:
        world = World(router)
        world.later(600)
        row = confirmed(world.location, real_now())
        child = spawn(KILLED_BEFORE, world.location.pk)
        assert child.stdout is not None
        assert child.stdout.readline() == "about to say it\n"
        kill(child)
        assert (world.state_of(row), said(router)) == (RebootStatus.SENT, 0)
        lease_runs_out()
        world.clock.at = real_now()
        assert world.later(60) == ""
        assert (world.state_of(row), said(router)) == (RebootStatus.SENT, 0)
        assert world.later(90) == ""
        assert (world.state_of(row), said(router)) == (RebootStatus.IGNORED, 0)


def test_a_writer_killed_after_the_word_went_out_does_not_say_it_again() -> None:
    with emulated(policies=POLICIES, clock="manual") as router:
        world = World(router)
        world.later(600)
        row = confirmed(world.location, real_now())
        router.set_fault("stall", pattern=f"^{REBOOT}", when="after", count=1)
        child = spawn(RUN, world.location.pk)
        wait_until(lambda: said(router))
        kill(child)
        router.clear_fault()
        assert (world.state_of(row), said(router)) == (RebootStatus.SENT, 1)
        lease_runs_out()
        connections.close_all()  # those from before the restart
        world.clock.at = real_now()
        assert world.later(60) == ""
        assert (world.state_of(row), said(router)) == (RebootStatus.BACK, 1)


def test_a_router_that_refuses_is_quoted() -> None:
    with emulated(policies=("api", "read", "write", "test")) as router:
        location = location_of(router)
        location_run(location.pk)
        row = confirmed(location, real_now())
        assert location_run(location.pk).problem == ""
        row.refresh_from_db()
        assert (row.status, row.router_words) == (RebootStatus.REFUSED, "not enough permissions (9)")
        location_run(location.pk, is_forced=True)
        assert said(router) == 1


def test_what_took_too_long_does_not_happen_later() -> None:
    with emulated(policies=POLICIES, clock="manual") as router:
        world = World(router)
        world.later(600)
        asked = reboot_ask(world.location, typed_name="Pos 1", actor=person("wati"), now=world.clock.at)
        late = world.clock.at + timedelta(minutes=30)
        with pytest.raises(TransitionError):
            reboot_confirm(asked, actor=person("xena"), now=late)
        assert reboots_expire(late - timedelta(seconds=1)) == 0
        assert reboots_expire(late) == 1
        assert world.state_of(asked) == RebootStatus.EXPIRED

        row = confirmed(world.location, world.clock.at)
        assert world.later(1800) == ""  # the router was not reached until now
        assert (world.state_of(row), said(router)) == (RebootStatus.CONFIRMED, 0)
        assert reboots_expire(world.clock.at) == 1
        assert world.state_of(row) == RebootStatus.EXPIRED


def test_not_after_all() -> None:
    with emulated(policies=POLICIES) as router:
        location, now = location_of(router), real_now()
        row = confirmed(location, now)
        reboot_cancel(row, actor=person("wati"), now=now)
        location_run(location.pk, is_forced=True)
        row.refresh_from_db()
        assert (row.status, said(router)) == (RebootStatus.CANCELLED, 0)
        again = RouterReboot.objects.create(location=location, asked_at=now, status=RebootStatus.SENT, sent_at=now)
        with pytest.raises(TransitionError) as sent:
            reboot_cancel(again, actor=person("xena"), now=now)
        assert sent.value.code == "reboot.decided"


def test_one_that_does_not_come_back_is_an_outage_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    listeners = [events.Subscription(LocationDown, told.append, is_critical=True, order=1)]
    with emulated(policies=POLICIES, clock="manual") as router:
        world = World(router)
        world.later(600)
        row = confirmed(world.location, world.clock.at)
        monkeypatch.setattr(events, "_subscriptions", listeners)
        assert location_run(world.location.pk, now=world.clock).problem == ""
        router.set_fault("down")
        world.later(300)
        world.later(299)
        assert reboots_expire(world.clock.at) == 0
        world.later(1)
        assert (reboots_expire(world.clock.at), told) == (1, [])
        assert world.state_of(row) == RebootStatus.LOST
        world.later(60)
        assert told == [LocationDown([world.location.pk])]
        router.clear_fault("down")
        assert world.later(60) == ""
        assert world.state_of(row) == RebootStatus.BACK

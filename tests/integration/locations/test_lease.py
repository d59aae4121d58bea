"""One writer per location: take-over, a stalled old writer, a killed one."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core.clock import now as real_now
from locations import services
from locations.choices import Kind
from locations.models import AccessAccount, Location, RouterState
from locations.routeros.errors import LeaseLost
from locations.sync.lease import lease_release, lease_renew, lease_take
from locations.sync.writer import location_run
from tests.processes import kill, spawn, wait_until
from tests.routers import Clock, emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)

RUN = """
from locations.sync.writer import location_run
print(location_run(int(sys.argv[2]), is_forced=True).problem)
"""


def lease_runs_out(location: Location) -> None:
    """What the database sees once the holder has been silent for too long."""
    RouterState.objects.filter(pk=location.pk).update(lease_until=real_now() - timedelta(seconds=1))


def account_at(location: Location, name: str = "ABCD2345") -> AccessAccount:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
    return services.account_put(profile=profile, name=name, password=None, tag="a")


def in_thread(location: Location) -> tuple[threading.Thread, list[str]]:
    problems: list[str] = []

    def work() -> None:
        try:
            problems.append(location_run(location.pk, is_forced=True).problem)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, problems


def test_only_one_of_two_gets_the_lease() -> None:
    with emulated() as router:
        location = location_of(router)
        lease = lease_take(location.pk)
        assert lease is not None
        assert lease_take(location.pk) is None
        assert location_run(location.pk, is_forced=True).was_free is False
        lease_release(lease)
        again = lease_take(location.pk)
        assert again is not None
        assert again.is_takeover is False


def test_a_lease_that_ran_out_cannot_be_renewed() -> None:
    with emulated() as router:
        location = location_of(router)
        lease = lease_take(location.pk)
        assert lease is not None
        lease_runs_out(location)
        with pytest.raises(LeaseLost):
            lease_renew(lease, {})
        with pytest.raises(LeaseLost):
            lease.check()
        successor = lease_take(location.pk)
        assert successor is not None
        assert successor.is_takeover is True


def test_a_stalled_old_revision_never_wins() -> None:
    clock = Clock(real_now())
    with emulated() as router:
        location = location_of(router)
        account = account_at(location)
        location_run(location.pk)
        services.account_disable(account, actor=None)  # the wish the old writer will get stuck with
        router.set_fault("stall", pattern="^/ip/hotspot/user/set", count=1)
        thread, problems = in_thread(location)
        wait_until(router.held)

        services.account_enable(account, actor=None)  # the newer wish
        lease_runs_out(location)
        clock.at = real_now()
        assert location_run(location.pk, is_forced=True, now=clock).problem == ""
        assert hotspot_users(router)["ABCD2345"]["disabled"] is False
        router.release()  # the old sentence arrives after all
        thread.join(30)
        assert problems in (["lease"], ["unreachable"])
        assert hotspot_users(router)["ABCD2345"]["disabled"] is True  # the router did what the late sentence said …

        clock.at += timedelta(seconds=61)
        location_run(location.pk, is_forced=True, now=clock)
        assert hotspot_users(router)["ABCD2345"]["disabled"] is False  # … and was put right
        account.refresh_from_db()
        assert (account.is_synced, account.is_disabled) == (True, False)


def test_a_router_that_fell_silent_and_does_an_old_wish_late_is_put_right(settings: Any) -> None:
    """The same writer goes on over a new connection; nobody took over, nothing was left in the lease."""
    settings.ROUTER_TIMEOUT_SECONDS = 0.3
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = account_at(location)
        location_run(location.pk, now=clock)
        services.account_disable(account, actor=None)
        router.set_fault("stall", pattern="^/ip/hotspot/user/set", count=1)
        assert location_run(location.pk, is_forced=True, now=clock).problem == "timeout"
        services.account_enable(account, actor=None)
        router.advance(5)
        clock.at += timedelta(seconds=5)
        assert location_run(location.pk, is_forced=True, now=clock).problem == ""
        router.release()
        assert hotspot_users(router)["ABCD2345"]["disabled"] is True  # the old wish came after the newer one
        account.refresh_from_db()
        assert (account.is_synced, account.is_disabled) == (True, False)

        router.advance(61)
        clock.at += timedelta(seconds=61)
        assert location_run(location.pk, now=clock).problem == ""
        assert hotspot_users(router)["ABCD2345"]["disabled"] is False
        state = RouterState.objects.get(pk=location.pk)
        assert (state.reconcile_due_at, state.is_repair_due) == (None, False)


def test_a_worker_killed_mid_sync_leaves_nothing_twice_and_nothing_missing() -> None:
    with emulated() as router:
        location = location_of(router)
        names = [f"CODE{number:04}" for number in range(300)]
        for name in names:
            account_at(location, name)
        router.set_fault("stall", pattern="^/ip/hotspot/user/add", contains="CODE0123", count=1)
        child = spawn(RUN, location.pk)
        wait_until(router.held)
        kill(child)
        router.clear_fault()
        state = RouterState.objects.get(pk=location.pk)
        assert state.lease_token is not None
        assert location_run(location.pk, is_forced=True).was_free is False  # the dead one's lease still holds

        lease_runs_out(location)
        assert location_run(location.pk, is_forced=True).problem == ""
        assert sorted(hotspot_users(router)) == names
        assert AccessAccount.objects.filter(applied_revision=1).count() == 300
        accepted = [op for op in router.op_log("/ip/hotspot/user/add") if op["result"] == "ok"]
        assert len(accepted) == 300


def test_a_worker_killed_between_observing_and_taking_in_loses_no_login() -> None:
    code = """
from locations.sync import observe, writer
from locations.models import Observation
def pause(*_):
    if Observation.objects.filter(processed_at=None).exists():
        print("observed", flush=True)
        sys.stdin.readline()
writer.observations_take = pause
writer.location_run(int(sys.argv[2]), is_forced=True)
"""
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = account_at(location)
        location_run(location.pk)
        router.hotspot_login("ABCD2345", "ABCD2345", "02:00:00:00:00:01")
        router.advance(5)
        child = spawn(code, location.pk)
        assert child.stdout is not None
        assert child.stdout.readline() == "observed\n"
        kill(child)
        account.refresh_from_db()
        assert account.first_login_at is None
        lease_runs_out(location)
        location_run(location.pk)
        account.refresh_from_db()
        assert account.first_login_at is not None

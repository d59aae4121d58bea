"""A location that is switched off while its router is being asked: what was read is dropped, nothing more is sent."""

from __future__ import annotations

import pytest

from locations import services
from locations.choices import Reach
from locations.models import Location, Observation, RouterState
from locations.sync.writer import location_run
from tests.integration.locations.test_lease import account_at, in_thread
from tests.processes import wait_until
from tests.routers import emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)


def switch(location: Location, *, is_active: bool) -> None:
    services.location_change(location, is_active=is_active, actor=None)


@pytest.mark.parametrize("menu", ["system/identity", "ip/hotspot/active"])
def test_a_poll_that_runs_is_dropped(menu: str) -> None:
    """In the first question of the poll (who are you) as in its last."""
    with emulated() as router:
        location = location_of(router)
        location_run(location.pk)
        before = Observation.objects.count()
        read_at = RouterState.objects.get(pk=location.pk).polled_at
        router.set_fault("stall", pattern=f"^/{menu}/print", count=1)
        thread, problems = in_thread(location)
        wait_until(router.held)
        switch(location, is_active=False)
        account_at(location)
        router.release()
        thread.join(30)
        assert problems == ["lease"]
        state = RouterState.objects.get(pk=location.pk)
        assert (Observation.objects.count(), state.polled_at, state.failures) == (before, read_at, 0)
        assert hotspot_users(router) == {}
        assert location_run(location.pk, is_forced=True).was_free is False
        wait_until(lambda: router.connections_open() == 0)

        switch(location, is_active=True)
        assert location_run(location.pk, is_forced=True).problem == ""
        assert list(hotspot_users(router)) == ["ABCD2345"]
        assert Observation.objects.count() > before


def test_what_the_router_did_is_recorded_and_nothing_follows() -> None:
    with emulated() as router:
        location = location_of(router)
        account = account_at(location)
        router.set_fault("stall", pattern="^/ip/hotspot/user/add", count=1)
        thread, problems = in_thread(location)
        wait_until(router.held)
        switch(location, is_active=False)
        later = account_at(location, "EFGH2345")
        router.release()
        thread.join(30)
        assert problems == ["lease"]
        account.refresh_from_db()
        later.refresh_from_db()
        assert (account.is_synced, later.is_synced) == (True, False)
        assert list(hotspot_users(router)) == ["ABCD2345"]


def test_a_router_that_breaks_off_after_it_was_switched_off_is_no_outage() -> None:
    with emulated() as router:
        location = location_of(router)
        location_run(location.pk)
        router.set_fault("stall", pattern="^/ip/hotspot/active/print", count=1)
        thread, problems = in_thread(location)
        wait_until(router.held)
        switch(location, is_active=False)
        router.drop_connections()
        thread.join(30)
        assert problems == ["unreachable"]
        state = RouterState.objects.get(pk=location.pk)
        assert (state.failures, state.reach, state.last_error) == (0, Reach.ONLINE, "")

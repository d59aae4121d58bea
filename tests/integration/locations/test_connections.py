"""One connection per router: kept, looked at before it is used again, closed when nobody needs it or the lease is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from locations import services
from locations.choices import Kind, Reach
from locations.emulator.router import EmulatedRouter
from locations.models import Location, RouterState
from locations.sync import connections, lease, writer
from locations.sync.writer import location_run
from tests.routers import emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place() -> Iterator[tuple[EmulatedRouter, Location]]:
    with emulated() as router:
        location = location_of(router)
        services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
        assert location_run(location.pk).problem == ""
        yield router, location


def logins(router: EmulatedRouter) -> int:
    return router.op_counts().get("/login", 0)


def sell(location: Location, name: str) -> None:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
    services.account_put(profile=profile, name=name, password=None, tag="a")


def idle(location: Location, seconds: float) -> None:
    """The kept connection was last used so long ago."""
    target, client, since = connections._kept[location.pk]
    connections._kept[location.pk] = (target, client, since - seconds)


def test_the_next_run_logs_in_no_second_time(place: tuple[EmulatedRouter, Location]) -> None:
    router, location = place
    sell(location, "A")
    location_run(location.pk)
    assert (logins(router), router.connections_open(), list(hotspot_users(router))) == (1, 1, ["A"])


def test_one_that_the_router_closed_meanwhile_is_no_failure_of_the_router(
    place: tuple[EmulatedRouter, Location],
) -> None:
    router, location = place
    router.drop_connections()
    sell(location, "A")
    assert location_run(location.pk).problem == ""
    state = RouterState.objects.get(pk=location.pk)
    assert (state.failures, state.reach, logins(router)) == (0, Reach.ONLINE, 2)
    assert list(hotspot_users(router)) == ["A"]


@pytest.mark.parametrize(("seconds", "asked"), [(10.0, 0), (60.0, 1)])
def test_after_a_longer_silence_the_router_is_asked_first(
    place: tuple[EmulatedRouter, Location], seconds: float, asked: int
) -> None:
    router, location = place
    idle(location, seconds)
    router.clear_op_log()
    sell(location, "A")
    location_run(location.pk)
    assert router.op_counts().get("/system/identity/print", 0) == asked
    assert list(hotspot_users(router)) == ["A"]


def test_one_whose_router_does_not_answer_is_replaced(
    place: tuple[EmulatedRouter, Location], monkeypatch: pytest.MonkeyPatch
) -> None:
    router, location = place
    monkeypatch.setattr(connections, "ASKED_SECONDS", 0.2)
    idle(location, 60)
    router.set_fault("stall", pattern="identity/print", count=1)
    sell(location, "A")
    assert location_run(location.pk).problem == ""
    assert (logins(router), list(hotspot_users(router))) == (2, ["A"])


def test_an_idle_one_is_closed_by_the_run_of_any_other_location(place: tuple[EmulatedRouter, Location]) -> None:
    _router, location = place
    with emulated() as other:
        second = location_of(other, "Pos 2")
        location_run(second.pk)
        assert set(connections._kept) == {location.pk, second.pk}
        idle(location, connections.IDLE_SECONDS)
        location_run(second.pk)
        assert set(connections._kept) == {second.pk}


def test_a_location_that_was_switched_off_keeps_no_login(place: tuple[EmulatedRouter, Location]) -> None:
    _router, location = place
    services.location_change(location, actor=None, is_active=False)
    location_run(location.pk)
    assert connections._kept == {}


def test_it_is_closed_with_the_lease(place: tuple[EmulatedRouter, Location], monkeypatch: pytest.MonkeyPatch) -> None:
    _router, location = place

    def lost(held: lease.Lease, *_rest: Any) -> None:
        held.ends_at = 0.0

    monkeypatch.setattr(writer, "lease_renew", lost)
    sell(location, "A")
    assert location_run(location.pk).problem == "lease"
    assert connections._kept == {}


def test_it_is_closed_when_a_run_ends_in_an_error_of_ours(
    place: tuple[EmulatedRouter, Location], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers may still be on their way: the next run would take them for its own."""
    _router, location = place

    def broken(*_anything: Any) -> None:
        raise ArithmeticError

    monkeypatch.setattr(writer, "outcomes_record", broken)
    sell(location, "A")
    with pytest.raises(ArithmeticError):
        location_run(location.pk)
    assert connections._kept == {}


def test_a_changed_login_is_used_at_once(place: tuple[EmulatedRouter, Location]) -> None:
    router, location = place
    router.command("/user/add", {"name": "second", "group": "full", "password": "another-one-for-tests"})
    services.location_change(location, actor=None, username="second", password="another-one-for-tests")
    assert location_run(location.pk).problem == ""
    assert [row["user"] for row in router.op_log("/system/identity/print")][-1] == "second"
    assert RouterState.objects.get(pk=location.pk).polled_at > clock.now() - timedelta(minutes=1)

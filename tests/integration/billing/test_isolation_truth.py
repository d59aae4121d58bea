"""What peers get wrong between the bill and the router, asked from the router: paid but cut off, cut off but online."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from billing.choices import PlanType
from billing.models import Subscription
from billing.services.subscriptions import subscription_end
from billing.services.subscriptions_access import subscription_change_login
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from locations.emulator.errors import PppRefused
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterState
from locations.sync.writer import location_run
from tests.integration.billing.service_world import at, bills, login, money, night, pay, plan, service, state
from tests.routers import emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
NOV_22 = date(2026, 11, 22)
DAY = timedelta(days=1)
MAC = "02:00:00:00:00:07"
PASSWORD = "rahasia-sri"  # of an emulated subscriber


class World:
    def __init__(self, router: EmulatedRouter):
        self.router, self.location = router, location_of(router)

    def run(self) -> None:
        location_run(self.location.pk, is_forced=True)

    def secret(self, name: str) -> dict[str, Any]:
        return {row["name"]: row for row in on_router(self.router, "/ppp/secret")}[name]

    def down(self) -> None:
        """The address answers nothing any more."""
        Location.objects.filter(pk=self.location.pk).update(port=1)

    def up(self) -> None:
        Location.objects.filter(pk=self.location.pk).update(port=self.router.port)
        RouterState.objects.filter(pk=self.location.pk).update(retry_at=None)


@contextmanager
def subscriber(**terms: Any) -> Iterator[tuple[World, Subscription]]:
    """An active subscriber whose session runs."""
    with emulated() as router:
        world = World(router)
        fields: dict[str, Any] = {"grace_days": 0, "rate_limit": "5M/10M"} | terms
        offer = plan(world.location, **fields)
        row = service(world.location, offer, NOV_22, username="sri", password=PASSWORD)
        world.run()
        router.ppp_connect("sri", PASSWORD, MAC)
        yield world, row


def is_held_back(world: World) -> bool:
    return bool(world.secret("sri")["profile"] == "mb-isolated")


def test_unpaid_is_held_back_and_paid_is_back_both_on_the_router() -> None:
    with subscriber() as (world, row):
        night(world.location, NOV_22 + DAY)
        assert not login(row).is_synced  # wanted, and the screen says that it waits
        world.run()
        assert is_held_back(world)
        assert on_router(world.router, "/ppp/active") == []
        world.router.ppp_connect("sri", PASSWORD, MAC)
        pay(row, 150_000, NOV_22 + DAY)
        world.run()
        assert not is_held_back(world)
        assert on_router(world.router, "/ppp/active") == []  # the slow session ended: he dials into the fast one
        assert login(row).is_synced


def test_router_down_at_isolation_the_state_says_waiting_and_it_is_applied_on_return() -> None:
    """GEM: "suspended" was written while the customer stayed online, and the next run skipped him for ever."""
    with subscriber() as (world, row):
        world.down()
        night(world.location, NOV_22 + DAY)
        world.run()
        assert (state(row), login(row).is_synced) == (("isolated", True), False)
        for n in (2, 3):
            night(world.location, NOV_22 + n * DAY)
        assert len(on_router(world.router, "/ppp/active")) == 1
        world.up()
        world.run()
        assert is_held_back(world)
        assert on_router(world.router, "/ppp/active") == []
        assert login(row).is_synced


def test_router_down_at_payment_the_money_is_paid_and_the_opening_waits() -> None:
    """MSR: the callback died with the router, its repetition was answered "already paid": cut off for ever."""
    with subscriber() as (world, row):
        night(world.location, NOV_22 + DAY)
        world.run()
        world.down()
        pay(row, 150_000, NOV_22 + DAY, "callback-1")
        pay(row, 150_000, NOV_22 + DAY, "callback-1")  # repeated: one payment
        world.run()
        assert (money(row), bills(row)[0][3], state(row)) == ((0, 0), "paid", ("active", False))
        assert not login(row).is_synced
        assert is_held_back(world)
        world.up()
        world.run()
        assert not is_held_back(world)
        world.router.ppp_connect("sri", PASSWORD, MAC)
        assert login(row).is_synced


def test_paid_before_the_isolation_reached_the_router_is_never_cut_off() -> None:
    with subscriber() as (world, row):
        world.down()
        night(world.location, NOV_22 + DAY)
        pay(row, 150_000, NOV_22 + DAY)
        world.up()
        world.run()
        assert not is_held_back(world)
        assert (state(row), login(row).is_synced) == (("active", False), True)


def test_who_pays_goes_before_everybody_who_is_held_back() -> None:
    with subscriber() as (world, row):
        offer = row.plan
        others = [service(world.location, offer, NOV_22) for _n in range(20)]
        night(world.location, NOV_22 + DAY)
        world.run()
        for other in others:
            AccessAccount.objects.filter(pk=login(other).pk).update(revision=99)  # work that waits
        pay(row, 150_000, NOV_22 + DAY)
        assert AccessAccount.objects.order_by("priority", "pk").values_list("name", flat=True)[0] == "sri"


def test_a_router_that_forgot_everything_gets_the_isolated_back_isolated() -> None:
    with subscriber() as (world, row):
        night(world.location, NOV_22 + DAY)
        world.run()
        world.router.command("/ppp/secret/remove", {".id": world.secret("sri")[".id"]})
        AccessAccount.objects.filter(pk=login(row).pk).update(applied_revision=0, router_id="")
        world.run()
        assert is_held_back(world)


def test_vacation_switches_the_login_off_and_on() -> None:
    with subscriber() as (world, row):
        subscription_pause(row, actor=None, now=at(NOV_22))
        world.run()
        assert on_router(world.router, "/ppp/active") == []
        with pytest.raises(PppRefused):
            world.router.ppp_connect("sri", PASSWORD, MAC)
        subscription_resume(row, actor=None, now=at(NOV_22 + DAY))
        world.run()
        world.router.ppp_connect("sri", PASSWORD, MAC)


def test_a_new_name_reaches_the_router() -> None:
    """NUX: the rename tested an undefined variable and never got there."""
    with subscriber() as (world, row):
        subscription_change_login(row, username="busri", password="baru-sekali", actor=None)
        world.run()
        assert [secret["name"] for secret in on_router(world.router, "/ppp/secret")] == ["busri"]
        assert on_router(world.router, "/ppp/active") == []
        world.router.ppp_connect("busri", "baru-sekali", MAC)


def test_an_ended_service_leaves_the_router_and_does_not_stop_the_writer() -> None:
    with subscriber() as (world, row):
        subscription_end(row, reason="pindah rumah", actor=None, now=at(NOV_22 + DAY))
        row.refresh_from_db()
        assert (row.status, row.account_id is None) == ("ended", False)  # shown as waiting for the router
        world.run()
        row.refresh_from_db()
        assert (on_router(world.router, "/ppp/secret"), on_router(world.router, "/ppp/active")) == ([], [])
        assert (row.account_id, AccessAccount.objects.exists()) == (None, False)
        other = service(world.location, row.plan, NOV_22 + DAY, username="sri", password=PASSWORD)
        world.run()
        assert [secret["name"] for secret in on_router(world.router, "/ppp/secret")] == ["sri"]
        assert login(other).is_synced


def test_an_ended_static_service_is_not_online_and_its_address_goes_to_the_next_one() -> None:
    with emulated() as router:
        world = World(router)
        offer = plan(world.location, type=PlanType.STATIC, rate_limit="5M/10M")
        row = service(world.location, offer, NOV_22, static_address="10.9.0.2")
        world.run()
        subscription_end(row, reason="pindah rumah", actor=None, now=at(NOV_22 + DAY))
        world.run()
        assert on_router(router, "/queue/simple") == []
        listed = [(entry["list"], entry["address"]) for entry in on_router(router, "/ip/firewall/address-list")]
        assert listed == [("mb-off", "10.9.0.2")]
        (rule,) = on_router(router, "/ip/firewall/filter")
        assert (rule["chain"], rule["src-address-list"], rule["action"]) == ("forward", "mb-off", "drop")

        service(world.location, offer, NOV_22 + DAY, static_address="10.9.0.2")
        world.run()
        assert on_router(router, "/ip/firewall/address-list") == []
        assert [queue["target"] for queue in on_router(router, "/queue/simple")] == ["10.9.0.2/32"]

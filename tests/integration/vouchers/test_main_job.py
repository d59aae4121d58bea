"""The main job over all rooms and real sockets: batch, router, guest, validity, expiry — and what happens when links break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction

from core.clock import now as real_now
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterState
from locations.routeros.values import duration_seconds
from locations.services import location_test
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan, vouchers_of
from tests.routers import BOTH, Clock, emulated, hotspot_users, location_of, on_router
from vouchers.choices import PushAt
from vouchers.models import Voucher, VoucherSale
from vouchers.selectors import voucher_state
from vouchers.services import voucher_move, voucher_sell, vouchers_expire

pytestmark = pytest.mark.django_db(transaction=True)
MAC = "02:00:00:00:00:01"


class World:
    """One emulated router, its location, and a server clock that moves with the router's."""

    def __init__(self, router: EmulatedRouter):
        self.router = router
        self.location: Location = location_of(router)
        self.clock = Clock(real_now())

    def run(self, times: int = 1) -> None:
        for _time in range(times):
            location_run(self.location.pk, is_forced=True, now=self.clock)

    def pass_time(self, seconds: int) -> None:
        self.router.advance(seconds)
        self.clock.at += timedelta(seconds=seconds)

    def expire(self) -> int:
        return vouchers_expire(now=self.clock.at)


@contextmanager
def world(version: str = "7.16.1") -> Iterator[World]:
    with emulated(version=version, clock="manual") as router:
        yield World(router)


def sold_voucher(w: World, **fields: object) -> Voucher:
    plan = make_plan("Hotspot 1 Jam", w.location, duration_seconds=3600)
    batch = make_batch(plan, w.location, quantity=1, **fields)
    (voucher,) = vouchers_of(batch)
    w.run()
    voucher_sell(voucher, actor=None, request_key="sale-1")
    voucher.refresh_from_db()
    return voucher


@BOTH
def test_from_batch_to_expiry(version: str) -> None:
    with world(version) as w:
        voucher = sold_voucher(w)
        assert list(hotspot_users(w.router)) == [voucher.code]
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(60)
        w.run()
        voucher.refresh_from_db()
        began = w.clock.at - timedelta(seconds=60)
        assert (voucher.status, voucher.used_at) == ("active", began)
        assert voucher.valid_until == began + timedelta(hours=1)

        assert w.expire() == 0
        w.pass_time(3541)
        assert w.expire() == 1
        voucher.refresh_from_db()
        assert voucher.status == "expired"
        state = voucher_state(voucher)
        assert [place.location_name for place in state.places] == ["Pos 1"]  # expired, waiting for the router
        w.run()
        assert hotspot_users(w.router) == {}
        assert on_router(w.router, "/ip/hotspot/active") == []
        assert on_router(w.router, "/ip/hotspot/cookie") == []
        assert voucher_state(voucher).places == ()
        assert w.expire() == 0


@BOTH
def test_paid_time_ends_without_the_server(version: str) -> None:
    """The server is gone from the first login on: the router alone ends the hour."""
    with world(version) as w:
        voucher = sold_voucher(w)
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(3599)
        assert len(w.router.rows("/ip/hotspot/active")) == 1
        w.pass_time(2)
        assert w.router.rows("/ip/hotspot/active") == []
        with pytest.raises(Exception, match="uptime limit"):
            w.router.hotspot_login(voucher.code, voucher.code, MAC)

        w.run()  # the server is back
        voucher.refresh_from_db()
        assert voucher.status == "active"
        assert w.expire() == 1
        w.run()
        assert hotspot_users(w.router) == {}


def test_time_offline_is_taken_off_the_routers_limit_at_the_next_login() -> None:
    with world() as w:
        voucher = sold_voucher(w)
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(600)
        w.run()
        w.router.hotspot_logout(MAC)
        w.pass_time(1800)
        w.run()
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(10)
        w.run(2)
        (user,) = w.router.rows("/ip/hotspot/user", name=voucher.code)
        assert duration_seconds(user["limit-uptime"]) == 600 + 10 + (3600 - 2410)


@BOTH
def test_a_sale_while_the_router_is_down_is_kept_and_done_once(version: str) -> None:
    """T1."""
    with world(version) as w:
        plan = make_plan("Hotspot 1 Jam", w.location, duration_seconds=3600)
        batch = make_batch(plan, w.location, quantity=1, push_at=PushAt.SALE)
        (voucher,) = vouchers_of(batch)
        w.run()
        assert hotspot_users(w.router) == {}
        w.router.set_fault("down")
        first = voucher_sell(voucher, actor=None, request_key="sale-1")
        again = voucher_sell(voucher, actor=None, request_key="sale-1")
        assert first.pk == again.pk
        w.run(2)
        voucher.refresh_from_db()
        (place,) = voucher_state(voucher).places
        assert (voucher.status, place.is_confirmed) == ("sold", False)

        w.router.clear_fault()
        w.run(2)
        assert list(hotspot_users(w.router)) == [voucher.code]
        assert [op["result"] for op in w.router.op_log("/ip/hotspot/user/add")] == ["ok"]
        assert VoucherSale.objects.count() == 1
        (place,) = voucher_state(voucher).places
        assert place.is_confirmed


def test_expired_while_the_link_is_cut_ends_when_it_returns() -> None:
    with world() as w:
        voucher = sold_voucher(w)
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(60)
        w.run()
        w.router.set_fault("down")
        w.pass_time(3600)
        assert w.expire() == 1
        w.run(2)
        assert len(voucher_state(voucher).places) == 1
        assert w.router.rows("/ip/hotspot/active") == []  # the router ended it alone
        w.router.clear_fault()
        w.run(2)
        assert hotspot_users(w.router) == {}
        assert voucher_state(voucher).places == ()


@BOTH
def test_a_reset_router_gets_paid_vouchers_back_with_their_remaining_time(version: str) -> None:
    """T16: none is marked expired because it is missing."""
    with world(version) as w:
        plan = make_plan("Hotspot 1 Jam", w.location, duration_seconds=3600)
        batch = make_batch(plan, w.location, quantity=3)
        used, sold, _new = vouchers_of(batch)
        w.run()
        for number, voucher in enumerate((used, sold)):
            voucher_sell(voucher, actor=None, request_key=f"sale-{number}")
        w.router.hotspot_login(used.code, used.code, MAC)
        w.pass_time(1200)
        w.run()
        w.router.factory_reset()
        w.pass_time(30)
        w.clock.at += timedelta(seconds=30)
        w.run(3)
        assert sorted(Voucher.objects.values_list("status", flat=True)) == ["active", "new", "sold"]
        limits = {
            row["name"]: duration_seconds(row["limit-uptime"])
            for row in w.router.rows("/ip/hotspot/user")
            if "limit-uptime" in row
        }
        assert limits[sold.code] == 3600
        assert limits[used.code] == 3600 - 1200 - 60
        assert len(limits) == 3


@BOTH
def test_syncing_twice_changes_nothing_of_a_running_voucher(version: str) -> None:
    """T4."""
    with world(version) as w:
        voucher = sold_voucher(w)
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(60)
        w.run(2)
        before = w.router.rows("/ip/hotspot/user"), len(w.router.rows("/ip/hotspot/active"))
        w.router.clear_op_log()
        for _time in range(2):
            RouterState.objects.update(reconcile_due_at=w.clock.at)
            w.run()
        assert (w.router.rows("/ip/hotspot/user"), len(w.router.rows("/ip/hotspot/active"))) == before
        assert w.router.write_count() == 0


def test_a_guest_may_use_a_printed_code_before_anyone_pressed_sell() -> None:
    with world() as w:
        plan = make_plan("Hotspot 1 Jam", w.location, duration_seconds=3600)
        (voucher,) = vouchers_of(make_batch(plan, w.location, quantity=1))
        w.run()
        w.router.hotspot_login(voucher.code, voucher.code, MAC)
        w.pass_time(60)
        w.run()
        voucher.refresh_from_db()
        assert (voucher.status, voucher.sold_at) == ("active", None)


def test_a_voucher_of_two_places_starts_everywhere_with_the_first_login() -> None:
    with emulated(clock="manual") as one, emulated(clock="manual") as two:
        here, there = location_of(one, "Pos 1"), location_of(two, "Pos 2")
        clock = Clock(real_now())
        plan = make_plan("Hotspot 1 Jam", here, there, duration_seconds=3600)
        (voucher,) = vouchers_of(make_batch(plan, here, there, quantity=1))
        for place in (here, there):
            location_run(place.pk, now=clock)
        one.hotspot_login(voucher.code, voucher.code, MAC)
        for router in (one, two):
            router.advance(600)
        clock.at += timedelta(seconds=600)
        for place in (here, there, here, there):
            location_run(place.pk, is_forced=True, now=clock)
        ends = set(AccessAccount.objects.values_list("valid_until", flat=True))
        assert ends == {clock.at - timedelta(seconds=600) + timedelta(hours=1)}
        (user,) = two.rows("/ip/hotspot/user", name=voucher.code)
        assert duration_seconds(user["limit-uptime"]) == 3000


def test_what_a_moved_voucher_used_keeps_counting_after_the_old_router_let_go() -> None:
    with emulated(clock="manual") as one, emulated(clock="manual") as two:
        here, there = location_of(one, "Pos 1"), location_of(two, "Pos 2")
        clock = Clock(real_now())
        plan = make_plan("Satu jam online", here, there, duration_seconds=None, uptime_limit_seconds=3600)
        (voucher,) = vouchers_of(make_batch(plan, here, quantity=1))
        location_run(here.pk, now=clock)
        one.hotspot_login(voucher.code, voucher.code, MAC)
        one.advance(1000)
        clock.at += timedelta(seconds=1000)
        location_run(here.pk, is_forced=True, now=clock)
        voucher_move(voucher, location=there, actor=None)
        for place in (here, there, there):
            location_run(place.pk, is_forced=True, now=clock)
        (account,) = AccessAccount.objects.all()
        assert (account.location_id, account.used_uptime_seconds) == (there.pk, 1000)
        assert hotspot_users(one) == {}
        (user,) = two.rows("/ip/hotspot/user", name=voucher.code)
        assert duration_seconds(user["limit-uptime"]) == 2600


def test_looking_at_a_router_never_happens_inside_a_transaction() -> None:
    with world() as w, transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        location_test(w.location)

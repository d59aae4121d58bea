"""Chaos on two routers over simulated days: links break, power fails, boxes are reset, guests come and go.

At the end every router has what we want and nothing else of ours, and nobody lost a second he paid for. The seed is fixed:
a failure can be run again. `SOAK_STEPS` says how long (a short run is part of `bin/test --all`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from core.clock import now as real_now
from core.installation import installation
from locations.choices import Presence
from locations.emulator import HotspotRefused
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location
from locations.sync import sweep
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan, vouchers_of
from tests.routers import Clock, emulated, hotspot_users, location_of
from vouchers.choices import PushAt
from vouchers.models import Voucher
from vouchers.services import voucher_sell, vouchers_expire

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True)]
STEPS = int(os.environ.get("SOAK_STEPS", "40"))
HOUR = 3600


class Chaos:
    """Random events, and an independent memory of who logged in when."""

    def __init__(self, routers: list[EmulatedRouter], seed: int):
        self.random = random.Random(seed)
        self.routers = routers
        self.clock = Clock(real_now())
        self.places: list[Location] = [location_of(router, f"Pos {n}") for n, router in enumerate(routers, 1)]
        plan = make_plan("Enam jam", *self.places, duration_seconds=6 * HOUR)
        self.stock = [
            (voucher, number)
            for number, place in enumerate(self.places)
            for voucher in vouchers_of(make_batch(plan, place, quantity=200, push_at=PushAt.SALE))
        ]
        self.sold: list[tuple[Voucher, int]] = []
        self.first_login: dict[str, datetime] = {}
        self.online: dict[str, tuple[str, int]] = {}
        self.down: set[int] = set()

    def step(self) -> None:
        event: Callable[[], None] = self.random.choice(
            [self.sell, self.sell, self.log_in, self.log_in, self.log_in, self.log_out, self.cut, self.mend,
             self.power_cut, self.reset]
        )  # fmt: skip
        event()
        self.pass_time(self.random.choice([20, 60, 300, 1800]))
        self.work()

    def pass_time(self, seconds: int) -> None:
        for router in self.routers:
            router.advance(seconds)
        self.clock.at += timedelta(seconds=seconds)

    def work(self) -> None:
        """What beat and the workers do."""
        vouchers_expire(now=self.clock.at)
        for location_id, _failures in sweep.locations_due(self.clock.at):
            location_run(location_id, now=self.clock)

    def sell(self) -> None:
        for _number in range(self.random.randint(1, 4)):
            voucher, place = self.stock.pop(self.random.randrange(len(self.stock)))
            voucher_sell(voucher, actor=None, request_key=f"sale-{voucher.pk}", now=self.clock.at)
            self.sold.append((voucher, place))

    def log_in(self) -> None:
        if not self.sold:
            return
        voucher, place = self.random.choice(self.sold)
        mac = f"02:00:00:00:{voucher.pk // 256:02X}:{voucher.pk % 256:02X}"
        try:
            self.routers[place].hotspot_login(voucher.code, voucher.code, mac)
        except HotspotRefused:
            return
        self.first_login.setdefault(voucher.code, self.clock.at)
        self.online[voucher.code] = (mac, place)

    def log_out(self) -> None:
        if self.online:
            code = self.random.choice(sorted(self.online))
            mac, place = self.online.pop(code)
            if any(row["user"] == code for row in self.routers[place].rows("/ip/hotspot/active")):
                self.routers[place].hotspot_leave(mac)

    def cut(self) -> None:
        place = self.random.randrange(len(self.routers))
        self.routers[place].set_fault("down")
        self.down.add(place)

    def mend(self) -> None:
        for place in sorted(self.down):
            self.routers[place].clear_fault()
        self.down.clear()

    def power_cut(self) -> None:
        self.random.choice(self.routers).reboot()

    def reset(self) -> None:
        if self.random.random() < 0.3:
            self.random.choice(self.routers).factory_reset()

    def calm(self) -> None:
        """All links up, and as many rounds as the longest back-off needs."""
        self.mend()
        for _round in range(4):
            self.pass_time(700)
            self.work()
            self.work()


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with ExitStack() as stack:
        routers = [stack.enter_context(emulated(version=v, clock="manual")) for v in ("6.49.17", "7.16.1")]
        yield Chaos(routers, seed=20261123)


def test_routers_hold_what_we_want_after_chaos_and_nobody_lost_paid_time(chaos: Chaos) -> None:
    for _step in range(STEPS):
        chaos.step()
    chaos.calm()

    tag = installation().tag
    for place, router in zip(chaos.places, chaos.routers, strict=True):
        wanted = AccessAccount.objects.filter(location=place, presence=Presence.PRESENT)
        ours = {name for name, row in hotspot_users(router).items() if row.get("comment", "").startswith(f"mb:{tag}:")}
        assert ours == set(wanted.values_list("name", flat=True))
        assert [account.name for account in wanted if not account.is_synced] == []
        living = set(Voucher.objects.filter(status__in=["sold", "active"]).values_list("code", flat=True))
        assert ours <= living
        assert {row["user"] for row in router.rows("/ip/hotspot/active")} <= living
    assert AccessAccount.objects.filter(presence=Presence.ABSENT).count() == 0

    for voucher, _place in chaos.sold:
        voucher.refresh_from_db()
        began = chaos.first_login.get(voucher.code)
        if voucher.valid_until is not None:
            assert began is not None, "a validity started without a guest"
            assert voucher.valid_until >= began + timedelta(hours=6, seconds=-6), "paid time was taken away"
        if voucher.status == "expired":
            assert voucher.valid_until is not None
            assert voucher.valid_until <= chaos.clock.at
        elif voucher.valid_until is not None:
            assert voucher.valid_until > chaos.clock.at


def test_whoever_has_time_left_can_log_in_after_chaos(chaos: Chaos) -> None:
    for _step in range(STEPS):
        chaos.step()
    chaos.calm()
    for voucher, place in chaos.sold:
        voucher.refresh_from_db()
        if voucher.status not in {"sold", "active"}:
            continue
        router = chaos.routers[place]
        if not any(row["user"] == voucher.code for row in router.rows("/ip/hotspot/active")):
            mac = f"02:00:00:01:{voucher.pk // 256:02X}:{voucher.pk % 256:02X}"
            router.hotspot_login(voucher.code, voucher.code, mac)

"""Chaos on routers: links break, power fails, boxes are reset or replaced, workers are killed, people go on working.

Two routers over simulated days (`SOAK_STEPS`), and six with all logins of a provider over half an hour
(`SOAK_ACCOUNTS`, `SOAK_MINUTES`, `SOAK_SEED`). At the end every router has what we want and nothing else of ours, and
nobody lost a second he paid for. The seeds are fixed: a failure can be run again. Short runs are part of `bin/test --all`.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.clock import now as real_now
from core.installation import installation
from locations.choices import Presence
from locations.emulator import HotspotRefused
from locations.emulator.router import EmulatedRouter
from locations.models import (
    AccessAccount,
    Location,
    Observation,
    RouterEntry,
    RouterProfile,
    RouterReplacement,
    RouterState,
)
from locations.selectors import NOT_SYNCED
from locations.sync import sweep
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan, vouchers_of
from tests.routers import Clock, emulated, hotspot_users, location_of
from tests.soak import chaos as half_an_hour
from tests.soak.far_side import Login, differences
from tests.soak.paid_time import Guest
from tests.soak.provider import STEP, Pos
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


# -- half an hour with every login of a provider -----------------------------------------------------------------------

ACCOUNTS = int(os.environ.get("SOAK_ACCOUNTS", "360"))
MINUTES = int(os.environ.get("SOAK_MINUTES", "8"))
SEED = int(os.environ.get("SOAK_SEED", "20261125"))
VERSIONS = ("6.49.17", "7.9.2", "7.15.3", "7.16.1", "7.18.2", "7.21.3")
CALM_STEPS = 60  # a quarter of an hour: the longest back-off, a dead lease, and the comparison after it
# seconds the server may take to end who is over, while it reaches the router: a poll, the minute between two looks at
# used limits, and a step. Needed only where a router forgot in a power cut what was used: else it ends sessions itself
BACKSTOP = 120.0


@pytest.fixture
def provider(settings: Any) -> Iterator[half_an_hour.Chaos]:
    settings.ROUTER_TIMEOUT_SECONDS = 1.0 if ACCOUNTS < 5000 else 4.0
    with ExitStack() as stack:
        versions = VERSIONS if ACCOUNTS >= 5000 else VERSIONS[::2]
        routers = [
            stack.enter_context(emulated(version=version, model="CCR2116-12G-4S+", clock="manual", random_seed=n))
            for n, version in enumerate(versions)
        ]
        yield half_an_hour.Chaos(routers, accounts=ACCOUNTS, seed=SEED)


def bad_day(chaos: half_an_hour.Chaos) -> list[Callable[[], None]]:
    """What happens in one step; the weights make a bad day, not a dead network."""
    people = [chaos.sell, chaos.log_in, chaos.log_in, chaos.leave, chaos.kick, chaos.change, chaos.isolate,
              chaos.move, chaos.dial, chaos.void]  # fmt: skip
    nature = [chaos.break_line, chaos.break_line, chaos.kill_worker, chaos.cut_connections, chaos.power_cut,
              chaos.hand_removes]  # fmt: skip
    events = chaos.random.sample(people, k=4) + chaos.random.sample(nature, k=1)
    if chaos.random.random() < 0.08:
        events.append(chaos.random.choice([chaos.reset, chaos.swap]))
    return [*events, chaos.accept]


def test_after_half_an_hour_of_chaos_all_is_as_wanted_and_paid_time_is_exact(provider: half_an_hour.Chaos) -> None:
    chaos = provider
    chaos.step()
    for place in chaos.places:
        assert differences(place.router, chaos.tag, list(place.wanted.values())) == []
    for _step in range(MINUTES * 60 // STEP):
        chaos.step(*bad_day(chaos))
    chaos.calm(CALM_STEPS)
    print(f"{sum(len(place.wanted) for place in chaos.places)} logins wanted, {len(chaos.sold)} sold, {chaos.done}")

    assert chaos.faults == []
    assert waiting_or_parked() == {}
    for place in chaos.places:
        assert differences(place.router, chaos.tag, still_wanted(chaos, place)) == []
        assert not any(name.endswith("reset-counters") for name in place.router.op_counts())
    for guest in chaos.paid.guests.values():
        paid_time_is_kept(chaos, guest)


def waiting_or_parked() -> dict[str, int]:
    """Nothing waits, nothing is held for a person, nobody holds a lease, nothing seen was not taken in."""
    counts = {
        "held": sum(model.objects.exclude(hold="").count() for model in (AccessAccount, RouterProfile, RouterEntry)),
        "waiting": sum(
            model.objects.filter(NOT_SYNCED).count() for model in (AccessAccount, RouterProfile, RouterEntry)
        ),
        "leases": RouterState.objects.exclude(lease_token=None).count(),
        "not online": RouterState.objects.exclude(reach="online").count(),
        "not taken in": Observation.objects.filter(processed_at=None).count(),
        "replacements": RouterReplacement.objects.exclude(status__in=["done", "abandoned"]).count(),
    }
    return {name: count for name, count in counts.items() if count}


def still_wanted(chaos: half_an_hour.Chaos, place: Pos) -> list[Login]:
    """Wanted for sure, and of those whose time may just be over the ones that the product lets on."""
    found = []
    for login in place.wanted.values():
        guest = chaos.paid.guests.get(login.name)
        if guest is None or guest.has_time(chaos.now) or place.router.rows("/ip/hotspot/user", name=login.name):
            found.append(login)
    return found


def paid_time_is_kept(chaos: half_an_hour.Chaos, guest: Guest) -> None:
    """Neither lost nor given: exact to the second per session, but for what a router forgot before it was asked."""
    voucher, number = chaos.sold[guest.code]
    place = chaos.places[number]
    voucher.refresh_from_db()
    assert guest.overtime <= BACKSTOP, guest
    if guest.is_gone:
        assert place.router.rows("/ip/hotspot/user", name=guest.code) == []
        return
    if guest.validity is not None and voucher.valid_until is not None:
        ends = (voucher.valid_until - chaos.began).total_seconds()
        assert guest.first_login is not None
        assert guest.first_login + guest.validity <= ends + 0.001, guest
        if guest.started_by is not None:  # else it was read in the same moment in which its entry was taken off
            assert ends <= guest.started_by + guest.validity + 1.001, guest
    rows = place.router.rows("/ip/hotspot/user", name=guest.code)
    if guest.online is not None and rows:
        left = left_on_router(chaos, place, guest.code)
        assert guest.online - guest.high <= left + 0.001, (guest, left, rows)
        assert left <= guest.online - guest.low + guest.forgiven + guest.sessions + 1.001, (guest, left, rows)
    if guest.has_time(chaos.now):
        assert chaos.log_in_one(guest.code) == "", guest
    elif guest.is_over(chaos.now):
        assert rows == [], guest


def left_on_router(chaos: half_an_hour.Chaos, place: Pos, code: str) -> float:
    """What its next session may last: the limit less the counter, less what runs."""
    (row,) = place.router.rows("/ip/hotspot/user", name=code)
    live = sum(run.seconds for run in chaos.paid.running[place.number].values() if run.guest.code == code)
    return seconds(row["limit-uptime"]) - seconds(row["uptime"]) - live


def seconds(text: str) -> float:
    """`1w2d3h4m5s`, as routers print it."""
    units = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    return float(sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text)))

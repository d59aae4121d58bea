"""A provider with several routers and tens of thousands of logins, and what beat and the workers do for him.

Every choice comes from one seeded generator. `Provider` remembers on its own what must be on which router (`wanted`) and
what everybody paid for (`paid`); it never asks the product for either.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from billing.selectors import publications
from core.clock import now as real_now
from core.installation import installation
from locations import services
from locations.choices import Kind
from locations.emulator.router import EmulatedRouter
from locations.models import Location, Observation, RouterProfile
from locations.sync import sweep
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan
from tests.routers import Clock, location_of
from tests.soak.far_side import Login
from tests.soak.killing import WorkerKilled, killed_after, lease_runs_out, socket_left_to_the_kernel
from tests.soak.paid_time import SLICE, PaidTime
from vouchers.models import Voucher
from vouchers.services import vouchers_expire, vouchers_use_up

STEP = 15  # seconds of simulated time: beat's sweep
LEASE = 60
PLANS = (("Dua puluh menit", 1200, None), ("Sepuluh menit online", None, 600), ("Bulanan", 30 * 86400, None))
SPEEDS = {Kind.PPP: ("10M/10M", "20M/20M"), Kind.STATIC: ("4M/4M", "8M/8M")}


@dataclass
class Pos:
    """One location and its router. `fault_ends` is the step in which what is wrong with it is over."""

    number: int
    router: EmulatedRouter
    location: Location
    wanted: dict[tuple[str, str], Login] = field(default_factory=dict)
    profiles: dict[str, list[RouterProfile]] = field(default_factory=dict)
    fault_ends: int | None = None
    dead_lease_ends: float | None = None
    kill_after: int | None = None
    is_swapped: bool = False
    counters: dict[str, float] = field(default_factory=dict)
    online: set[str] = field(default_factory=set)


class Provider:
    def __init__(self, routers: list[EmulatedRouter], *, accounts: int, seed: int):
        self.random = random.Random(seed)
        self.clock = Clock(real_now())
        self.began = self.clock.at
        self.tag = installation().tag
        self.paid = PaidTime()
        self.faults: list[str] = []  # of the model's own promises, in words
        self.steps = 0
        self.places = [Pos(n, router, location_of(router, f"Pos {n}")) for n, router in enumerate(routers)]
        self.stock: list[tuple[Voucher, int, int | None, int | None]] = []
        self.sold: dict[str, tuple[Voucher, int]] = {}
        self.leaving: list[tuple[str, int]] = []
        self.done: dict[str, int] = {}
        self.weight = max(1, accounts // 5000)  # of sales and logins, so that a big provider is a busy one
        each = accounts // len(self.places)
        self._vouchers(each * 8 // 10)
        for place in self.places:
            place.router.command("/ip/hotspot/user/add", {"name": "tamu"})  # the operator's own: nobody touches it
            self._secrets(place, each * 16 // 100)
            self._statics(place, each - each * 8 // 10 // len(PLANS) * len(PLANS) - each * 16 // 100)

    @property
    def now(self) -> float:
        return (self.clock.at - self.began).total_seconds()

    # -- what there is in the beginning

    def _vouchers(self, each: int) -> None:
        for name, validity, online in PLANS:
            plan = make_plan(
                name, *(place.location for place in self.places), duration_seconds=validity, uptime_limit_seconds=online
            )
            for place in self.places:
                batch = make_batch(plan, place.location, quantity=each // len(PLANS))
                profile = publications(plan.pk, [place.location.pk])[place.location.pk].profile.name
                for voucher in Voucher.objects.filter(batch=batch).order_by("code"):
                    code = voucher.code
                    comment = f"mb:{self.tag}:b{batch.pk}"
                    place.wanted[Kind.HOTSPOT, code] = Login(Kind.HOTSPOT, code, code, profile, comment)
                    self.stock.append((voucher, place.number, validity, online))

    def _profiles(self, place: Pos, kind: Kind) -> list[RouterProfile]:
        place.profiles[kind] = [
            services.profile_put(location=place.location, kind=kind, name=f"paket{n}", rate_limit=speed)
            for n, speed in enumerate(SPEEDS[kind], 1)
        ]
        return place.profiles[kind]

    def _secrets(self, place: Pos, number: int) -> None:
        profile = self._profiles(place, Kind.PPP)[0]
        names = [f"pel{place.number}-{n:05d}" for n in range(number)]
        services.accounts_copy(
            profile=profile, tag="a", logins=[(name, None) for name in names], limit_uptime_seconds=None,
            limit_bytes=None, is_mac_locked=False, now=self.clock.at,
        )  # fmt: skip
        for name in names:
            place.wanted[Kind.PPP, name] = Login(Kind.PPP, name, name, profile.name, f"mb:{self.tag}:a")

    def _statics(self, place: Pos, number: int) -> None:
        profile = self._profiles(place, Kind.STATIC)[0]
        for n in range(number):
            name, address = f"tetap{place.number}-{n:05d}", f"10.{place.number}.{n // 250}.{n % 250 + 1}"
            account = services.account_put(
                profile=profile, name=name, password=None, tag="a", static_address=address, priority=5
            )
            place.wanted[Kind.STATIC, name] = Login(
                Kind.STATIC, name, "", "", f"mb:{self.tag}:a", address, rate="4000000/4000000", key=f"s{account.pk}"
            )

    # -- time, and what beat and the workers do in it

    def step(self, *events: Callable[[], None]) -> None:
        for event in events:
            event()
            self.done[event.__name__] = self.done.get(event.__name__, 0) + 1
        for _second in range(int(STEP / SLICE)):
            self.clock.at += timedelta(seconds=SLICE)
            for place in self.places:
                place.router.advance(SLICE)
                self.look(place)
            self.nobody_is_at_two_places()
        self.steps += 1
        for place in self.places:
            if place.fault_ends is not None and place.fault_ends <= self.steps:
                self.mend(place)
        self.work()
        self.counters_only_grow()

    def mend(self, place: Pos) -> None:
        place.router.clear_fault()
        place.fault_ends = None

    def look(self, place: Pos) -> None:
        running = place.router.sessions()
        place.online = {row["user"] for row in running["hotspot"]} | {row["name"] for row in running["ppp"]}
        sessions = [
            {"id": row["id"], "user": row["user"], "uptime": row["uptime_seconds"]} for row in running["hotspot"]
        ]
        self.paid.look(place.number, sessions, self.now)

    def nobody_is_at_two_places(self) -> None:
        """Also not for a moment of a move (DESIGN 3.1)."""
        seen: set[str] = set()
        for place in self.places:
            self.faults += [f"{name} is online at two places at {self.now}" for name in sorted(seen & place.online)]
            seen |= place.online

    def work(self) -> None:
        if self.steps % 4 == 0:
            vouchers_use_up(now=self.clock.at)
        vouchers_expire(now=self.clock.at)
        self._forget_expired()
        for place in self.places:
            if place.dead_lease_ends is not None and place.dead_lease_ends <= self.now:
                lease_runs_out(place.location.pk)
                place.dead_lease_ends = None
        due = {pk for pk, _failures in sweep.locations_due(self.clock.at)}
        for place in self.places:
            if place.location.pk in due:
                self.run(place)

    def run(self, place: Pos) -> None:
        """One worker at this location until it says that nothing is left; maybe it is killed."""
        kill, place.kill_after = place.kill_after, None
        try:
            for _round in range(30):
                if kill is None:
                    more = location_run(place.location.pk, now=self.clock).more
                else:
                    with killed_after(kill):
                        more = location_run(place.location.pk, now=self.clock).more
                if not more:
                    break
        except WorkerKilled:
            socket_left_to_the_kernel(place.location.pk)
            place.dead_lease_ends = self.now + LEASE
        self.look(place)  # who was thrown out before the router was asked was not seen by it
        for code, number in list(self.leaving):
            is_here = code in place.online or place.router.rows("/ip/hotspot/user", name=code)
            if number == place.number and not is_here:  # with its session: until then what it uses can still be read
                self.leaving.remove((code, number))
                self.paid.taken_off(number, code)
        answers = Observation.objects.filter(location=place.location, observed_at=self.clock.at)
        for payload in answers.values_list("payload", flat=True):  # kept even when the worker was killed after it
            self.paid.told(place.number, self.now, is_whole=payload["swept"])

    def _forget_expired(self) -> None:
        """Whom the model knows to be out for sure is not wanted; who might still be in is asked in the end."""
        for code, (voucher, number) in self.sold.items():
            guest = self.paid.guests[code]
            if (Kind.HOTSPOT, code) in self.places[number].wanted and guest.is_over(self.now):
                del self.places[number].wanted[Kind.HOTSPOT, code]
                del voucher

    def counters_only_grow(self) -> None:
        if self.steps % 4:
            return
        for place in self.places:
            rows = {row["name"]: row for row in place.router.rows("/ip/hotspot/user") if row["name"] in self.sold}
            for name, row in rows.items():
                used = float(int(row["bytes-in"]) + int(row["bytes-out"]))
                if used < place.counters.get(name, 0.0):
                    self.faults.append(f"the counter of {name} at Pos {place.number} fell")
                place.counters[name] = used

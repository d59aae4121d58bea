"""A provider under chaos: several routers, tens of thousands of logins, people who work, links and boxes that fail.

Every choice comes from one seeded generator. `Chaos` remembers on its own what must be on which router (`wanted`) and
what everybody paid for (`paid`); it never asks the product for either.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from billing.selectors import publications
from core.clock import now as real_now
from core.installation import installation
from locations import services
from locations.choices import Kind, Presence, Reach
from locations.emulator import HotspotRefused, PppRefused
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, Observation, RouterProfile, RouterState
from locations.sync import connections, sweep
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan
from tests.routers import Clock, location_of
from tests.soak.far_side import Login
from tests.soak.killing import WorkerKilled, killed_after, lease_runs_out, socket_left_to_the_kernel
from tests.soak.paid_time import SLICE, PaidTime
from vouchers.models import Voucher
from vouchers.services import voucher_move, voucher_sell, voucher_void, vouchers_expire, vouchers_use_up

STEP = 15  # seconds of simulated time: beat's sweep
LEASE = 60
PLANS = (("Dua puluh menit", 1200, None), ("Sepuluh menit online", None, 600), ("Bulanan", 30 * 86400, None))
SPEEDS = {Kind.PPP: ("10M/10M", "20M/20M"), Kind.STATIC: ("4M/4M", "8M/8M")}
REJECTED_TOO_EARLY = ("has reached uptime limit", "invalid username or password")


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
    writes_when_swapped: int = 0
    counters: dict[str, float] = field(default_factory=dict)


class Chaos:
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
        self.steps += 1
        for place in self.places:
            if place.fault_ends is not None and place.fault_ends <= self.steps:
                self.mend(place)
        self.work()
        self.counters_only_grow()

    def look(self, place: Pos) -> None:
        sessions = [
            {"id": row["id"], "user": row["user"], "uptime": row["uptime_seconds"]}
            for row in place.router.sessions()["hotspot"]
        ]
        self.paid.look(place.number, sessions, self.now)

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
            if number == place.number and not place.router.rows("/ip/hotspot/user", name=code):
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

    # -- people

    def somewhere(self) -> Pos:
        return self.random.choice(self.places)

    def sell(self) -> None:
        for _n in range(min(len(self.stock), self.random.randint(2, 12) * self.weight)):
            voucher, number, validity, online = self.stock.pop(self.random.randrange(len(self.stock)))
            voucher_sell(voucher, actor=None, request_key=f"sale-{voucher.pk}", now=self.clock.at)
            self.sold[voucher.code] = (voucher, number)
            self.paid.sell(voucher.code, validity, online)

    def log_in(self) -> None:
        codes = list(self.sold)
        for code in self.random.choices(codes, k=self.random.randint(2, 12) * self.weight) if codes else ():
            self.log_in_one(code)

    def log_in_one(self, code: str) -> str:
        """Try; what the login page says when it refuses. Being told "used up" too early is a broken promise."""
        voucher, number = self.sold[code]
        router, guest = self.places[number].router, self.paid.guests[code]
        if any(run.guest is guest for run in self.paid.running.get(number, {}).values()):
            return ""
        mac = f"02:00:00:{voucher.pk >> 16 & 255:02X}:{voucher.pk >> 8 & 255:02X}:{voucher.pk & 255:02X}"
        try:
            router.hotspot_login(code, code, mac, up_rate=self.random.randint(1, 4000), down_rate=20_000)
        except HotspotRefused as refused:
            if "uptime limit" in str(refused) and guest.has_time(self.now):
                self.faults.append(f"{code} was told {refused} with {guest} at {self.now}")
            return str(refused)
        self.look(self.places[number])
        return ""

    def leave(self) -> None:
        place = self.somewhere()
        for row in self.random.sample(online := place.router.sessions()["hotspot"], k=min(4, len(online))):
            self.random.choice([place.router.hotspot_leave, place.router.hotspot_logout])(row["mac"])

    def kick(self) -> None:
        place = self.somewhere()
        online = [row["user"] for row in place.router.sessions()["hotspot"] if row["user"] in self.sold]
        for account in self._accounts(place, Kind.HOTSPOT, self.random.sample(online, k=min(3, len(online)))):
            services.account_kick(account, actor=None)

    def void(self) -> None:
        codes = [code for code, guest in self.paid.guests.items() if not guest.is_gone and not guest.is_over(self.now)]
        for code in self.random.sample(codes, k=min(1, len(codes))):
            voucher, number = self.sold[code]
            voucher.refresh_from_db()
            if voucher.status not in {"sold", "active"}:
                continue
            voucher_void(voucher, actor=None, reason="salah jual", now=self.clock.at)
            self.paid.guests[code].is_gone = True
            self.places[number].wanted.pop((Kind.HOTSPOT, code), None)

    def move(self) -> None:
        """A guest's voucher, and a subscriber, go to another place."""
        codes = [code for code, guest in self.paid.guests.items() if guest.has_time(self.now) and not guest.is_gone]
        for code in self.random.sample(codes, k=min(2, len(codes))):
            voucher, number = self.sold[code]
            to = self.somewhere()
            voucher.refresh_from_db()
            if to.number == number or voucher.status not in {"sold", "active"}:
                continue
            if any(code == gone for gone, _number in self.leaving):
                continue
            voucher_move(voucher, location=to.location, actor=None, now=self.clock.at)
            to.wanted[Kind.HOTSPOT, code] = self.places[number].wanted.pop((Kind.HOTSPOT, code))
            self.places[number].counters.pop(code, None)
            self.sold[code] = (voucher, to.number)
            self.leaving.append((code, number))
        self._move_subscriber()

    def _move_subscriber(self) -> None:
        place, to = self.somewhere(), self.somewhere()
        for account in self._some(place, Kind.PPP, 1):
            login = place.wanted[Kind.PPP, account.name]
            if to is place or (Kind.PPP, account.name) in to.wanted:
                continue
            services.location_switch(account, to=to.location, profile=to.profiles[Kind.PPP][0], actor=None)
            to.wanted[Kind.PPP, account.name] = login
            login.profile = to.profiles[Kind.PPP][0].name
            del place.wanted[Kind.PPP, account.name]

    def change(self) -> None:
        """New passwords, names, speeds, addresses, switched off and on."""
        place = self.somewhere()
        for account in self._some(place, Kind.PPP, 4):
            login = place.wanted.pop((Kind.PPP, account.name))
            self._change_one(place, account, login)
            place.wanted[Kind.PPP, login.name] = login
        for account in self._some(place, Kind.STATIC, 2):
            login = place.wanted[Kind.STATIC, account.name]
            profile = self.random.choice(place.profiles[Kind.STATIC])
            services.accounts_set_profile([account.pk], profile)
            login.rate = "4000000/4000000" if profile.name == "paket1" else "8000000/8000000"

    def _change_one(self, place: Pos, account: AccessAccount, login: Login) -> None:
        what = self.random.choice(["password", "name", "profile", "off", "on"])
        if what == "password":
            login.password = f"sandi-{self.random.randrange(10**6)}"
            services.account_change(account, password=login.password)
        elif what == "name":
            is_same = account.password is None
            login.name = f"{account.name[:20]}-{self.random.randrange(10**6)}"
            services.account_change(account, name=login.name)
            login.password = login.name if is_same else login.password
        elif what == "profile":
            profile = self.random.choice(place.profiles[Kind.PPP])
            services.accounts_set_profile([account.pk], profile)
            login.profile = profile.name
        else:
            act = services.account_disable if what == "off" else services.account_enable
            act(account, actor=None)
            login.is_off = what == "off"

    def isolate(self) -> None:
        place, kind = self.somewhere(), self.random.choice([Kind.PPP, Kind.STATIC])
        for account in self._some(place, kind, 4):
            login = place.wanted[kind, account.name]
            act = services.accounts_reopen if login.is_isolated else services.accounts_isolate
            act([account.pk])
            login.is_isolated = not login.is_isolated

    def dial(self) -> None:
        place = self.somewhere()
        for login in self.random.sample([row for key, row in place.wanted.items() if key[0] == Kind.PPP], k=3):
            try:
                place.router.ppp_connect(login.name, login.password, "AA:BB:CC:00:00:01", redial=True)
            except PppRefused:
                continue

    def _some(self, place: Pos, kind: Kind, number: int) -> list[AccessAccount]:
        names = sorted(name for of, name in place.wanted if of == kind)
        return self._accounts(place, kind, self.random.sample(names, k=min(number, len(names))))

    @staticmethod
    def _accounts(place: Pos, kind: Kind, names: list[str]) -> list[AccessAccount]:
        rows = AccessAccount.objects.filter(location=place.location, kind=kind, name__in=names)
        return list(rows.filter(presence=Presence.PRESENT).order_by("pk"))

    # -- what breaks

    def break_line(self) -> None:
        place = self.somewhere()
        if place.fault_ends is not None:
            return
        faults = self._fault()
        for name, options in faults:
            place.router.set_fault(name, **options)
        # a held write is done within the time after which nothing late is expected any more
        longest = 3 if faults[0][0] == "stall" else 8
        place.fault_ends = self.steps + self.random.randint(1, longest)

    def _fault(self) -> list[tuple[str, dict[str, Any]]]:
        number = self.random.randint(1, 60)
        return self.random.choice([
            [("down", {})], [("silent", {})], [("delay", {"ms": 40})], [("session_cap", {"sessions": 0})],
            [("drop_after", {"sentences": number})], [("drop_after", {"sentences": number, "execute_last": False})],
            [("half_sentence", {"after": number})], [("slow_reader", {"bytes_per_second": 300_000})],
            [("truncate", {"rows": number, "pattern": "print"})], [("duplicate", {"after": number, "count": 20})],
            [("stall", {"pattern": "(add|set|remove)$", "count": 1})],
            [("stall", {"pattern": "(add|set|remove)$", "count": 1, "when": "after"})],
        ])  # fmt: skip

    def mend(self, place: Pos) -> None:
        place.router.clear_fault()
        place.fault_ends = None

    def kill_worker(self) -> None:
        self.somewhere().kill_after = self.random.randint(3, 400)

    def cut_connections(self) -> None:
        self.somewhere().router.drop_connections()

    def power_cut(self) -> None:
        place = self.somewhere()
        self.look(place)
        self.paid.power_cut(place.number)
        place.router.reboot()

    def reset(self) -> None:
        place = self.somewhere()
        self._loses_what_was_not_read(place)
        place.counters.clear()
        place.router.factory_reset()

    def _loses_what_was_not_read(self, place: Pos) -> None:
        self.look(place)
        self.paid.reset(place.number)

    def swap(self) -> None:
        """Another router answers at this address."""
        place = self.somewhere()
        if place.is_swapped:
            return
        self._loses_what_was_not_read(place)
        place.counters.clear()
        place.router.replace_hardware(serial=f"SN{self.steps:08d}{place.number}")
        place.router.clear_op_log()
        place.is_swapped = True

    def accept(self) -> None:
        """A person looks at the warning and confirms the new serial. Until then nothing was written to it."""
        for place in self.places:
            state = RouterState.objects.get(pk=place.location.pk)
            if place.is_swapped and state.reach == Reach.WRONG_ROUTER:
                if place.router.write_count():
                    self.faults.append(f"something was written to the unknown router of Pos {place.number}")
                services.location_accept_router(place.location, actor=None)
                place.is_swapped = False

    def hand_removes(self) -> None:
        """Somebody deletes an unsold voucher with WinBox: noticed by the number of entries at the next poll."""
        place = self.somewhere()
        codes = [voucher.code for voucher, number, _v, _o in self.stock[-200:] if number == place.number]
        for row in [row for code in codes[:1] for row in place.router.rows("/ip/hotspot/user", name=code)]:
            place.router.command("/ip/hotspot/user/remove", {".id": row[".id"]})

    # -- the end

    def calm(self, steps: int) -> None:
        """Nothing breaks any more, nobody works: time for back-off, dead leases and comparisons."""
        for place in self.places:
            self.mend(place)
            place.kill_after = None
        for _step in range(steps):
            self.step(self.accept)
        connections.close_idle()

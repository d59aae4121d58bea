"""What happens to a provider under chaos: people who work, links, boxes and workers that fail."""

from __future__ import annotations

from typing import Any

from locations import services
from locations.choices import Kind, Presence, Reach
from locations.emulator import HotspotRefused, PppRefused
from locations.models import AccessAccount, RouterState
from locations.sync import connections
from tests.soak.far_side import Login
from tests.soak.provider import Pos, Provider
from vouchers.services import voucher_move, voucher_sell, voucher_void


class Chaos(Provider):
    """Events; each picks its place and victims itself."""

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

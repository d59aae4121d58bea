"""One user over a slow line: added, changed, disabled, kicked, each from the service call to the read-back.

First while nothing else is to do, then while the same router receives 10,000 users, again and again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from billing.models import Plan
from locations import services
from locations.choices import Kind, Priority
from locations.models import AccessAccount, Location, RouterProfile
from locations.sync import connections
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.readback import Reader, Rows
from tests.perf.worker import MODEL, worker
from tests.perf.world import make_batch, make_location, make_plan, one, sync

RTT = 200
ROUNDS = 20
WHAT = ("added", "changed", "disabled", "kicked")
USERS, ACTIVE = "/ip/hotspot/user", "/ip/hotspot/active"
WAITING = "SELECT count(*) FROM locations_accessaccount WHERE location_id = %s AND revision <> applied_revision"


@dataclass
class Guests:
    """Who is added and kicked, on which router, and how long each took."""

    location: Location
    router: Router
    reader: Reader
    profiles: tuple[RouterProfile, RouterProfile]
    prefix: str
    taken: dict[str, list[float]] = field(default_factory=lambda: {what: [] for what in WHAT})
    problems: list[str] = field(default_factory=list)

    def round(self, number: int, is_loaded: Callable[[], bool] = lambda: True) -> None:
        """One guest's life. What was not begun and ended while `is_loaded` said so is not counted."""
        name, mac = f"{self.prefix}{number:03}", f"02:00:00:00:02:{number:02X}"
        slow, fast = self.profiles

        def put(profile: RouterProfile, limit: int) -> AccessAccount:
            return services.account_put(
                profile=profile, name=name, password=None, tag="a", limit_uptime_seconds=limit, priority=Priority.CHANGE
            )  # fmt: skip

        def timed(what: str, act: Callable[[], object], *looks: tuple[str, str, Callable[[Rows], bool]]) -> None:
            is_counted, started = is_loaded(), time.perf_counter()
            act()
            if not all(self.reader.until(menu, key, name, is_there) for menu, key, is_there in looks):
                self.problems.append(f"{name} was never {what}")
            elif is_counted and is_loaded():
                self.taken[what].append(time.perf_counter() - started)

        def is_offline(rows: Rows) -> bool:
            return not rows

        timed("added", lambda: put(slow, 3600), (USERS, "name", lambda rows: [r["profile"] for r in rows] == ["slow"]))
        timed("changed", lambda: put(fast, 7200), (USERS, "name", lambda rows: [
            (r["profile"], r["limit-uptime"]) for r in rows] == [("fast", "2h")]))  # fmt: skip
        self._log_in(name, mac)
        account = AccessAccount.objects.get(name=name)
        timed("kicked", lambda: services.account_kick(account, actor=None), (ACTIVE, "user", is_offline))
        self._log_in(name, mac)
        timed("disabled", lambda: services.account_disable(account, actor=None), (USERS, "name", lambda rows: [
            bool(r.get("disabled")) for r in rows] == [True]), (ACTIVE, "user", is_offline))  # fmt: skip

    def _log_in(self, name: str, mac: str) -> None:
        self.router.console.hotspot_login(name, name, mac)
        if len(self.reader.find(ACTIVE, "user", name)) != 1:
            self.problems.append(f"{name} is not online before he is thrown out")


def run(report: Report, scale: float) -> None:
    rounds, bulk = max(3, int(ROUNDS * scale)), max(2000, int(10_000 * scale))
    with fleet(RTT) as (router,):
        location = make_location("Slow line", router.port)
        plan = make_plan("Bulk", [location])
        slow, fast = [
            services.profile_put(location=location, kind=Kind.HOTSPOT, name=name, rate_limit=rate)
            for name, rate in (("slow", "1M/1M"), ("fast", "5M/5M"))
        ]
        sync(location)
        connections.close_all()
        reader = Reader(router)
        idle, loaded = (Guests(location, router, reader, (slow, fast), prefix) for prefix in ("GUEST", "BUSY"))
        with worker():
            for number in range(rounds):
                idle.round(number)
            pushes = _under_load(loaded, plan, rounds, bulk)
        reader.close()
    report.note(f"model: {MODEL}; a login per kick keeps a session alive to be ended")
    report.note(f"under load: {pushes} pushes of {bulk:,} users; only what began and ended during one is counted")
    for what in WHAT:
        _figure(report, what, idle.taken[what])
    for what in WHAT:
        _figure(report, what, loaded.taken[what], idle.taken[what], f" during a push of {bulk:,}")
    problems = idle.problems + loaded.problems
    report.verify("single users: read back over a second connection", problems)


def _under_load(guests: Guests, plan: Plan, rounds: int, bulk: int) -> int:
    """Guests while a push goes on; a new push whenever one is over. Returns how many pushes there were."""
    pushes, number = 0, 0
    while min(map(len, guests.taken.values())) < rounds and number < rounds * 3:
        make_batch(plan, guests.location, bulk)
        pushes += 1
        while _waiting(guests.location) > 500 and number < rounds * 3:
            guests.round(number, lambda: _waiting(guests.location) > 500)
            number += 1
    return pushes


def _waiting(location: Location) -> int:
    return int(one(WAITING, location.pk) or 0)


def _figure(report: Report, what: str, values: list[float], alone: list[float] | None = None, when: str = "") -> None:
    if not values:
        report.verify(f"one user {what}{when} was timed", ["nothing could be timed"])
        return
    p95 = percentile(values, 0.95)
    base = percentile(alone, 0.95) if alone else None
    report.figure(
        f"one user {what}{when}, click to read-back, p95", rows=len(values), delay=delay_text(RTT),
        measured=seconds(p95), reach="< 5 s",
        compared=f"idle p95 {seconds(base)}" if base else f"p50 {seconds(percentile(values, 0.5))}",
        ratio=p95 / base if base else None, is_reached=p95 < 5.0,
    )  # fmt: skip

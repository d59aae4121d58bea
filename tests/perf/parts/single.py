"""One user over a slow line: added, changed, kicked, each from the service call to the read-back."""

from __future__ import annotations

import time
from collections.abc import Callable

from locations import services
from locations.choices import Kind, Priority
from locations.models import AccessAccount, RouterProfile
from locations.sync import connections
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.readback import Reader, Rows
from tests.perf.worker import MODEL, worker
from tests.perf.world import make_location, sync

RTT = 200
ROUNDS = 20
USERS, ACTIVE = "/ip/hotspot/user", "/ip/hotspot/active"


def run(report: Report, scale: float) -> None:
    rounds = max(3, int(ROUNDS * scale))
    taken: dict[str, list[float]] = {"added": [], "changed": [], "kicked": []}
    problems: list[str] = []
    with fleet(RTT) as (router,):
        location = make_location("Slow line", router.port)
        profiles = [
            services.profile_put(location=location, kind=Kind.HOTSPOT, name=name, rate_limit=rate)
            for name, rate in (("slow", "1M/1M"), ("fast", "5M/5M"))
        ]
        sync(location)
        connections.close_all()
        reader = Reader(router)
        with worker():
            for number in range(rounds):
                _round(number, router, reader, profiles, taken, problems)
        reader.close()
    report.note(f"model: {MODEL}; a login per kick keeps a session alive to be ended")
    for what, values in taken.items():
        if not values:
            problems.append(f"nothing was {what}")
            continue
        p95 = percentile(values, 0.95)
        report.figure(
            f"one user {what}, click to read-back, p95", rows=len(values), delay=delay_text(RTT), measured=seconds(p95),
            reach="< 5 s", compared=f"p50 {seconds(percentile(values, 0.5))}", is_reached=p95 < 5.0,
        )  # fmt: skip
    report.verify("single users: read back over a second connection", problems)


def _round(
    number: int, router: Router, reader: Reader, profiles: list[RouterProfile], taken: dict[str, list[float]],
    problems: list[str],
) -> None:  # fmt: skip
    name, mac = f"GUEST{number:03}", f"02:00:00:00:02:{number:02X}"
    slow, fast = profiles

    def put(profile: RouterProfile, limit: int) -> AccessAccount:
        return services.account_put(
            profile=profile, name=name, password=None, tag="a", limit_uptime_seconds=limit, priority=Priority.CHANGE
        )  # fmt: skip

    def timed(what: str, act: Callable[[], object], menu: str, key: str, is_there: Callable[[Rows], bool]) -> None:
        started = time.perf_counter()
        act()
        if reader.until(menu, key, name, is_there):
            taken[what].append(time.perf_counter() - started)
        else:
            problems.append(f"{name} was never {what}")

    timed("added", lambda: put(slow, 3600), USERS, "name", lambda rows: [r["profile"] for r in rows] == ["slow"])
    timed("changed", lambda: put(fast, 7200), USERS, "name", lambda rows: [
        (r["profile"], r["limit-uptime"]) for r in rows] == [("fast", "2h")])  # fmt: skip
    router.console.hotspot_login(name, name, mac)
    if len(reader.find(ACTIVE, "user", name)) != 1:
        problems.append(f"{name} is not online before the kick")
    account = AccessAccount.objects.get(name=name)
    timed("kicked", lambda: services.account_kick(account, actor=None), ACTIVE, "user", lambda rows: not rows)
    if not reader.find(USERS, "name", name):
        problems.append(f"{name} lost his entry by the kick")

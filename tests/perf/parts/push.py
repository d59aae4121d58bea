"""Push: 10,000 hotspot users to one router, read back field by field, beside two clients that wait for each answer."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator

from core.installation import installation
from locations.models import AccessAccount, Location
from locations.sync import connections
from tests.perf.clients import add_with_librouteros, add_with_stock_routeros_api, users
from tests.perf.figures import Report, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.world import expect, make_batch, make_location, make_plan, one, sync

UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
# what the router prints of an entry besides its own counters, its id and the flags it computes
OURS = {"name", "password", "profile", "comment", "disabled", "limit-uptime", "limit-bytes-total", "mac-address"}
ITS_OWN = {".id", "uptime", "bytes-in", "bytes-out", "packets-in", "packets-out", "dynamic", "default"}


def run(report: Report, scale: float) -> None:
    count = max(100, int(10_000 * scale))
    with fleet(50, 0) as (far, near):
        _push(report, far, 50, count, compare=(100, 200))
        _push(report, near, 0, count, compare=(100, 1000))
    connections.close_all()


def _push(report: Report, router: Router, rtt: int, count: int, *, compare: tuple[int, int]) -> None:
    location = make_location(f"Push {rtt}", router.port)
    plan = make_plan(f"Push {rtt}", [location])
    sync(location)  # connected, known, its profile there: what is timed is the users
    batch = make_batch(plan, location, count)
    started, used = time.perf_counter(), time.process_time()
    sync(location)
    ours, cpu = time.perf_counter() - started, time.process_time() - used
    report.verify(f"push at {rtt} ms: every readable field, 20 logins", [
        *_wrong_fields(router, location), *_wrong_logins(router, location), *_unconfirmed(location, batch.tag, count),
    ])  # fmt: skip
    stock = add_with_stock_routeros_api(router, users("STOCK", compare[0]))
    other = add_with_librouteros(router, users("OTHER", compare[1]))
    if rtt:
        reach, is_reached = "< 20 s", ours < 20.0
    else:
        reach, is_reached = "≥ 1,500 users/s", count / ours >= 1500
    report.figure(
        "push hotspot users to one router", rows=count, delay=delay_text(rtt),
        measured=f"{seconds(ours)}, {count / ours:,.0f} users/s (Python {seconds(cpu)})", reach=reach, is_reached=is_reached,
        compared=f"stock routeros-api ×{count:,} (extrapolated) {seconds(stock * count)}", ratio=ours / (stock * count),
    )  # fmt: skip
    for name, each, timed in (("stock routeros-api", stock, compare[0]), ("librouteros", other, compare[1])):
        report.figure(
            f"  {name}, one after the other", rows=timed, delay=delay_text(rtt),
            measured=f"{seconds(each * timed)}, {1 / each:,.0f} users/s",
            compared=f"{count:,} users, extrapolated: {seconds(each * count)}",
        )  # fmt: skip


def _wrong_fields(router: Router, location: Location) -> Iterator[str]:
    """Compare everything librouteros can read with what the database wants, and the other way round."""
    # librouteros turns a code of digits into a number
    there = {str(row["name"]): row for row in router.rows("/ip/hotspot/user") if row["name"] != "default-trial"}
    secret = {row["name"]: row.get("password", "") for row in router.console.rows("/ip/hotspot/user")}
    wanted = AccessAccount.objects.filter(location=location).select_related("profile")
    comment = f"mb:{installation().tag}:"
    for account in wanted.iterator():
        row = there.pop(account.name, None)
        if row is None:
            yield f"{account.name} is missing"
            continue
        found = {key: value for key, value in row.items() if key not in ITS_OWN}
        found["name"] = str(row["name"])
        found["limit-uptime"] = _duration(str(found.get("limit-uptime", "0s")))
        found["password"] = secret[account.name]
        expected = {
            "name": account.name, "password": account.name, "profile": account.profile.name,
            "comment": comment + account.tag, "disabled": False, "limit-uptime": account.limit_uptime_seconds,
            "limit-bytes-total": account.limit_bytes,
        }  # fmt: skip
        if found != expected or account.router_id != row[".id"]:
            yield f"{account.name}: {found} instead of {expected}"
    for name in there:
        yield f"{name} is on the router and was not wanted"


def _duration(text: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def _wrong_logins(router: Router, location: Location) -> Iterator[str]:
    names = list(AccessAccount.objects.filter(location=location).values_list("name", flat=True))
    for number, name in enumerate(random.sample(names, 20)):
        mac = f"02:00:00:00:01:{number:02X}"
        router.console.hotspot_login(name, name, mac)
        on = {str(session["user"]) for session in router.rows("/ip/hotspot/active")}
        router.console.hotspot_logout(mac)
        if name not in on:
            yield f"{name} could not log in"


def _unconfirmed(location: Location, tag: str, count: int) -> list[str]:
    problems: list[str] = []
    confirmed = one(
        "SELECT count(*) FROM locations_accessaccount WHERE location_id = %s AND tag = %s"
        " AND revision = applied_revision",
        location.pk, tag,
    )  # fmt: skip
    expect(problems, "confirmed in the database", confirmed, count)
    return problems

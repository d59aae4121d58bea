"""The wire alone: add, set, remove and print at four round trips, our client beside the two that Python has.

Every client works in a process of its own, so that processor time and memory are its own; the router is in a third.
The others wait for each answer, so a sample of a few seconds is extrapolated; a print they do in full. What one did is
looked at on the router, by its console.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.perf.clients import users
from tests.perf.figures import Report, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.one_client import CLIENTS, MENU, Done, digest_of, run_client

RTTS = (0, 5, 50, 200)
SAMPLE_SECONDS = 3.0
OURS = CLIENTS[0]
Found = dict[str, Done]


def run(report: Report, scale: float) -> None:
    count = max(100, int(10_000 * scale))
    sizes = (count, count * 10)
    report.note(
        f"each client in a process of its own; the two others one answer after the other, adds and changes for "
        f"{SAMPLE_SECONDS:g} s and extrapolated (×rows done); +MiB: above what the logged-in client had"
    )
    for rtt in RTTS:
        with fleet(rtt) as (router,):
            _changes(report, router, rtt, count)
    for size in sizes:
        with fleet(0) as (router,):
            router.console.seed(size)
            for rtt in RTTS:
                router.console.set_rtt(rtt)
                _print(report, router, rtt, size)


def _changes(report: Report, router: Router, rtt: int, count: int) -> None:
    """Everybody adds users of his own, changes them and removes them again; ours come first, into an empty menu."""
    adds, sets, removes = Found(), Found(), Found()
    for client in CLIENTS:
        limit = SAMPLE_SECONDS if client != OURS else 3600.0
        rows = users(client[:4].upper(), count)
        adds[client] = run_client(client, "add", router.port, rows, seconds=limit)
        there = {row["name"]: row for row in router.console.rows(MENU) if row.get("comment") == "compared"}
        rows = rows[: adds[client].rows]
        report.verify(f"added by {client} at {rtt} ms", _unequal(there, rows))
        changed = [
            {".id": there[row["name"]][".id"], "limit-uptime": "7200s", "comment": "compared too"} for row in rows
        ]
        sets[client] = run_client(client, "set", router.port, changed, seconds=limit)
        after = {row[".id"]: row for row in router.console.rows(MENU)}
        done = sum(after[row[".id"]].get("limit-uptime") == "2h" for row in changed)
        wrong = [] if done == sets[client].rows else [f"{done} changed, {sets[client].rows} said"]
        report.verify(f"changed by {client} at {rtt} ms", wrong)
        gone = [{".id": row[".id"]} for row in changed]
        before = router.console.count(MENU)
        removes[client] = run_client(client, "remove", router.port, gone, seconds=limit)
        left = {row[".id"] for row in router.console.rows(MENU)}
        done = sum(row[".id"] not in left for row in gone)
        wrong = (
            [] if done == removes[client].rows == before - len(left) else [f"{done} gone, {removes[client].rows} said"]
        )
        report.verify(f"removed by {client} at {rtt} ms", wrong)
        for name in [row["name"] for row in rows[removes[client].rows :]]:  # the next one finds an empty menu too
            router.console.command(f"{MENU}/remove", {"numbers": name})
    for verb, found in (("add", adds), ("set", sets), ("remove", removes)):
        _figure(report, verb, rtt, count, found)


def _unequal(there: dict[str, dict[str, str]], rows: Sequence[dict[str, str]]) -> list[str]:
    """Users that are not on the router as they were sent, and others there."""
    wrong = [
        row["name"]
        for row in rows
        if (found := there.get(row["name"])) is None
        or [found.get(key) for key in ("password", "profile", "limit-uptime", "limit-bytes-total")]
        != [row["password"], row["profile"], "10h", row["limit-bytes-total"]]
    ]
    return [f"{name} is not as it was sent" for name in wrong] + [
        f"{len(there)} there, {len(rows)} sent" for _once in range(len(there) != len(rows))
    ]


def _print(report: Report, router: Router, rtt: int, size: int) -> None:
    found = {client: run_client(client, "print", router.port) for client in CLIENTS}
    expected = digest_of(row["name"] for row in router.console.rows(MENU))
    wrong = [client for client, done in found.items() if done.digest != expected or done.rows != size + 1]
    report.verify(f"print of {size:,} at {rtt} ms: every name of the router", wrong)
    cells = {done.cells for done in found.values()}
    report.verify("all three read the same number of properties", [] if len(cells) == 1 else [f"{cells}"])
    _figure(report, "print of all", rtt, size, found)


def _figure(report: Report, what: str, rtt: int, count: int, found: Found) -> None:
    """One line: ours, what it should reach, and what the two others did in the same run."""
    ours = found[OURS]
    others = {client: done for client, done in found.items() if client != OURS}
    best = min(done.seconds / done.rows for done in others.values())
    ratio = ours.seconds / ours.rows / best
    reach, is_reached = "fastest of the three", ratio < 1
    if what == "add" and rtt == 0:
        reach, is_reached = f"≥ 1,500 users/s, {reach}", is_reached and ours.rows / ours.seconds >= 1500
    if what == "add" and rtt == 50:
        reach, is_reached = f"< 20 s, {reach}", is_reached and ours.seconds < 20
    report.figure(
        f"{what}, our client", rows=count, delay=delay_text(rtt), measured=f"{seconds(ours.seconds)}, {_text(ours, count)}",
        reach=reach, compared="; ".join(f"{client} {_text(done, count)}" for client, done in others.items()),
        ratio=ratio, is_reached=is_reached,
    )  # fmt: skip


def _text(done: Done, count: int) -> str:
    """Rows a second, processor time for all rows, memory; how many rows were done when it is a sample."""
    share = count / done.rows
    sample = f" (×{done.rows:,})" if share > 1 else ""
    return f"{done.rows / done.seconds:,.0f}/s{sample} CPU {done.cpu * share:.1f} s +{done.extra / 1024**2:.0f} MiB"

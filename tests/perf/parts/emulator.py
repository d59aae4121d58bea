"""The emulator itself: a menu of 100,000 users stays usable, and 200 routers live in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from locations.routeros.client import RouterClient, RouterTarget
from locations.sync.pipeline import Command, pipelined
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import PASSWORD, USER, Router, fleet
from tests.perf.processes import cpu_seconds, memory_of, mib

MENU = "/ip/hotspot/user"
POLL_EVERY = 30.0
IDLE_SECONDS = 10.0
Result = TypeVar("Result")


def run(report: Report, scale: float) -> None:
    _one_big_menu(report, max(1000, int(100_000 * scale)))
    _many_routers(report, max(10, int(200 * scale)))


def _one_big_menu(report: Report, users: int) -> None:
    with fleet(0) as (router,), _client(router) as client:
        empty = memory_of(router.pid)
        router.console.seed(users)
        report.figure("emulator: memory of one menu", rows=users, measured=mib(memory_of(router.pid) - empty))
        middle = f"seed{users // 2:06d}"
        by_name = [_timed(lambda: client.print(MENU, (), (f"name={middle}",))) for _n in range(50)]
        rows = client.print(MENU, (), (f"name={middle}",))
        report.verify("found by name", [] if [row["name"] for row in rows] == [middle] else [f"{rows}"])
        _figure(report, "emulator: one user by name", users, percentile([t for t, _r in by_name], 0.95), 0.05, "p95")
        counting, count = _timed(lambda: client.count(MENU))
        report.verify("counted", [] if count == users + 1 else [f"{count} users counted, {users + 1} there"])
        _figure(report, "emulator: count-only", users, counting, 0.5)
        printing, rows = _timed(lambda: client.print(MENU))
        report.verify("printed", [] if len(rows) == users + 1 else [f"{len(rows)} rows printed"])
        _figure(report, "emulator: print of all, every property", users, printing, 20.0)
        new = [f"new{n:06d}" for n in range(max(100, users // 10))]
        adding, answers = _timed(lambda: list(pipelined(client, new, _add)))
        there = router.console.count(MENU)
        report.verify("added", [] if there == users + 1 + len(answers) else [f"{there} users after adding {len(new)}"])
        report.figure(
            "emulator: add into it, pipelined", rows=len(new), measured=f"{len(new) / adding:,.0f} users/s",
            reach="≥ 1,500 users/s", is_reached=len(new) / adding >= 1500,
        )  # fmt: skip


def _many_routers(report: Report, number: int) -> None:
    started = time.perf_counter()
    with fleet(*[0.0] * number) as routers:
        starting, pid = time.perf_counter() - started, routers[0].pid
        for router in routers:
            router.console.seed(100)
        report.figure(
            "emulator: routers in one process, 100 users each", rows=number,
            measured=f"started in {seconds(starting)}, {mib(memory_of(pid))}",
        )  # fmt: skip
        before = cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)  # what is measured is what it costs while nobody asks
        idle = (cpu_seconds(pid) - before) / IDLE_SECONDS
        report.figure(
            "emulator: processor while nobody asks", rows=number, measured=f"{idle:.1%} of a core",
            reach="< 5 %", is_reached=idle < 0.05,
        )  # fmt: skip
        _poll_all(report, routers, pid)


def _poll_all(report: Report, routers: list[Router], pid: int) -> None:
    """What a poll asks, once of every router; a round every 30 s is so much of a core."""
    with ExitStack() as stack:
        clients = [stack.enter_context(_client(router)) for router in routers]
        before, started = cpu_seconds(pid), time.perf_counter()
        for client in clients:
            client.print("/system/resource")
            client.print("/ip/hotspot/active", (".id", "user", "uptime"))
            client.count(MENU)
        took, share = time.perf_counter() - started, (cpu_seconds(pid) - before) / POLL_EVERY
    report.figure(
        "emulator: processor when each is polled every 30 s", rows=len(routers),
        measured=f"{share:.1%} of a core (a round of all takes {seconds(took)})", reach="< 20 %", is_reached=share < 0.2,
    )  # fmt: skip


@contextmanager
def _client(router: Router) -> Iterator[RouterClient]:
    client = RouterClient(RouterTarget("127.0.0.1", router.port, USER, PASSWORD), timeout=60)
    client.connect()
    yield client
    client.close()


def _add(name: str) -> Command:
    return f"{MENU}/add", {"name": name, "password": name, "profile": "default"}, ()


def _figure(report: Report, what: str, rows: int, took: float, most: float, how: str = "") -> None:
    report.figure(
        what, rows=rows, measured=f"{how} {seconds(took)}".strip(), reach=f"< {seconds(most)}", is_reached=took < most
    )


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result

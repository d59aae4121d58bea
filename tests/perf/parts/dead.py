"""Dead routers among a hundred: how long the others wait for a change to be confirmed, with and without them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from core import clock
from core import kick as kicking
from locations import services
from locations.choices import Kind
from locations.models import AccessAccount, Location, RouterProfile, RouterState
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.worker import MODEL, SWEEP, worker
from tests.perf.world import make_location, wait_until

RTT = 50
SWEEP_SECONDS = 15.0
ROUNDS = 3
LONGEST_SECONDS = 120.0


def run(report: Report, scale: float) -> None:
    count = max(12, int(100 * scale))
    some = max(2, count // 10)
    with fleet(*[RTT] * count) as routers:
        places = [make_location(f"Place {number:03}", router.port) for number, router in enumerate(routers)]
        profiles = [
            services.profile_put(location=place, kind=Kind.HOTSPOT, name="plan", rate_limit="2M/4M") for place in places
        ]
        with worker() as send:
            kicking._send = lambda *_message: None  # every kick is lost: what is measured is the sweep
            first = _round(send, profiles, "first")
            report.note(f"first contact with {count} routers: {seconds(first[-1])} until all are confirmed")
            alone = _rounds(send, profiles, "alone")
            lags = {}
            for dead in (1, some):
                for router in routers[:dead]:
                    router.console.set_fault("silent")
                _cut(routers[:dead])
                lags[(dead, "just died")] = _round(send, profiles[dead:], f"died{dead}", profiles[:dead])
                _wait_until_slow(send, places[:dead])
                lags[(dead, "known dead")] = _rounds(send, profiles[dead:], f"dead{dead}", profiles[:dead])
            for router in routers[:some]:
                router.console.clear_fault()
            # again without dead ones: what else this machine does may have changed meanwhile
            alone = sorted([*alone, *_rounds(send, profiles[some:], "after")])
        problems = _problems(routers, some, places)
    report.note(f"model: {MODEL}, a sweep every {SWEEP_SECONDS:g} s, all kicks lost; dead: connects, never answers")
    _figures(report, count, alone, lags)
    report.verify("live routers have every change, dead ones none and no row was dropped", problems)


def _cut(routers: Sequence[Router]) -> None:
    """Kept connections break too: a dead router is met at the connection."""
    for router in routers:
        router.console.drop_connections()


def _rounds(
    send: Callable[..., None], profiles: Sequence[RouterProfile], name: str, dead: Sequence[RouterProfile] = ()
) -> list[float]:
    return sorted(lag for number in range(ROUNDS) for lag in _round(send, profiles, f"{name}{number}", dead))


def _round(
    send: Callable[..., None], live: Sequence[RouterProfile], name: str, dead: Sequence[RouterProfile] = ()
) -> list[float]:
    """One change at every location, then sweeps until the live ones confirmed it; returns their delays in seconds."""
    rows = [
        services.account_put(profile=profile, name=f"{name}-user", password=None, tag="a") for profile in [*dead, *live]
    ]
    ids = [row.pk for row in rows[len(dead) :]]
    at = clock.now()
    with _sweeps(send):
        done = wait_until(
            lambda: not AccessAccount.objects.filter(pk__in=ids, applied_at=None).exists(),
            within=LONGEST_SECONDS, every=0.1,
        )  # fmt: skip
    if not done:
        raise RuntimeError(f"round {name}: not confirmed within {LONGEST_SECONDS:g} s")
    return sorted(
        (applied - at).total_seconds()
        for applied in AccessAccount.objects.filter(pk__in=ids).values_list("applied_at", flat=True)
        if isinstance(applied, datetime)
    )


class _sweeps:  # noqa: N801  # used as a context manager
    """Sweep now and every 15 s, as beat does."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send, self._over = send, threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        while True:
            self._send(SWEEP)
            if self._over.wait(SWEEP_SECONDS):
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()


def _wait_until_slow(send: Callable[..., None], dead: Sequence[Location]) -> None:
    """Until the sweep sends them to the slow queue; their time-out passes three times."""
    ids = [place.pk for place in dead]
    with _sweeps(send):
        is_slow = wait_until(
            lambda: not RouterState.objects.filter(pk__in=ids, failures__lt=3).exists(), within=300, every=0.5
        )
    if not is_slow:
        raise RuntimeError("dead routers never reached the slow queue")


def _problems(routers: Sequence[Router], dead: int, places: Sequence[Location]) -> list[str]:
    problems: list[str] = []
    for number, (router, place) in enumerate(zip(routers, places, strict=True)):
        wanted = set(AccessAccount.objects.filter(location=place).values_list("name", flat=True))
        if number < dead:
            held = AccessAccount.objects.filter(location=place).exclude(hold="").count()
            if held:
                problems.append(f"{place}: {held} rows held because the router was dead")
            continue
        there = {str(row["name"]) for row in router.rows("/ip/hotspot/user")} - {"default-trial"}
        if there != wanted:
            problems.append(f"{place}: {len(there)} users instead of {len(wanted)}")
    return problems


def _figures(report: Report, count: int, alone: list[float], lags: dict[tuple[int, str], list[float]]) -> None:
    base = percentile(alone, 0.95)
    report.figure(
        f"sweep of {count} live routers, p95 until confirmed", rows=len(alone), delay=delay_text(RTT),
        measured=seconds(base), compared=f"p50 {seconds(percentile(alone, 0.5))}",
    )  # fmt: skip
    for (dead, when), values in lags.items():
        p95 = percentile(values, 0.95)
        allowed = base * 1.25 + 0.5  # two runs of the same thing differ by about that
        report.figure(
            f"  {dead} of {count} {when}, p95 of the others", rows=len(values), delay=delay_text(RTT),
            measured=f"{seconds(p95)}, last {seconds(values[-1])}", reach="adds nothing",
            compared=f"none dead {seconds(base)}", ratio=p95 / base, is_reached=p95 <= allowed,
        )  # fmt: skip

"""200 routers, each polled every 30 s by one worker: what it costs, how late a poll is, and what a bad router changes.

Sweeps come every 15 s as beat sends them, and each makes half of the routers due, so every router is polled every 30 s.
The lag of a poll is the time from the sweep to the observation taken in. The bad routers are not among those measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from core import clock
from core import kick as kicking
from locations.models import Location, Observation, RouterSession, RouterState
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.liar import NONSENSE, liar
from tests.perf.processes import cpu_seconds, database_cpu_seconds, memory_of, mib
from tests.perf.worker import MODEL, SWEEP, Running, worker
from tests.perf.world import make_location, wait_until

RTT = 50
SLOW_RTT = 1500
SWEEP_SECONDS = 15.0
SWEEPS = 2  # per phase: each router once
USERS, ONLINE = 100, 10
BAD = ("dead", "slow", "lying", "flooding")
Place = tuple[Router, Location]


@dataclass(frozen=True)
class Phase:
    """Lags of the good routers' polls in seconds, and shares of one core."""

    lags: list[float]
    worker: float
    database: float
    missed: int
    peak: int  # bytes of the worker, the most since it started


def run(report: Report, scale: float) -> None:
    count = max(20, int(200 * scale))
    with fleet(*[RTT] * count) as routers:
        places = [(router, make_location(f"Place {n:03}", router.port)) for n, router in enumerate(routers)]
        for router in routers:
            _fill(router)
        bad, good = dict(zip(BAD, places, strict=False)), places[len(BAD) :]
        Location.objects.filter(pk__in=[place.pk for _router, place in bad.values()]).update(is_active=False)
        with worker() as send:
            kicking._send = lambda *_message: None  # nothing but sweeps
            _first_contact(send, places)
            phases = {"alone": _phase(send, good)}
            for kind in BAD:
                began = clock.now()
                with _being(kind, bad[kind]):
                    phases[kind] = _phase(send, good)
                    _look(report, kind, bad[kind][1], began)
            phases["again"] = _phase(send, good)
        problems = _problems(good)
    report.note(
        f"model: {MODEL}; a sweep every {SWEEP_SECONDS:g} s, each makes half of the routers due; {USERS} users and {ONLINE} "
        f"online on each; slow: {SLOW_RTT} ms; lying: {NONSENSE:,} sessions that cannot be; flooding: rows without end"
    )
    _figures(report, len(good), phases)
    report.verify("every good router was polled on time, none failed, its sessions are those online", problems)


def _look(report: Report, kind: str, place: Location, began: datetime) -> None:
    """What came of the bad one: it must have been asked, and only the slow one may have been believed."""
    state = RouterState.objects.get(location=place)
    polls = Observation.objects.filter(location=place, observed_at__gte=began).count()
    is_waited_for = state.lease_until is not None
    report.note(
        f"the {kind} one: {polls} polls, {state.failures} failures {state.last_error!r}"
        f"{', a thread waits for it' if is_waited_for else ''}"
    )
    wrong = [] if polls or state.failures or is_waited_for else ["it was not asked"]
    report.verify(
        f"the {kind} router was asked, and not believed", wrong + ["believed"] * (polls > 0 and kind != "slow")
    )


def _fill(router: Router) -> None:
    router.console.seed(USERS)
    for number in range(1, ONLINE + 1):  # the first row is the router's own
        name = f"seed{number:06d}"
        router.console.hotspot_login(name, name, f"02:00:00:00:03:{number:02X}")


def _first_contact(send: Running, places: Sequence[Place]) -> None:
    """Everybody is known and compared once: what is measured is polling."""
    Location.objects.filter(pk__in=[place.pk for _router, place in places]).update(is_active=True)
    send(SWEEP)
    known = RouterState.objects.filter(reconciled_at__isnull=False, lease_until=None)
    if not wait_until(lambda: known.count() == len(places), within=300):
        raise RuntimeError(f"only {known.count()} of {len(places)} routers were reached")
    Location.objects.filter(pk__in=[place.pk for _router, place in places[: len(BAD)]]).update(is_active=False)


@contextmanager
def _being(kind: str, place: Place) -> Iterator[None]:
    """For a while this router is there, and bad. Afterwards it is not asked any more."""
    router, location = place
    mine = Location.objects.filter(pk=location.pk)
    with _trouble(kind, router, mine.update):
        mine.update(is_active=True)
        try:
            yield
        finally:
            mine.update(is_active=False)
    router.console.drop_connections()


@contextmanager
def _trouble(kind: str, router: Router, update: Callable[..., int]) -> Iterator[None]:
    if kind == "dead":
        router.console.set_fault("silent")
        yield
        router.console.clear_fault()
    elif kind == "slow":
        router.console.set_rtt(SLOW_RTT)
        yield
        router.console.set_rtt(RTT)
    else:
        serial = str(router.console.info()["serial"])
        with liar("nonsense" if kind == "lying" else "flood", serial) as port:
            update(port=port)
            yield


def _phase(send: Running, good: Sequence[Place]) -> Phase:
    """Some sweeps, half of the routers due at each; the last ones get a sweep's time to be answered."""
    ids = [place.pk for _router, place in good]
    halves = [ids[::2], ids[1::2]]
    database = str(connection.settings_dict["NAME"])
    started = time.perf_counter()
    used, served = cpu_seconds(send.pid), database_cpu_seconds(database)
    due: list[tuple[datetime, list[int]]] = []
    for number in range(SWEEPS):
        half = halves[number % 2]
        RouterState.objects.filter(location__in=half).update(polled_at=None)
        due.append((clock.now(), half))
        send(SWEEP)
        time.sleep(
            max(0.0, started + SWEEP_SECONDS * (number + 1) - time.perf_counter())
        )  # real intervals are measured
    took = time.perf_counter() - started
    cpu, served = cpu_seconds(send.pid) - used, database_cpu_seconds(database) - served
    lags = [lag for at, half in due for lag in _lags(at, half)]
    missed = sum(len(half) for _at, half in due) - len(lags)
    return Phase(sorted(lags), cpu / took, served / took, missed, memory_of(send.pid, "VmHWM"))


def _lags(at: datetime, ids: Sequence[int]) -> list[float]:
    """Of the first observation of each router since then."""
    taken: dict[int, float] = {}
    rows = Observation.objects.filter(location__in=ids, observed_at__gte=at, processed_at__isnull=False).order_by("id")
    for location_id, done in rows.values_list("location_id", "processed_at"):
        if done is not None:
            taken.setdefault(location_id, (done - at).total_seconds())
    return list(taken.values())


def _problems(good: Sequence[Place]) -> list[str]:
    problems = []
    for router, place in good:
        failures = RouterState.objects.get(location=place).failures
        there = {str(row["user"]) for row in router.console.rows("/ip/hotspot/active")}
        known = set(RouterSession.objects.filter(location=place).values_list("name", flat=True))
        if failures or there != known or len(there) != ONLINE:
            problems.append(f"{place}: {failures} failures, {len(known)} sessions known, {len(there)} online")
    return problems


def _figures(report: Report, count: int, phases: dict[str, Phase]) -> None:
    """Both quiet phases together are what the others are compared with: the machine may have changed meanwhile."""
    alone = sorted(phases["alone"].lags + phases["again"].lags)
    base = percentile(alone, 0.95)
    share = (phases["alone"].worker + phases["again"].worker) / 2
    database = (phases["alone"].database + phases["again"].database) / 2
    report.figure(
        f"{count} routers polled every 30 s by one worker: processor", rows=len(alone), delay=delay_text(RTT),
        measured=f"{share:.1%} of a core, most memory {mib(phases['alone'].peak)}",
        compared=f"PostgreSQL for it {database:.1%}",
    )  # fmt: skip
    each = sorted([percentile(phases["alone"].lags, 0.95), percentile(phases["again"].lags, 0.95)])
    report.figure(
        "  lag p95, sweep to taken in", rows=len(alone), delay=delay_text(RTT), measured=seconds(base),
        compared=f"before and after {seconds(each[0])}, {seconds(each[1])}; p50 {seconds(percentile(alone, 0.5))}",
    )  # fmt: skip
    for kind in BAD:
        phase = phases[kind]
        p95 = percentile(phase.lags, 0.95)
        report.figure(
            f"  with one {kind} router, lag p95 of the others", rows=len(phase.lags), delay=delay_text(RTT),
            measured=f"{seconds(p95)}, worker {phase.worker:.1%}, {mib(phase.peak)}", reach="adds nothing",
            compared=f"none {seconds(base)}, worker {share:.1%}", ratio=p95 / base,
            # two quiet phases differ by about that
            is_reached=p95 <= max(each[1], base) * 1.1 + 0.1 and not phase.missed,
        )  # fmt: skip

"""The questions asked again and again by writers, sweeps and open pages, at a million accounts of one location."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from core import clock
from locations.models import AccessAccount, Location
from locations.selectors import location_counts, tag_counts, waiting_count
from locations.sync.queue import accounts_due, has_paid_work, has_work
from locations.sync.sweep import locations_due
from tests.perf.figures import Report, percentile, seconds
from tests.perf.plans import plans_of
from tests.perf.world import one
from vouchers.services import vouchers_expire

CALLS = 10
LIMIT = 0.100


def hot_questions(report: Report, largest: Location, usual: Location, rows: int, state: str) -> None:
    """Time each and print its plans. `state` says what the accounts are like."""
    tag = str(one("SELECT tag FROM locations_accessaccount WHERE location_id = %s ORDER BY id LIMIT 1", largest.pk))
    writer: dict[str, Callable[[Location], object]] = {
        "writer: accounts_due": lambda place: accounts_due(place.pk),
        "writer: has_work": lambda place: has_work(place.pk),
        "writer: has_paid_work": lambda place: has_paid_work(place.pk),
    }
    shown: dict[str, Callable[[Location], object]] = {
        "poll: entries of ours": lambda place: (
            AccessAccount.objects.filter(location=place).exclude(router_id="").count()
        ),
        "page: waiting_count": lambda place: waiting_count(place.pk),
        "page: location_counts": lambda place: location_counts(place.pk),
    }
    for name, ask in writer.items():
        _question(report, f"{name}, {state}", partial(ask, largest), rows)
    _question(report, f"sweep: locations_due, {state}", lambda: locations_due(clock.now()), rows)
    _question(report, f"beat: vouchers_expire, none due, {state}", vouchers_expire, rows)
    for name, ask in shown.items():
        _question(report, f"{name}, {state}", partial(ask, usual), rows)
        _question(report, f"{name}, {state}, all on one location", partial(ask, largest), rows, is_judged=False)
    _question(report, f"page: tag_counts of a full batch, {state}", lambda: tag_counts(tag), rows)


def _question(report: Report, name: str, ask: Callable[[], object], rows: int, *, is_judged: bool = True) -> None:
    ask()
    times = []
    for _number in range(CALLS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
        if sum(times) > 5:
            break
    plans = plans_of(ask)
    scanned = sorted({table for plan in plans for table in plan.scanned})
    p95 = percentile(times, 0.95)
    report.figure(
        f"hot: {name}, p95", rows=rows, measured=seconds(p95), reach="< 100 ms, no seq scan" if is_judged else "",
        compared=f"{len(plans)} queries, {sum(plan.milliseconds for plan in plans):.1f} ms in PostgreSQL",
        is_reached=p95 < LIMIT and not scanned if is_judged else None,
    )  # fmt: skip
    for plan in plans:
        report.note(f"  plan, {plan.milliseconds:.1f} ms: {plan.text}")
    if scanned:
        report.note(f"  SEQUENTIAL SCAN over {', '.join(scanned)}")

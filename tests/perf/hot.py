"""The questions asked again and again by writers, sweeps and open pages, at a million accounts of one location."""

from __future__ import annotations

import time
from collections.abc import Callable

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


def hot_questions(report: Report, location: Location, rows: int, state: str) -> None:
    """Time each and print its plans. `state` says what the accounts are like."""
    tag = str(one("SELECT max(tag) FROM locations_accessaccount"))
    questions: dict[str, Callable[[], object]] = {
        "writer: accounts_due": lambda: accounts_due(location.pk),
        "writer: has_work": lambda: has_work(location.pk),
        "writer: has_paid_work": lambda: has_paid_work(location.pk),
        "sweep: locations_due": lambda: locations_due(clock.now()),
        "poll: entries of ours": lambda: AccessAccount.objects.filter(location=location).exclude(router_id="").count(),
        "page: waiting_count": lambda: waiting_count(location.pk),
        "page: location_counts": lambda: location_counts(location.pk),
        "page: tag_counts of a batch": lambda: tag_counts(tag),
        "beat: vouchers_expire, none due": vouchers_expire,
    }
    for name, ask in questions.items():
        _question(report, f"{name}, {state}", ask, rows)


def _question(report: Report, name: str, ask: Callable[[], object], rows: int) -> None:
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
        f"hot: {name}, p95", rows=rows, measured=seconds(p95), reach="< 100 ms, no seq scan",
        compared=f"{len(plans)} queries, {sum(plan.milliseconds for plan in plans):.1f} ms in PostgreSQL",
        is_reached=p95 < LIMIT and not scanned,
    )  # fmt: skip
    for plan in plans:
        report.note(f"  plan, {plan.milliseconds:.1f} ms: {plan.text}")
    if scanned:
        report.note(f"  SEQUENTIAL SCAN over {', '.join(scanned)}")

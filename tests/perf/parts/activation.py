"""Paid activation while the same router receives 100,000 users, beside an idle router."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from billing.models import Plan
from locations.models import Location
from locations.sync import connections
from tests.perf.figures import Report, percentile, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.readback import Reader
from tests.perf.worker import MODEL, worker
from tests.perf.world import make_batch, make_location, make_plan, one, sync
from vouchers.choices import PushAt
from vouchers.models import Voucher
from vouchers.services import voucher_sell

RTT = 50
SAMPLES = 40
USERS = "/ip/hotspot/user"
LEFT = (
    "SELECT count(*) FROM locations_accessaccount WHERE location_id = %s AND tag = %s"
    " AND revision <> applied_revision AND presence = 'present'"
)


@dataclass
class Sales:
    """Seconds from the sale to the read-back, and what the router did not show."""

    taken: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def run(report: Report, scale: float) -> None:
    bulk = max(2000, int(100_000 * scale))
    with fleet(RTT, RTT) as (busy, quiet):
        places = [make_location("Busy", busy.port), make_location("Quiet", quiet.port)]
        plan = make_plan("Activation", places)
        for place in places:
            sync(place)
        connections.close_all()  # from here on the worker process is their writer
        idle_codes, busy_codes = (_codes(plan, place) for place in reversed(places))
        with worker() as send:
            idle = _sell(idle_codes, quiet)
            batch = make_batch(plan, places[0], bulk)
            send("locations.tasks.location_sync", places[0].pk)
            left_before = _left(places[0], batch.tag)
            loaded = _sell(busy_codes, busy, lambda: _left(places[0], batch.tag) > 0)
            left_after = _left(places[0], batch.tag)
    report.note(f"model: {MODEL}; sold by voucher_sell, put on the router at sale; read back over a second connection")
    report.note(f"{len(loaded.taken)} sales while {left_before:,} … {left_after:,} of {bulk:,} users were to come")
    _figures(report, idle, loaded, bulk)
    problems = [*idle.problems, *loaded.problems]
    if len(loaded.taken) < SAMPLES // 2 and report.is_full_size:
        problems.append(f"only {len(loaded.taken)} sales happened under load")
    report.verify("every sold voucher was read back from its router", problems)


def _codes(plan: Plan, place: Location) -> list[Voucher]:
    batch = make_batch(plan, place, SAMPLES, PushAt.SALE)
    return list(Voucher.objects.filter(batch=batch).order_by("pk"))


def _left(place: Location, tag: str) -> int:
    return int(one(LEFT, place.pk, tag) or 0)


def _sell(vouchers: list[Voucher], router: Router, is_loaded: Callable[[], bool] = lambda: True) -> Sales:
    """Sell one after the other, half a second apart, as a queue at a counter does."""
    sales, reader = Sales(), Reader(router)
    for voucher in vouchers:
        if not is_loaded():
            break
        started = time.perf_counter()
        voucher_sell(voucher, actor=None, request_key=str(uuid.uuid4()))
        if not reader.until(USERS, "name", voucher.code, bool):
            sales.problems.append(f"{voucher.code} never appeared")
            continue
        sales.taken.append(time.perf_counter() - started)
        row = reader.find(USERS, "name", voucher.code)[0]
        if row.get("disabled") or not row.get("comment", "").endswith(f":b{voucher.batch_id}"):
            sales.problems.append(f"{voucher.code} is there as {row}")
        time.sleep(0.5)
    reader.close()
    return sales


def _figures(report: Report, idle: Sales, loaded: Sales, bulk: int) -> None:
    if not idle.taken or not loaded.taken:
        report.verify("activation was measured", ["no sale could be timed"])
        return
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        alone, busy = percentile(idle.taken, share), percentile(loaded.taken, share)
        is_judged = name == "p95"
        report.figure(
            f"paid activation under load, {name}", rows=f"{len(loaded.taken)} during {bulk:,}", delay=delay_text(RTT),
            measured=seconds(busy), reach="< 3 s" if is_judged else "", compared=f"idle router {seconds(alone)}",
            ratio=busy / alone, is_reached=busy < 3.0 if is_judged else None,
        )  # fmt: skip

"""Expiry: 100,000 vouchers whose time is over, 10,000 of them on a router, beside the bare UPDATE of the same rows."""

from __future__ import annotations

import time
from datetime import timedelta

from psycopg import sql

from core import clock
from locations.models import Location
from locations.sync import connections
from tests.perf.copies import make_copy
from tests.perf.figures import Report, seconds
from tests.perf.fleet import Router, delay_text, fleet
from tests.perf.world import execute, expect, make_batch, make_location, make_plan, one, owner, sync, vacuum
from vouchers.models import VoucherBatch
from vouchers.services import vouchers_expire

RTT = 50
LIVE_SHARE = 0.1  # vouchers that still have time: they must stay as they are
TABLES = ("vouchers_voucher", "locations_accessaccount")
MAKE_ACTIVE = """
UPDATE vouchers_voucher SET status = 'active', sold_at = %s, used_at = %s, valid_until = %s WHERE batch_id = ANY(%s)
"""
CONFIRM = """
UPDATE locations_accessaccount SET applied_revision = revision, router_id = '*' || to_hex(id), applied_name = name,
  applied_at = %s, valid_until = %s, first_login_at = %s WHERE location_id = %s
"""
BARE = (
    "UPDATE bench_vouchers_voucher SET status = 'expired', ended_at = now()"
    " WHERE status IN ('sold', 'active') AND valid_until <= now()",
    "UPDATE bench_locations_accessaccount SET presence = 'absent', is_kick_due = true, priority = 1,"
    " revision = revision + 1, hold = '', router_words = '' WHERE valid_until <= now() AND presence = 'present'",
)


def run(report: Report, scale: float) -> None:
    due, on_router = max(1000, int(100_000 * scale)), max(100, int(10_000 * scale))
    with fleet(RTT) as (router,):
        there, elsewhere = make_location("There", router.port), make_location("Elsewhere", is_active=False)
        elsewhere.is_active = True  # for the order only: no router answers there
        plan = make_plan("Expiry", [there, elsewhere])
        sync(there)
        here = make_batch(plan, there, on_router)
        sync(there)
        ended = [here, make_batch(plan, elsewhere, due - on_router)]
        live = make_batch(plan, elsewhere, int(due * LIVE_SHARE))
        _spend(ended, live, there, elsewhere)
        bare = _bare_update(due)
        started = time.perf_counter()
        count = vouchers_expire()
        ours = time.perf_counter() - started
        report.figure(
            "expire due vouchers, with wishes and history", rows=due, measured=seconds(ours),
            reach=f"< {30 * scale:g} s", compared=f"bare UPDATE of both tables {seconds(bare)}", ratio=ours / bare,
            is_reached=ours < 30.0 * scale,
        )  # fmt: skip
        report.verify("expiry: statuses, wishes, history, nothing else", _problems(count, due, live))
        _removal(report, router, there, on_router)
    connections.close_all()


def _spend(ended: list[VoucherBatch], live: VoucherBatch, there: Location, elsewhere: Location) -> None:
    """Logged in yesterday; some still have a day."""
    now = clock.now()
    past, future = now - timedelta(seconds=5), now + timedelta(days=1)
    began = now - timedelta(days=1)
    execute(MAKE_ACTIVE, began, began, past, [batch.pk for batch in ended])
    execute(MAKE_ACTIVE, began, began, future, [live.pk])
    execute("UPDATE locations_accessaccount SET valid_until = %s WHERE location_id = %s", past, there.pk)
    execute(CONFIRM, now, past, began, elsewhere.pk)
    execute("UPDATE locations_accessaccount SET valid_until = %s WHERE tag = %s", future, live.tag)
    vacuum(*TABLES)


def _bare_update(due: int) -> float:
    """The same rows in copies of both tables, one statement each, one transaction."""
    with owner() as session:
        for table in TABLES:
            name = make_copy(session, table)
            session.execute(
                sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {}").format(
                    sql.Identifier(name), sql.Identifier(table)
                )
            )
            session.execute(f"VACUUM (ANALYZE) {name}")
        started = time.perf_counter()
        with session.transaction():
            counts = [session.execute(statement).rowcount for statement in BARE]
        taken = time.perf_counter() - started
        for table in TABLES:
            session.execute(f"DROP TABLE bench_{table}")
    if counts != [due, due]:
        raise RuntimeError(f"the bare UPDATE changed {counts} rows, expected {due} in each table")
    return taken


def _problems(count: int, due: int, live: VoucherBatch) -> list[str]:
    problems: list[str] = []
    expect(problems, "counted by the service", count, due)
    questions = {
        "expired": ("SELECT count(*) FROM vouchers_voucher WHERE status = 'expired' AND ended_at IS NOT NULL", due),
        "history": (
            "SELECT count(*) FROM vouchers_voucherevent e JOIN vouchers_voucher v ON v.id = e.voucher_id"
            " WHERE e.kind = 'expired' AND v.status = 'expired' AND e.details->>'reason' = 'time'", due,
        ),
        "history of different vouchers": ("SELECT count(DISTINCT voucher_id) FROM vouchers_voucherevent", due),
        "removal wishes": (
            "SELECT count(*) FROM locations_accessaccount WHERE presence = 'absent' AND is_kick_due"
            " AND revision = applied_revision + 1 AND priority = 1", due,
        ),
    }  # fmt: skip
    for what, (statement, wanted) in questions.items():
        expect(problems, what, one(statement), wanted)
    active = one("SELECT count(*) FROM vouchers_voucher WHERE status = 'active' AND batch_id = %s", live.pk)
    expect(problems, "still active", active, live.quantity)
    untouched = one(
        "SELECT count(*) FROM locations_accessaccount WHERE presence = 'present' AND tag = %s"
        " AND revision = applied_revision", live.tag,
    )  # fmt: skip
    expect(problems, "accounts left alone", untouched, live.quantity)
    return problems


def _removal(report: Report, router: Router, location: Location, count: int) -> None:
    before = len(_ours_on(router))
    started = time.perf_counter()
    sync(location)
    taken = time.perf_counter() - started
    report.figure(
        "remove expired users from the router", rows=count, delay=delay_text(RTT),
        measured=f"{seconds(taken)}, {count / taken:,.0f} users/s",
        compared=f"a round trip each {seconds(count * RTT / 1000)}",
        ratio=taken / (count * RTT / 1000),
    )  # fmt: skip
    problems: list[str] = []
    expect(problems, "on the router before", before, count)
    expect(problems, "on the router after", len(_ours_on(router)), 0)
    left = one("SELECT count(*) FROM locations_accessaccount WHERE location_id = %s", location.pk)
    expect(problems, "rows waiting for the router", left, 0)
    report.verify("expired users are gone, asked from the router", problems)


def _ours_on(router: Router) -> list[str]:
    return [row["name"] for row in router.rows("/ip/hotspot/user") if row["name"] != "default-trial"]

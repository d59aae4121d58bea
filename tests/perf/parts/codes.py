"""Codes: a batch of 100,000 vouchers with their accounts on one location, and ten of them, beside raw COPY."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg import sql

from locations.models import AccessAccount
from locations.services.accounts import COPY_COLUMNS
from tests.perf.copies import make_copy, raw_copy, rows_as_text
from tests.perf.figures import Report, seconds
from tests.perf.world import expect, make_batch, make_location, make_plan, one, owner
from vouchers.models import Voucher
from vouchers.services.generation import VOUCHER_COLUMNS

BATCHES = 10
LOCATION = "Codes"
TABLES = ((Voucher._meta.db_table, VOUCHER_COLUMNS), (AccessAccount._meta.db_table, COPY_COLUMNS))


def run(report: Report, scale: float) -> None:
    quantity = max(100, int(100_000 * scale))
    location = make_location(LOCATION, is_active=False)
    location.is_active = True  # for the order only: nobody writes to a router here
    plan = make_plan("Codes", [location])
    with owner() as session:
        for table, _columns in TABLES:
            make_copy(session, table)
        ours, raw, cpu = [], [], []
        for _number in range(BATCHES):
            started, used = time.perf_counter(), time.process_time()
            batch = make_batch(plan, location, quantity)
            ours.append(time.perf_counter() - started)
            cpu.append(time.process_time() - used)
            raw.append(_same_rows_raw(session, batch.pk, f"b{batch.pk}"))
    _figure(report, quantity, ours[:1], cpu[:1], raw[:1], 8.0 * scale)
    _figure(report, quantity * BATCHES, ours, cpu, raw, 90.0 * scale)
    report.note("each batch, ours/raw COPY: " + ", ".join(f"{a:.1f}/{b:.1f} s" for a, b in zip(ours, raw, strict=True)))
    report.verify("codes: counts and no duplicate", _problems(quantity * BATCHES))


def _same_rows_raw(session: psycopg.Connection[Any], batch_id: int, tag: str) -> float:
    loads = []
    for (table, columns), (key, value) in zip(TABLES, (("batch_id", batch_id), ("tag", tag)), strict=True):
        query = sql.SQL("SELECT {} FROM {} WHERE {} = {} ORDER BY id").format(
            sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            sql.Identifier(table), sql.Identifier(key), sql.Literal(value),
        )  # fmt: skip
        loads.append((f"bench_{table}", columns, rows_as_text(session, query)))
    return raw_copy(session, loads)


def _figure(report: Report, rows: int, ours: list[float], cpu: list[float], raw: list[float], limit: float) -> None:
    taken, copied = sum(ours), sum(raw)
    report.figure(
        "generate vouchers with accounts", rows=rows, measured=f"{seconds(taken)} (Python {seconds(sum(cpu))})",
        reach=f"< {limit:g} s, within 3×", compared=f"raw COPY of the same rows {seconds(copied)}", ratio=taken / copied,
        is_reached=taken < limit and taken / copied <= 3.0,
    )  # fmt: skip


def _problems(wanted: int) -> list[str]:
    problems: list[str] = []
    for table, _columns in TABLES:
        for name in (table, f"bench_{table}"):
            expect(problems, f"rows of {name}", _count_as_owner(name), wanted)
    expect(problems, "different codes", one("SELECT count(DISTINCT code) FROM vouchers_voucher"), wanted)
    matching = one(
        "SELECT count(*) FROM vouchers_voucher v JOIN locations_accessaccount a"
        " ON a.name = v.code AND a.tag = 'b' || v.batch_id AND a.kind = 'hotspot' AND a.revision = 1"
    )
    expect(problems, "vouchers with their account", matching, wanted)
    return problems


def _count_as_owner(table: str) -> object:
    with owner() as session:
        row = session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return row[0] if row else None

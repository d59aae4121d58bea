"""What PostgreSQL does for a query: its plan in one line, and whether it reads a growing table from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

GROWING = {
    "vouchers_voucher", "vouchers_voucherevent", "vouchers_vouchersale", "vouchers_voucherlocation",
    "locations_accessaccount", "locations_observation", "locations_routersession", "accounts_activitylog",
    "customers_customer", "customers_contact", "billing_subscription",
    "billing_journalentry", "billing_posting", "billing_invoice", "billing_invoiceline", "billing_allocation",
    "payments_payment",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    sql: str
    text: str
    milliseconds: float
    scanned: frozenset[str]  # growing tables it reads whole


def plans_of(work: Callable[[], object]) -> list[Plan]:
    """Do the work once, then explain (and run again) every question it asked about a growing table.

    Planner settings that the work made for its own transaction are made again for its questions.
    """
    with CaptureQueriesContext(connection) as captured:
        work()
    plans: dict[str, Plan] = {}
    settings = ""
    for query in captured.captured_queries:
        statement = query["sql"].strip()
        if statement.upper().startswith(("COMMIT", "ROLLBACK")):
            settings = ""
        elif statement.upper().startswith("SET LOCAL"):
            settings += statement.rstrip("; ") + "; "
        elif statement.upper().startswith(("SELECT", "WITH")) and any(table in statement for table in GROWING):
            plans[statement] = explain(statement, settings)
    return list(plans.values())


def explain(statement: str, settings: str = "") -> Plan:
    with transaction.atomic(), connection.cursor() as cursor:
        if settings:
            cursor.execute(settings)
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        answer = cursor.fetchone()[0]
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]
    nodes = list(_nodes(plan["Plan"]))
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] in {"Seq Scan", "Sample Scan"}}
    text = " > ".join(_name(node) for node in nodes)
    return Plan(statement, text, plan["Execution Time"], frozenset(scanned & GROWING))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _name(node: dict[str, Any]) -> str:
    place = node.get("Index Name") or node.get("Relation Name")
    return f"{node['Node Type']}({place})" if place else str(node["Node Type"])

"""Bills: one run over 100,000 services (number, line, ledger entry, balances), beside raw COPY of the same rows."""

from __future__ import annotations

import time
from datetime import date

from psycopg import sql

from billing.choices import BillingMode, PlanType, SubscriptionStatus
from billing.ledger.checking import ledger_check
from billing.models import InvoiceLine, JournalEntry, Posting, Subscription
from billing.models.invoices import Invoice
from billing.services.invoices import BulkOrder, bills_run, bulk_order
from core import clock
from core.db.copy import copy_rows
from core.formats import local
from customers.models import Customer
from tests.perf.copies import make_copy, raw_copy, rows_as_text
from tests.perf.figures import Report, seconds
from tests.perf.world import expect, make_location, make_plan, one, owner, vacuum

AMOUNT = 150_000
ALSO_RESERVED = {"search", "created_xid"}  # filled by the database itself


def run(report: Report, scale: float) -> None:
    quantity = max(100, int(100_000 * scale))
    _services(quantity)
    today = local(clock.now()).date()
    ordered = bulk_order(BulkOrder("Internet", AMOUNT, today), request_key="bench", now=clock.now(), actor=None)
    started, used = time.perf_counter(), time.process_time()
    bills_run(ordered.pk)
    taken, cpu = time.perf_counter() - started, time.process_time() - used
    copied = _same_rows_raw()
    report.figure(
        "issue invoices with lines and ledger entries", rows=quantity, measured=f"{seconds(taken)} (Python {seconds(cpu)})",
        reach=f"< {90 * scale:g} s, within 5×", compared=f"raw COPY of the same rows {seconds(copied)}",
        ratio=taken / copied, is_reached=taken < 90 * scale and taken / copied <= 5.0,
    )  # fmt: skip
    report.note(f"{quantity / taken:,.0f} invoices/s")
    report.verify("bills: counts, numbers without a gap, ledger", _problems(quantity))


def _services(quantity: int) -> None:
    """Customers and running services, without accounts on routers: nobody writes to a router here."""
    location = make_location("Bills", is_active=False)
    plan = make_plan("Bills", [], type=PlanType.PPPOE, price_sell=AMOUNT, duration_seconds=None)
    now = clock.now()
    columns = (
        "number", "name", "phone", "phone_typed", "email", "address", "location_id", "area", "tags", "notes", "language",
        "balance", "debt", "is_active", "created_at", "updated_at",
    )  # fmt: skip
    copy_rows(Customer, columns, (
        (f"B{i:07}", f"Customer {i}", "", "", "", "", location.pk, "", [], "", "", 0, 0, True, now, now)
        for i in range(quantity)
    ))  # fmt: skip
    ids = list(Customer.objects.filter(number__startswith="B").order_by("pk").values_list("pk", flat=True))
    begun = date(2026, 1, 1)
    Subscription.objects.bulk_create(
        (
            Subscription(
                customer_id=pk, plan=plan, location=location, type=PlanType.PPPOE, status=SubscriptionStatus.ACTIVE,
                username=f"b{pk}", started_on=begun, billed_until=begun, billing_mode=BillingMode.POSTPAID,
            )
            for pk in ids
        ),
        batch_size=5_000,
    )  # fmt: skip
    vacuum("customers_customer", "billing_subscription")


def _same_rows_raw() -> float:
    loads = []
    with owner() as session:
        for model in (Invoice, InvoiceLine, JournalEntry, Posting):
            table = model._meta.db_table
            columns = [str(field.column) for field in model._meta.concrete_fields if field.column not in ALSO_RESERVED]
            names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
            query = sql.SQL("SELECT {} FROM {} ORDER BY id").format(names, sql.Identifier(table))
            loads.append((make_copy(session, table), columns, rows_as_text(session, query)))
        return raw_copy(session, loads)


def _problems(quantity: int) -> list[str]:
    problems: list[str] = []
    tables = {"billing_invoice": 1, "billing_invoiceline": 1, "billing_journalentry": 1, "billing_posting": 2}
    for table, each in tables.items():
        expect(problems, f"rows of {table}", one(f"SELECT count(*) FROM {table}"), quantity * each)  # noqa: S608  # constants
    last = one("SELECT max(substring(number FROM '[0-9]+$')::int) FROM billing_invoice")
    expect(problems, "last number", last, quantity)
    expect(problems, "debt", int(one("SELECT sum(debt) FROM customers_customer")), quantity * AMOUNT)
    expect(problems, "ledger check", ledger_check().findings, {})
    return problems

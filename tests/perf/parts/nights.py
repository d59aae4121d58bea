"""A location's night on 100,000 services: everybody's month is due, a third pays from the balance; then nobody else paid.

The second night isolates those with status, history and the router's wish, beside the bare UPDATE of the same two tables.
"""

from __future__ import annotations

import time
from datetime import date, timedelta

from psycopg import sql

from billing.choices import EntryKind, PlanType, SubscriptionStatus
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.posting import Entry, Line, entries_post
from billing.models import Invoice, InvoiceLine, JournalEntry, PlanLocation, Posting, Subscription, SubscriptionPeriod
from billing.services.engine.night import NightReport, night_do
from core import clock
from core.db.copy import copy_rows
from core.formats import local
from core.money import quantise
from customers.models import Customer
from locations.models import AccessAccount, Location
from locations.services import accounts_copy
from tests.perf.copies import make_copy, raw_copy, rows_as_text
from tests.perf.figures import Report, seconds
from tests.perf.world import execute, expect, make_location, make_plan, one, owner, vacuum

AMOUNT = 150_000
PAYING_SHARE = 3  # every third has the money in his balance
ALSO_RESERVED = {"search", "created_xid"}  # filled by the database itself
TABLES = ("customers_customer", "billing_subscription", "locations_accessaccount")
BARE = (
    "UPDATE bench_billing_subscription SET status = 'isolated' WHERE status = 'active'",
    "UPDATE bench_locations_accessaccount SET is_isolated = true, is_kick_due = true, revision = revision + 1, hold = '',"
    " router_words = '' WHERE id IN (SELECT account_id FROM bench_billing_subscription)",
)


def run(report: Report, scale: float) -> None:
    quantity = max(300, int(100_000 * scale))
    today = local(clock.now()).date()
    location = _services(quantity, today)
    paying = len(range(0, quantity, PAYING_SHARE))
    taken, found = _night(location, today, with_lead=0)
    copied = _same_rows_raw()
    report.figure(
        "the night of 100,000 services: bill, pay from balance, judge", rows=quantity, measured=seconds(taken),
        reach=f"< {240 * scale:g} s", compared=f"raw COPY of the same bills {seconds(copied)}", ratio=taken / copied,
        is_reached=taken < 240 * scale,
    )  # fmt: skip
    report.note(f"{quantity / taken:,.0f} services/s")
    report.verify("night: bills, payments, dates, ledger", _billed(quantity, paying, found, today))
    again, nothing = _night(location, today, with_lead=0)
    report.figure(
        "the same night again: nothing to do", rows=quantity, measured=seconds(again), compared="", ratio=None
    )
    problems: list[str] = []
    expect(problems, "done by the second run", nothing.counts, {})
    report.verify("night: a second run does nothing", problems)
    _isolation(report, scale, location, quantity - paying)


def _night(location: Location, day: date, *, with_lead: int) -> tuple[float, NightReport]:
    found = NightReport()
    started = time.perf_counter()
    night_do(location, day, now=clock.now() + timedelta(days=with_lead), report=found)
    return time.perf_counter() - started, found


def _services(quantity: int, today: date) -> Location:
    """Customers, logins the router confirmed, and services whose next month begins today."""
    location = make_location("Night", is_active=False)
    plan = make_plan("Night", [location], type=PlanType.PPPOE, price_sell=AMOUNT, duration_seconds=None)
    profile = PlanLocation.objects.get(plan=plan).profile
    now = clock.now()
    columns = (
        "number", "name", "phone", "phone_typed", "email", "address", "location_id", "area", "tags", "notes", "language",
        "balance", "debt", "is_active", "created_at", "updated_at",
    )  # fmt: skip
    copy_rows(Customer, columns, (
        (f"N{i:07}", f"Customer {i}", "", "", "", "", location.pk, "", [], "", "", 0, 0, True, now, now)
        for i in range(quantity)
    ))  # fmt: skip
    accounts_copy(
        profile=profile, tag="a", logins=((f"n{i:07}", None) for i in range(quantity)), limit_uptime_seconds=None,
        limit_bytes=None, is_mac_locked=False, now=now,
    )  # fmt: skip
    execute("UPDATE locations_accessaccount SET applied_revision = revision, applied_at = now()")
    customers = list(Customer.objects.filter(number__startswith="N").order_by("number").values_list("pk", flat=True))
    accounts = list(AccessAccount.objects.filter(location=location).order_by("name").values_list("pk", "name"))
    Subscription.objects.bulk_create(
        (
            Subscription(
                customer_id=customer, plan=plan, location=location, type=PlanType.PPPOE, account_id=account, username=name,
                status=SubscriptionStatus.ACTIVE, started_on=today - timedelta(days=365), billed_until=today,
                expiry_date=today - timedelta(days=1), period_mode="fixed_day", fixed_day=min(today.day, 28), grace_days=0,
            )
            for customer, (account, name) in zip(customers, accounts, strict=True)
        ),
        batch_size=5_000,
    )  # fmt: skip
    _money(customers[::PAYING_SHARE])
    vacuum(*TABLES)
    return location


def _money(customers: list[int]) -> None:
    now, amount = clock.now(), quantise(2 * AMOUNT)
    for start in range(0, len(customers), 5_000):
        entries_post(
            Entry(
                EntryKind.PAYMENT, f"bench:{pk}", [Line(chart.cash(1), amount), Line(chart.WALLET, -amount, pk)], now
            )
            for pk in customers[start : start + 5_000]
        )  # fmt: skip


def _same_rows_raw() -> float:
    loads = []
    with owner() as session:
        for model in (Invoice, InvoiceLine, JournalEntry, Posting, SubscriptionPeriod):
            table = model._meta.db_table
            columns = [str(field.column) for field in model._meta.concrete_fields if field.column not in ALSO_RESERVED]
            names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
            query = sql.SQL("SELECT {} FROM {} ORDER BY id").format(names, sql.Identifier(table))
            loads.append((make_copy(session, table), columns, rows_as_text(session, query)))
        return raw_copy(session, loads)


def _billed(quantity: int, paying: int, found: NightReport, today: date) -> list[str]:
    problems: list[str] = []
    expect(problems, "bills counted", found.counts, {"bills": quantity})
    expect(problems, "sum of the bills", int(found.billed), quantity * _price(today))
    questions = {
        "periods": ("SELECT count(DISTINCT subscription_id) FROM billing_subscriptionperiod", quantity),
        "paid bills": ("SELECT count(*) FROM billing_invoice WHERE status = 'paid'", paying),
        "services billed further": (f"SELECT count(*) FROM billing_subscription WHERE billed_until > '{today}'", quantity),  # noqa: S608  # a date of ours
        "services paid further": (f"SELECT count(*) FROM billing_subscription WHERE expiry_date > '{today}'", paying),  # noqa: S608  # a date of ours
    }  # fmt: skip
    for what, (statement, wanted) in questions.items():
        expect(problems, what, one(statement), wanted)
    expect(problems, "ledger check", ledger_check().findings, {})
    return problems


def _price(today: date) -> int:
    """A month, or less where the fixed day is not today (29th to 31st)."""
    return int(one("SELECT total FROM billing_invoice LIMIT 1")) if today.day > 28 else AMOUNT


def _isolation(report: Report, scale: float, location: Location, unpaid: int) -> None:
    tomorrow = local(clock.now() + timedelta(days=2)).date()
    bare = _bare_update(unpaid)
    taken, found = _night(location, tomorrow, with_lead=2)
    report.figure(
        "isolate who has not paid: status, history, wish", rows=unpaid, measured=seconds(taken), reach=f"< {30 * scale:g} s",
        compared=f"bare UPDATE of both tables {seconds(bare)}", ratio=taken / bare, is_reached=taken < 30 * scale,
    )  # fmt: skip
    problems: list[str] = []
    expect(problems, "counts", found.counts, {"isolated": unpaid})
    questions = {
        "isolated": "SELECT count(*) FROM billing_subscription WHERE status = 'isolated'",
        "history": "SELECT count(DISTINCT subscription_id) FROM billing_subscriptionevent WHERE kind = 'isolated'",
        "wishes": (
            "SELECT count(*) FROM locations_accessaccount"
            " WHERE is_isolated AND is_kick_due AND revision = applied_revision + 1"
        ),
        "wishes of the unpaid only": (
            "SELECT count(*) FROM locations_accessaccount a JOIN billing_subscription s ON s.account_id = a.id"
            " WHERE a.is_isolated AND s.status = 'isolated'"
        ),
    }  # fmt: skip
    for what, statement in questions.items():
        expect(problems, what, one(statement), unpaid)
    report.verify("isolation: statuses, history, wishes, nobody who paid", problems)


def _bare_update(unpaid: int) -> float:
    """The same rows in copies of both tables, one statement each, one transaction."""
    with owner() as session:
        for table in ("billing_subscription", "locations_accessaccount"):
            name = make_copy(session, table)
            subquery = (
                "SELECT s.* FROM billing_subscription s JOIN billing_invoice i ON i.subscription_id = s.id AND i.status = 'open'"
                if table == "billing_subscription"
                else "SELECT a.* FROM locations_accessaccount a JOIN billing_subscription s ON s.account_id = a.id"
                " JOIN billing_invoice i ON i.subscription_id = s.id AND i.status = 'open'"
            )
            session.execute(f"INSERT INTO {name} OVERRIDING SYSTEM VALUE {subquery}")
            session.execute(f"VACUUM (ANALYZE) {name}")
        started = time.perf_counter()
        with session.transaction():
            counts = [session.execute(statement).rowcount for statement in BARE]
        taken = time.perf_counter() - started
        for table in ("billing_subscription", "locations_accessaccount"):
            session.execute(f"DROP TABLE bench_{table}")
    if counts != [unpaid, unpaid]:
        raise RuntimeError(f"the bare UPDATE changed {counts} rows, expected {unpaid} in each table")
    return taken

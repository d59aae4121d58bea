"""Payments at a million rows: the lists and the API as staff ask them, settling 100,000 balances, and selling a pile."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Agent
from billing.services.settling import balance_apply
from core import clock
from customers.models import Customer
from locations.models import Location
from locations.services import location_member_add
from payments.models import Payment
from payments.services import methods_seed
from tests.perf.figures import Report, percentile, seconds
from tests.perf.plans import plans_of
from tests.perf.world import make_batch, make_location, make_plan, one, super_admin, vacuum
from vouchers.models import Voucher
from vouchers.services import stock_issue, vouchers_sell

CALLS, LIST, CHUNK = 10, 0.15, 50_000
TABLES = ("payments_payment", "billing_journalentry", "billing_posting", "customers_customer")
PLACES, PASSWORD = 20, "a-long-bench-password-7"

CUSTOMERS = """
INSERT INTO customers_customer (number, name, phone, phone_typed, email, address, location_id, area, tags, notes, language,
  balance, debt, is_active, created_at, updated_at)
SELECT 'P' || n, 'Customer ' || n, '', '', '', '', (%(places)s::bigint[])[1 + n %% %(n_places)s], '', '{}', '', '', 0, 0, true,
  now(), now() FROM generate_series(1, %(customers)s) n
"""
ENTRIES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, location_id, actor_id, method, reason)
SELECT 'payment', 'payment:' || n, s.at, s.at, (%(places)s::bigint[])[1 + n %% %(n_places)s],
  (%(people)s::bigint[])[1 + n %% %(n_places)s], 'Cash', ''
FROM generate_series(%(first)s, %(last)s) n
CROSS JOIN LATERAL (SELECT now() - (%(total)s - n) * interval '30 seconds' AS at) s
"""
POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount, customer_id)
SELECT e.id, p.account, p.amount, p.customer
FROM generate_series(%(first)s, %(last)s) n JOIN billing_journalentry e ON e.source = 'payment:' || n
CROSS JOIN LATERAL (VALUES ('cash:' || e.actor_id, 1000, NULL::bigint),
  ('wallet', -1000, %(first_customer)s + n %% %(customers)s)) p (account, amount, customer)
"""
PAYMENTS = """
INSERT INTO payments_payment (id, customer_id, location_id, method_id, amount, status, reference, entry_id, received_by_id,
  note, created_at, updated_at, confirmed_at)
SELECT n, %(first_customer)s + n %% %(customers)s, e.location_id, %(method)s, 1000, 'confirmed',
  'P' || upper(substr(md5('p' || n), 1, 13)), e.id, e.actor_id, '', e.occurred_at, e.occurred_at, e.occurred_at
FROM generate_series(%(first)s, %(last)s) n JOIN billing_journalentry e ON e.source = 'payment:' || n
"""
BILLS = """
INSERT INTO billing_invoice (kind, series, number, status, customer_id, location_id, source, token, currency, issued_on,
  due_on, subtotal, tax_amount, total, settled_amount, note, created_at, opened_at)
SELECT 'invoice', 'Q', 'Q' || id, 'open', id, location_id, 'q:' || id, md5('q' || id), 'IDR', now()::date, now()::date,
  1500, 0, 1500, 0, '', now(), now() FROM customers_customer WHERE number LIKE 'P%%'
"""
BILL_LINES = """
INSERT INTO billing_invoiceline (invoice_id, position, kind, text, details, quantity, amount, tax_percent, tax_amount,
  account, earned_months)
SELECT id, 1, 'manual', 'x', '{}', 1, 1500, 0, 0, 'income:other', 1 FROM billing_invoice WHERE series = 'Q'
"""
BILL_ENTRIES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, method, reason)
SELECT 'invoice', 'invoice:' || id, now(), now(), '', '' FROM billing_invoice WHERE series = 'Q'
"""
BILL_POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount, customer_id)
SELECT e.id, p.account, p.amount, p.customer FROM billing_invoice i
JOIN billing_journalentry e ON e.source = 'invoice:' || i.id
CROSS JOIN LATERAL (VALUES ('receivable', 1500, i.customer_id), ('income:other', -1500, NULL::bigint))
  p (account, amount, customer)
WHERE i.series = 'Q'
"""


def run(report: Report, scale: float) -> None:
    total, customers = max(2_000, int(1_000_000 * scale)), max(200, int(100_000 * scale))
    started = time.perf_counter()
    boss, cashier = fill(total, customers)
    report.note(f"{total:,} payments of {customers:,} customers written in {seconds(time.perf_counter() - started)}")
    lists(report, boss, cashier, total)
    settle(report, customers)
    pile(report, boss, max(500, int(100_000 * scale)))
    found = ledger_check()
    report.verify("ledger check", [f"{name}: {found.findings[name][:3]}" for name in found.counts])


def fill(total: int, customers: int) -> tuple[User, User]:
    roles_sync()
    boss = super_admin()
    places = [make_location(f"Pos {n}", is_active=False) for n in range(PLACES)]
    people = [_cashier(place) for place in places]
    values = {
        "places": [row.pk for row in places], "people": [row.pk for row in people], "n_places": PLACES, "total": total,
        "customers": customers, "method": methods_seed().pk,
    }  # fmt: skip
    _sql(CUSTOMERS, values)
    values["first_customer"] = int(one("SELECT min(id) FROM customers_customer") or 0)
    for first in range(1, total + 1, CHUNK):
        with transaction.atomic():
            for statement in (ENTRIES, POSTINGS, PAYMENTS):
                _sql(statement, {**values, "first": first, "last": min(first + CHUNK - 1, total)})
        if first == 1:  # the triggers plan with what they know: an empty table would be read whole for ever
            vacuum(*TABLES)
            connection.close()
    _sql("SELECT setval(pg_get_serial_sequence('payments_payment', 'id'), %(total)s)", values)
    vacuum(*TABLES)
    return boss, people[0]


def _sql(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _cashier(place: Location) -> User:
    user = user_create(username=f"kasir-{place.pk}", password=PASSWORD, role=Role.OPERATOR, actor=None)  # of a bench
    location_member_add(place, user)
    return user


def lists(report: Report, boss: User, cashier: User, total: int) -> None:
    one_of = Payment.objects.order_by("-pk")[total // 2]
    admin, api = "/admin/payments/payment/", "/api/v1/payments/"
    addresses = {
        "list": admin,
        "list, deep": f"{admin}?before={total // 2}",
        "list, waiting (none)": f"{admin}?status__exact=pending",
        "list, one cashier": f"{admin}?received_by__id__exact={one_of.received_by_id}",
        "list, one place": f"{admin}?location__id__exact={one_of.location_id}",
        "list, reference": f"{admin}?q={one_of.reference[:8]}",
        "page of one": f"{admin}{one_of.pk}/change/",
        "take cash": f"/admin/take-cash/{one_of.customer_id}/",
    }
    calls = {"list": api, "one customer": f"{api}?customer={one_of.customer_id}", "one": f"{api}{one_of.pk}/"}
    for who, user in (("everything", boss), ("operator", cashier)):
        client, rest = Client(), APIClient()
        client.force_login(user)
        rest.force_authenticate(user)
        seen = addresses if user is boss else dict(list(addresses.items())[:3])
        for name, address in seen.items():
            _measure(report, f"{name}, {who}", partial(_page, client, address), total)
        for name, address in calls.items() if user is boss else [("list", api)]:
            _measure(report, f"REST: {name}, {who}", partial(_page, rest, address), total)


def _page(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")


def _measure(report: Report, name: str, ask: Callable[[], None], rows: int) -> None:
    ask()
    times = []
    for _call in range(CALLS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    plans = plans_of(ask)
    scanned = sorted({table for plan in plans for table in plan.scanned})
    worst = percentile(times, 0.95)
    report.figure(
        name, rows=rows, measured=f"{seconds(worst)} (middle {seconds(percentile(times, 0.5))})",
        reach=f"< {seconds(LIST)}", is_reached=worst < LIST and not scanned,
        compared=f"{len(plans)} queries, {sum(plan.milliseconds for plan in plans):.0f} ms in PostgreSQL"
        + (f"; reads all of {', '.join(scanned)}" if scanned else ""),
    )  # fmt: skip
    for plan in plans:
        if "payments_payment" in plan.sql:
            report.note(f"  plan, {plan.milliseconds:.1f} ms: {plan.text}")


def settle(report: Report, customers: int) -> None:
    """Every customer has a balance and owes a bill."""
    with transaction.atomic():
        for statement in (BILLS, BILL_LINES, BILL_ENTRIES, BILL_POSTINGS):
            _sql(statement, {})
    vacuum("billing_invoice", "customers_customer")
    ids = list(Customer.objects.values_list("pk", flat=True))
    started = time.perf_counter()
    settled = balance_apply(ids, now=clock.now())
    taken = time.perf_counter() - started
    report.figure(
        "bills settled from balances", rows=customers, measured=seconds(taken), reach="< 60 s", is_reached=taken < 60,
        compared=f"{customers / taken:,.0f} a second",
    )  # fmt: skip
    paid = one("SELECT count(*) FROM billing_invoice WHERE series = 'Q' AND status = 'paid'")
    report.verify(
        "every bill that a balance reaches is paid", [] if settled == customers == paid else [f"{settled} {paid}"]
    )


def pile(report: Report, boss: User, quantity: int) -> None:
    """A batch to an agent and one sold at once by staff."""
    place = make_location("Agen")
    plan = make_plan("Harian", [place])
    agent = Agent.objects.create(user=_agent(), name="Agen")
    batch = make_batch(plan, place, quantity)
    started = time.perf_counter()
    stock_issue(batch, agent, quantity=quantity // 2, now=clock.now(), actor=boss)
    issued = time.perf_counter() - started
    report.figure("vouchers given to an agent", rows=quantity // 2, measured=seconds(issued))
    ids = list(Voucher.objects.filter(batch=batch, agent=None).values_list("pk", flat=True))
    started = time.perf_counter()
    done = vouchers_sell(ids, actor=boss, request_key="bench", now=clock.now())
    taken = time.perf_counter() - started
    report.figure(
        "vouchers sold at once, with their entries", rows=len(ids), measured=seconds(taken),
        compared=f"{len(ids) / taken:,.0f} a second",
    )  # fmt: skip
    in_drawer = one(f"SELECT sum(amount) FROM billing_posting WHERE account = '{chart.cash(boss.pk)}'")  # noqa: S608  # a number of ours
    report.verify("the drawer holds every sale", [] if done.amount == in_drawer else [f"{done.amount} {in_drawer}"])


def _agent() -> User:
    return user_create(username="agen", password=PASSWORD, role=Role.AGENT, actor=None)  # of a bench

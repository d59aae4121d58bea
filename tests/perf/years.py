"""Three years of a provider in the ledger: bills, payments and voucher sales, written in SQL, each month a transaction.

A million postings are about 200,000 bills with tax on every second, 190,000 payments and 60,000 voucher sales, at 20
locations with a cashier each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.ledger import chart
from billing.models import ExpenseCategory, Plan
from core import clock
from locations.models import Location
from locations.services import location_member_add
from tests.perf.world import execute, make_location, make_plan, super_admin, vacuum

MONTHS, PLACES, PLANS = 36, 20, 10
POSTINGS_PER_BILL = 5.16  # with its share of payments and voucher sales
TABLES = (
    "billing_journalentry", "billing_posting", "billing_invoice", "billing_invoiceline", "billing_allocation",
    "customers_customer",
)  # fmt: skip

CUSTOMERS = """
INSERT INTO customers_customer (number, name, phone, phone_typed, email, address, location_id, area, tags, notes, language,
  balance, debt, is_active, created_at, updated_at)
SELECT 'B' || n, 'Customer ' || n, '', '', '', '', (%(places)s::bigint[])[1 + n %% %(n_places)s], '', '{}', '', '', 0, 0, true,
  now(), now() FROM generate_series(1, %(customers)s) n
"""
BILLS = """
INSERT INTO billing_invoice (kind, series, number, status, customer_id, location_id, source, token, currency, issued_on, due_on,
  subtotal, tax_amount, total, settled_amount, note, created_at, opened_at)
SELECT 'invoice', 'B', 'B' || %(month)s || '-' || n, 'open', c.id, c.location_id, 'b:' || %(month)s || ':' || n,
  md5('b' || %(month)s || '-' || n), 'IDR', s.at::date, s.at::date + 10, 150000, s.tax, 150000 + s.tax, 0, '', s.at, s.at
FROM generate_series(1, %(bills)s) n
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + (n %% 28) * interval '1 day' + (n %% 600) * interval '1 minute' AS at,
  CASE WHEN n %% 2 = 0 THEN 16500 ELSE 0 END AS tax) s
JOIN customers_customer c ON c.number = 'B' || (1 + (n + %(month)s * %(bills)s) %% %(customers)s)
"""
LINES = """
INSERT INTO billing_invoiceline (invoice_id, position, kind, text, details, quantity, amount, tax_percent, tax_amount, account,
  plan_id, earned_months)
SELECT id, 1, 'subscription', '', '{}', 1, subtotal, 11, tax_amount, 'income:subscription',
  (%(plans)s::bigint[])[1 + id %% %(n_plans)s], 1
FROM billing_invoice WHERE source LIKE 'b:' || %(month)s || ':%%'
"""
BILL_ENTRIES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, location_id, method, reason)
SELECT 'invoice', 'invoice:' || id, opened_at, opened_at, location_id, '', '' FROM billing_invoice
WHERE source LIKE 'b:' || %(month)s || ':%%' ORDER BY opened_at
"""
BILL_POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount, customer_id, plan_id)
SELECT e.id, p.account, p.amount, p.customer, p.plan
FROM billing_invoice i JOIN billing_journalentry e ON e.source = 'invoice:' || i.id
CROSS JOIN LATERAL (VALUES ('receivable', i.total, i.customer_id, NULL::bigint),
  ('income:subscription', -i.subtotal, NULL, (%(plans)s::bigint[])[1 + i.id %% %(n_plans)s]), ('tax', -i.tax_amount, NULL, NULL)
) p (account, amount, customer, plan) WHERE i.source LIKE 'b:' || %(month)s || ':%%' AND p.amount <> 0
"""
PAYMENT_ENTRIES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, location_id, actor_id, method, reason)
SELECT 'payment', 'paid:b' || i.id, s.at, s.at, i.location_id,
  (%(people)s::bigint[])[array_position(%(places)s::bigint[], i.location_id)],
  CASE WHEN i.id %% 4 = 0 THEN 'Transfer' ELSE 'Cash' END, '' FROM billing_invoice i
CROSS JOIN LATERAL (SELECT i.opened_at + (i.id %% 20) * interval '1 day' AS at) s
WHERE i.source LIKE 'b:' || %(month)s || ':%%' AND i.id %% 20 <> 7 ORDER BY s.at
"""
PAYMENT_POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount, customer_id)
SELECT e.id, p.account, p.amount, p.customer
FROM billing_invoice i JOIN billing_journalentry e ON e.source = 'paid:b' || i.id
CROSS JOIN LATERAL (
  VALUES ('cash:' || e.actor_id, i.total, NULL::bigint), ('receivable', -i.total, i.customer_id)
) p (account, amount, customer)
WHERE i.source LIKE 'b:' || %(month)s || ':%%'
"""
ALLOCATIONS = """
INSERT INTO billing_allocation (invoice_id, entry_id, amount, at)
SELECT i.id, e.id, i.total, e.occurred_at
FROM billing_invoice i JOIN billing_journalentry e ON e.source = 'paid:b' || i.id
WHERE i.source LIKE 'b:' || %(month)s || ':%%'
"""
SALES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, location_id, actor_id, method, reason)
SELECT 'voucher_sale', 'sale:b' || %(month)s || '-' || n, s.at, s.at, (%(places)s::bigint[])[1 + n %% %(n_places)s],
  (%(people)s::bigint[])[1 + n %% %(n_places)s], 'Cash', '' FROM generate_series(1, %(sales)s) n
CROSS JOIN LATERAL (
  SELECT %(start)s::timestamptz + (n %% 28) * interval '1 day' + (n %% 900) * interval '1 minute' AS at
) s ORDER BY s.at
"""
SALE_POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount, plan_id)
SELECT e.id, p.account, p.amount, p.plan FROM billing_journalentry e
CROSS JOIN LATERAL (
  VALUES ('cash:' || e.actor_id, 5000, NULL::bigint),
    ('income:voucher', -5000, (%(plans)s::bigint[])[1 + e.id %% %(n_plans)s])
) p (account, amount, plan)
WHERE e.source LIKE 'sale:b' || %(month)s || '-%%'
"""
SPENT = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, location_id, actor_id, method, reason)
SELECT 'expense', 'spent:b' || %(month)s || '-' || n, s.at, s.at, (%(places)s::bigint[])[n], (%(people)s::bigint[])[n], '', ''
FROM generate_series(1, %(n_places)s) n CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + n * interval '1 day' AS at) s
"""
SPENT_POSTINGS = """
INSERT INTO billing_posting (entry_id, account, amount)
SELECT e.id, p.account, p.amount FROM billing_journalentry e
CROSS JOIN LATERAL (VALUES ('expense:listrik', 200000), ('cash:' || e.actor_id, -200000)) p (account, amount)
WHERE e.source LIKE 'spent:b' || %(month)s || '-%%'
"""
SHIFTS = """
INSERT INTO billing_cashshift (user_id, location_id, status, opened_at, opening_amount, counted_at, counted_amount,
  expected_amount, note)
SELECT u.id, u.place, 'counted', m.start, 0, m.start, s.amount, s.amount, ''
FROM unnest(%(months)s::timestamptz[]) m (start)
CROSS JOIN unnest(%(people)s::bigint[], %(places)s::bigint[]) u (id, place)
CROSS JOIN LATERAL (
  SELECT coalesce(sum(p.amount), 0) AS amount FROM billing_posting p JOIN billing_journalentry e ON e.id = p.entry_id
  WHERE p.account = 'cash:' || u.id AND e.recorded_at < m.start
) s
"""
STEPS = (
    BILLS, LINES, BILL_ENTRIES, BILL_POSTINGS, PAYMENT_ENTRIES, PAYMENT_POSTINGS, ALLOCATIONS, SALES, SALE_POSTINGS, SPENT,
    SPENT_POSTINGS,
)  # fmt: skip


@dataclass(frozen=True)
class Years:
    boss: User
    cashier: User
    place: Location
    plan: Plan
    first_month: datetime


def fill(postings: int) -> Years:
    """About that many postings; the last month is the present one."""
    roles_sync()
    places = [make_location(f"Place {number:02}", is_active=False) for number in range(PLACES)]
    people = [
        user_create(username=f"cashier{number}", password="a-long-bench-password-7", role=Role.OPERATOR, actor=None)
        for number in range(PLACES)
    ]
    for place, person in zip(places, people, strict=True):
        location_member_add(place, person)
    plans = [make_plan(f"Plan {number}", []) for number in range(PLANS)]
    ExpenseCategory.objects.create(code="listrik", name="Listrik")
    bills = max(60, int(postings / POSTINGS_PER_BILL / MONTHS))
    common = {
        "places": [row.pk for row in places], "n_places": PLACES, "people": [row.pk for row in people],
        "plans": [row.pk for row in plans], "n_plans": PLANS, "bills": bills, "sales": bills * 3 // 10,
        "customers": bills * 18,
    }  # fmt: skip
    starts = [_month(number) for number in range(MONTHS)]
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS, common)
        vacuum("customers_customer")
        for number, start in enumerate(starts):
            with transaction.atomic():
                for step in STEPS:
                    cursor.execute(step, {**common, "month": number, "start": start})
    with connection.cursor() as cursor:
        cursor.execute(SHIFTS, {**common, "months": starts[-2:]})
    vacuum(*TABLES)
    execute("ANALYZE billing_cashshift")
    return Years(super_admin(), people[3], places[3], plans[0], starts[0])


def _month(number: int) -> datetime:
    """The first moment of the month, counted from the first of the three years."""
    now = clock.now()
    whole = now.year * 12 + now.month - MONTHS + number
    return datetime(whole // 12, whole % 12 + 1, 1, tzinfo=UTC)


def drawer(years: Years) -> str:
    return chart.cash(years.cashier.pk)

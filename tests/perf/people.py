"""A database with a million customers, each with a service: names as unevenly spread as names are, at a hundred places."""

from __future__ import annotations

from django.db import connection, transaction

from billing.choices import PlanType
from locations.models import Location
from tests.perf.world import execute, make_location, make_plan, one, vacuum

PLACES = 100
# some names are everywhere, some nowhere near each other: "Zulkifli" never with "Budi", so a search for both finds nobody
FIRST = (
    "Budi Siti Sri Agus Dewi Eko Nur Muhammad Tri Yuni Andi Rina Joko Wati Hendra Lina Rudi Maya Bambang Ayu".split()
)
LAST = "Santoso Rahayu Wijaya Lestari Hidayat Utami Saputra Ningsih Susanto Handayani Prasetyo Puspita Nugroho".split()
CUSTOMERS = """
INSERT INTO customers_customer (number, name, phone, phone_typed, email, address, location_id, area, tags, notes,
  language, balance, debt, is_active, created_at, updated_at)
SELECT 'K' || to_char(n, 'FM0000000'),
  (%(first)s::text[])[1 + floor(power(random(), 2) * array_length(%(first)s::text[], 1))::int] || ' ' ||
  CASE WHEN n %% 50 = 7 THEN 'zulkifli'
    ELSE (%(last)s::text[])[1 + floor(power(random(), 2) * array_length(%(last)s::text[], 1))::int] END
  || ' ' || substr(md5(n::text), 1, 6),
  '+6281' || to_char(n, 'FM00000000'), '081' || n, 'k' || n || '@example.com', 'Jl. Mawar ' || n,
  %(place)s + n %% %(places)s, 'ODP ' || n %% 900,
  CASE WHEN n %% 40 = 0 THEN ARRAY['lunas'] ELSE ARRAY[]::text[] END, '', '', 0, 0, n %% 200 <> 0, now(), now()
FROM generate_series(1, %(rows)s) n
"""
APART = "UPDATE customers_customer SET name = replace(name, 'Budi', 'Joko') WHERE name LIKE 'Budi zulkifli%%'"
SERVICES = """
INSERT INTO billing_subscription (customer_id, plan_id, location_id, type, status, username, mac_address, is_auto_renewed,
  note, created_at, updated_at)
SELECT id, %s, location_id, 'pppoe', 'draft', 'user' || id, '', true, '', now(), now() FROM customers_customer
"""
ENTRIES = """
INSERT INTO billing_journalentry (kind, source, occurred_at, recorded_at, method, reason)
SELECT 'invoice', 'bench:' || id, now(), now(), '', '' FROM customers_customer WHERE id %% 19 = 3
"""
LEGS = """
INSERT INTO billing_posting (entry_id, account, amount, customer_id)
SELECT e.id, leg.account, leg.amount, CASE leg.account WHEN 'receivable' THEN substr(e.source, 7)::bigint END
FROM billing_journalentry e, (VALUES ('receivable', 150000), ('income:other', -150000)) leg (account, amount)
WHERE e.source LIKE 'bench:%%'
"""
TABLES = ("customers_customer", "customers_contact", "billing_subscription", "billing_journalentry", "billing_posting")


def fill_people(rows: int) -> Location:
    """Customers, services and what one in nineteen owes; returns one of the places."""
    places = [make_location(f"Place {number:03}", is_active=False) for number in range(PLACES)]
    values = {"first": FIRST, "last": LAST, "place": places[0].pk, "places": PLACES, "rows": rows}
    _execute_named(CUSTOMERS, values)
    execute(APART)
    execute(
        "INSERT INTO customers_contact (customer_id, role, name, phone, phone_typed, email, created_at) "
        "SELECT id, 'other', 'Adik', replace(phone, '+6281', '+6285'), '', '', now() FROM customers_customer WHERE id %% 10 = 0"
    )
    plan = make_plan("Rumah", [], type=PlanType.PPPOE, price_sell=150_000, duration_seconds=None)
    execute(SERVICES, plan.pk)
    _in_one_transaction(ENTRIES, LEGS)
    vacuum(*TABLES)
    return places[0]


def _execute_named(statement: str, values: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _in_one_transaction(*statements: str) -> None:
    """An entry and its postings belong together, or the database refuses both."""
    with transaction.atomic():
        for statement in statements:
            execute(statement)


def example(column: str, at: float) -> str:
    """The column of the customer this far down the table (0 to 1)."""
    lowest, highest = one("SELECT min(id) FROM customers_customer"), one("SELECT max(id) FROM customers_customer")
    pk = lowest + int((highest - lowest) * at)
    return str(one(f"SELECT {column} FROM customers_customer WHERE id >= %s ORDER BY id LIMIT 1", pk))  # noqa: S608  # our words

"""The application's role can add to tables that only grow, and nothing else: tried on a real row of each."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.db.utils import DatabaseError

from accounts.models import ActivityLog, User
from billing.models import Allocation, JournalEntry, Posting, SubscriptionEvent
from core.db.immutable import protected_tables
from customers.choices import Channel, ConsentKind
from customers.models import Consent, CustomerEvent
from customers.services import consent_record
from payments.models import Refund
from payments.services import methods_seed, payment_receive_cash, payment_refund
from tests.integration.billing import service_world
from tests.integration.billing.money import NOW, make_invoice
from tests.integration.vouchers.world import make_batch, make_plan, make_user, vouchers_of
from vouchers.models import VoucherEvent, VoucherSale
from vouchers.services import voucher_sell

pytestmark = pytest.mark.django_db(transaction=True)
RESTRICT_VIOLATION, INSUFFICIENT_PRIVILEGE = "23001", "42501"
LEDGER = "amount = amount + 1"
CHANGES: dict[type[Model], str] = {
    ActivityLog: "action = 'x'", Allocation: LEDGER, Consent: "is_granted = NOT is_granted", CustomerEvent: "kind = 'x'",
    JournalEntry: "occurred_at = occurred_at - interval '1 day'", Posting: LEDGER, Refund: LEDGER,
    SubscriptionEvent: "kind = 'x'", VoucherEvent: "kind = 'x'", VoucherSale: LEDGER,
}  # fmt: skip
TABLES = {model._meta.db_table: change for model, change in CHANGES.items()}


@pytest.fixture
def rows() -> None:
    """At least one row in each, made as people make them."""
    boss: User = make_user()
    place = service_world.place()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=1))[0]
    voucher_sell(voucher, actor=boss, request_key="v1", now=NOW)
    customer = service_world.customer()
    service_world.service(place, service_world.plan(place), NOW.date(), customer)
    consent_record(
        customer, channel=Channel.WHATSAPP, kind=ConsentKind.MARKETING, is_granted=True, source="asked", actor=boss
    )
    make_invoice(customer, 50_000)
    methods_seed()
    payment = payment_receive_cash(customer=customer, amount=60_000, request_key="p1", now=NOW, actor=boss)
    payment_refund(payment, amount=5_000, reason="too much", request_key="r1", now=NOW, actor=boss)


def answer(statement: str, table: str) -> tuple[str, str]:
    """SQLSTATE and words of the database's refusal; empty when it did what it was told."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement.format(table=table, change=TABLES[table]))
        except DatabaseError as refused:
            cause: Any = refused.__cause__
            return cause.sqlstate, cause.diag.message_primary
    return "", ""


def contents(model: type[Model]) -> list[tuple[Any, ...]]:
    return list(model._base_manager.order_by("pk").values_list())


def test_a_table_that_only_grows_refuses_everything_else(rows: None) -> None:
    assert protected_tables() == dict.fromkeys(TABLES, True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("mb_app",)
    before = {model: contents(model) for model in CHANGES}
    assert [model for model, found in before.items() if not found] == []
    for table in TABLES:
        refused = f"table {table} only grows: %s is refused, write a reversing row"
        update, delete = (RESTRICT_VIOLATION, refused % "UPDATE"), (RESTRICT_VIOLATION, refused % "DELETE")
        assert answer("UPDATE {table} SET {change}", table) == update
        assert answer("UPDATE {table} SET id = id", table) == update
        assert answer("DELETE FROM {table}", table) == delete
        assert answer("TRUNCATE {table}", table) == (INSUFFICIENT_PRIVILEGE, f"permission denied for table {table}")
    assert {model: contents(model) for model in CHANGES} == before

"""What the database refuses about bills, asked by direct SQL as the application's role; and that nothing else moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger.checking import ledger_check
from billing.models import Allocation, Invoice, InvoiceLine, JournalEntry, Posting
from billing.services.invoices import invoice_void, write_off
from core.db.immutable import user_triggers
from customers.models import Customer
from tests.integration.billing.invoice_world import NOW, issued, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
LINE = (
    "INSERT INTO billing_invoiceline (invoice_id, position, kind, text, details, quantity, amount, tax_percent, tax_amount,"
    " account, earned_months) VALUES (%(id)s, 2, 'manual', 'more', '{}', 1, 5, 0, 0, 'income:other', 1)"
)
ALLOCATION = (
    "INSERT INTO billing_allocation (invoice_id, entry_id, amount, at) "
    "SELECT %(id)s, max(id), {}, now() FROM billing_journalentry"
)
COPY = (
    "INSERT INTO billing_invoice (kind, series, number, status, customer_id, source, token, currency, subtotal, tax_amount,"
    " total, settled_amount, note, created_at, issued_on, due_on, opened_at)"
    " SELECT kind, series, {number}, status, customer_id, {source}, {token}, currency, subtotal, tax_amount, total,"
    " 0, note, now(), issued_on, due_on, now() FROM billing_invoice WHERE id = %(id)s"
)


@pytest.fixture(autouse=True)
def guards_hold() -> Iterator[None]:
    assert all(user_triggers().values())
    yield
    assert all(user_triggers().values())


def sql(statement: str, pk: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"id": pk})


def everything() -> list[object]:
    """Every row that could have moved."""
    models = (Invoice, InvoiceLine, Allocation, JournalEntry, Posting, Customer)
    return [list(model.objects.order_by("pk").values()) for model in models]


OPEN = [
    ("UPDATE billing_invoice SET total = 1, subtotal = 1 WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET due_on = due_on + 30 WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET number = 'X' WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET token = 'X' WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET created_xid = pg_current_xact_id() WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET status = 'draft', number = NULL WHERE id = %(id)s", "issued and cannot be changed"),
    ("UPDATE billing_invoice SET settled_amount = 5 WHERE id = %(id)s", "settled_amount is the sum of allocations"),
    (
        "UPDATE billing_invoice SET status = 'paid', closed_at = now(), settled_amount = total WHERE id = %(id)s",
        "settled_amount is the sum of allocations",
    ),
    ("UPDATE billing_invoice SET status = 'paid', closed_at = now() WHERE id = %(id)s", "billing_invoice_paid"),
    ("UPDATE billing_invoice SET status = 'void' WHERE id = %(id)s", "billing_invoice_closed"),
    ("DELETE FROM billing_invoice WHERE id = %(id)s", "cannot be deleted"),
    ("TRUNCATE billing_invoice CASCADE", "permission denied"),
    ("TRUNCATE billing_allocation CASCADE", "permission denied"),
    ("ALTER TABLE billing_invoice DISABLE TRIGGER ALL", "must be owner"),
    (LINE, "lines of an issued invoice"),
    ("UPDATE billing_invoiceline SET amount = 1 WHERE invoice_id = %(id)s", "lines of an issued invoice"),
    ("UPDATE billing_invoiceline SET text = 'x' WHERE invoice_id = %(id)s", "lines of an issued invoice"),
    ("DELETE FROM billing_invoiceline WHERE invoice_id = %(id)s", "lines of an issued invoice"),
    (ALLOCATION.format("150001"), "billing_invoice_settled"),
    (ALLOCATION.format("-1"), "billing_invoice_settled"),
    (ALLOCATION.format("0"), "billing_allocation_not_zero"),
]


@pytest.mark.parametrize(("statement", "words"), OPEN)
def test_an_open_bill_is_not_bent(statement: str, words: str) -> None:
    invoice = issued(make_customer())
    before = everything()
    with pytest.raises(DatabaseError, match=words):
        sql(statement, invoice.pk)
    assert everything() == before
    assert ledger_check().is_right


CLOSED = [
    (ALLOCATION.format("1"), "only an open or paid invoice"),
    ("UPDATE billing_invoice SET note = 'x' WHERE id = %(id)s", "issued and cannot be changed"),
    ("DELETE FROM billing_invoice WHERE id = %(id)s", "cannot be deleted"),
    (LINE, "lines of an issued invoice"),
]


@pytest.mark.parametrize(("statement", "words"), CLOSED)
def test_a_void_bill_is_not_bent(statement: str, words: str) -> None:
    invoice = issued(make_customer())
    invoice_void(invoice, reason="wrong", now=NOW, actor=None)
    before = everything()
    with pytest.raises(DatabaseError, match=words):
        sql(statement, invoice.pk)
    assert everything() == before


PAID = [
    ("UPDATE billing_allocation SET amount = 1", "only grows"),
    ("DELETE FROM billing_allocation", "only grows"),
    ("UPDATE billing_invoice SET status = 'void' WHERE id = %(id)s", "has settlements and cannot be void"),
    (ALLOCATION.format("5"), "billing_invoice_settled|billing_allocation_once"),
    ("UPDATE billing_invoice SET settled_amount = 0, status = 'open', closed_at = NULL", "sum of allocations"),
]


@pytest.mark.parametrize(("statement", "words"), PAID)
def test_a_settled_bill_is_not_bent(statement: str, words: str) -> None:
    invoice = issued(make_customer())
    write_off(invoice, reason="gone", now=NOW, actor=None)
    before = everything()
    with pytest.raises(DatabaseError, match=words):
        sql(statement, invoice.pk)
    assert everything() == before
    assert ledger_check().is_right


@pytest.mark.parametrize("column", ["source", "number", "token"])
def test_source_number_and_token_are_there_once(column: str) -> None:
    customer = make_customer()
    first, _second = issued(customer, source="a"), issued(customer, source="b")
    fresh = {name: "'new'" for name in ("source", "number", "token") if name != column}
    copied = {name: name for name in ("source", "number", "token")} | fresh
    with pytest.raises(DatabaseError, match=column):
        sql(COPY.format(**copied), first.pk)
    assert Invoice.objects.count() == 2


def test_a_draft_may_still_be_thrown_away() -> None:
    customer = make_customer()
    Invoice.objects.create(customer=customer, source="draft", currency="IDR")
    Invoice.objects.all().delete()
    assert not Invoice.objects.exists()

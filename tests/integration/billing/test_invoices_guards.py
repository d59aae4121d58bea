"""What the database refuses about bills, asked by direct SQL as the application's role; and that nothing else moved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.births import birth_guards
from billing.ledger.checking import ledger_check
from billing.ledger.posting import Line, entry_post
from billing.models import Allocation, Invoice, InvoiceLine, JournalEntry, Posting
from billing.services.invoices import invoice_void, write_off
from core.db.immutable import user_triggers
from core.db.owner import as_owner
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
    ("UPDATE billing_invoice SET status = 'paid', closed_at = now() WHERE id = %(id)s", "cannot go from open to paid"),
    ("UPDATE billing_invoice SET status = 'void' WHERE id = %(id)s", "billing_invoice_closed"),
    (
        "UPDATE billing_invoice SET status = 'void', closed_at = now() WHERE id = %(id)s",
        "is void, and its entry was not taken back",
    ),
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
    ("UPDATE billing_invoice SET status = 'open', closed_at = NULL WHERE id = %(id)s", "cannot go from void to open"),
    ("UPDATE billing_invoice SET status = 'paid' WHERE id = %(id)s", "cannot go from void to paid"),
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
    ("UPDATE billing_invoice SET status = 'open', closed_at = NULL", "cannot go from paid to open"),
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


BIRTH = (
    "INSERT INTO billing_invoice (kind, series, number, status, customer_id, source, token, currency, subtotal, tax_amount,"
    " total, settled_amount, note, created_at, issued_on, due_on, opened_at, closed_at)"
    " SELECT 'invoice', 'INV', 'B-1', '{status}', id, 'b', 'b', 'IDR', {total}, 0, {total}, {settled}, '', now(), now(),"
    " now(), now(), {closed} FROM customers_customer WHERE id = %(id)s"
)
UNFIT = "born as a draft, open and unsettled, or paid when it asks for nothing; not "
BORN = [
    (("paid", 100, 100, "now()"), f"{UNFIT}paid, 100.00 of 100.00 settled"),
    (("open", 100, 50, "NULL"), f"{UNFIT}open, 50.00 of 100.00 settled"),
    (("open", 0, 0, "NULL"), f"{UNFIT}open, 0.00 of 0.00 settled"),
    (("void", 100, 0, "now()"), f"{UNFIT}void, 0.00 of 100.00 settled"),
    (("open", 100, 0, "NULL"), "invoice B-1 is issued, and its entry is not for 100.00 but for 0"),
    (("draft", 100, 0, "NULL"), "billing_invoice_opened"),  # it has no number
]


@pytest.mark.parametrize(("born", "words"), BORN)
def test_a_bill_is_born_unsettled_and_with_its_entry(born: tuple[str, int, int, str], words: str) -> None:
    customer = make_customer()
    statement = BIRTH.format(**dict(zip(("status", "total", "settled", "closed"), born, strict=True)))
    with pytest.raises(DatabaseError, match=words):
        sql(statement, customer.pk)
    assert not Invoice.objects.exists()


def test_an_entry_for_another_amount_is_not_its_entry() -> None:
    customer = make_customer()
    with pytest.raises(DatabaseError, match=r"its entry is not for 100\.00 but for 99\.00"):
        born_with_entry(customer, 99)
    assert not Invoice.objects.exists()
    born_with_entry(customer, 100)


@transaction.atomic
def born_with_entry(customer: Customer, amount: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BIRTH.format(status="open", total=100, settled=0, closed="NULL"), {"id": customer.pk})
    entry(customer, f"invoice:{Invoice.objects.get().pk}", amount)


def entry(customer: Customer, source: str, amount: int) -> None:
    lines = [Line(chart.RECEIVABLE, Decimal(amount), customer.pk), Line(chart.INCOME_OTHER, Decimal(-amount))]
    entry_post(kind=EntryKind.INVOICE, source=source, lines=lines, occurred_at=NOW)


CHANGE = "UPDATE billing_invoice SET {} WHERE id = %(id)s"
OPENED = "status = 'open', number = 'D-1', issued_on = now(), due_on = now(), opened_at = now()"


def test_a_draft_is_opened_with_its_entry_or_not_at_all() -> None:
    customer = make_customer()
    draft = Invoice.objects.create(customer=customer, source="draft", currency="IDR", subtotal=70, total=70)
    for change, words in (
        (OPENED, "invoice D-1 is issued, and its entry is not for 70.00 but for 0"),
        ("status = 'void', number = 'D-1', closed_at = now()", "cannot go from draft to void"),
        ("status = 'paid', number = 'D-1', closed_at = now()", "cannot go from draft to paid"),
        ("settled_amount = 5", "settled_amount is the sum of allocations"),
    ):
        with pytest.raises(DatabaseError, match=words):
            sql(CHANGE.format(change), draft.pk)
        draft.refresh_from_db()
        assert draft.status == "draft"
    sql("UPDATE billing_invoice SET total = 80, subtotal = 80 WHERE id = %(id)s", draft.pk)
    sql(LINE.replace("2, 'manual', 'more', '{}', 1, 5", "1, 'manual', 'more', '{}', 1, 80"), draft.pk)
    with transaction.atomic():
        sql(CHANGE.format(OPENED), draft.pk)
        entry(customer, f"invoice:{draft.pk}", 80)
    assert ledger_check().findings == {}
    with pytest.raises(DatabaseError, match="cannot be deleted"):
        sql("DELETE FROM billing_invoice WHERE id = %(id)s", draft.pk)


def test_these_rules_can_be_taken_away_and_put_back() -> None:
    customer = make_customer()
    forward, backward = birth_guards()
    birth = BIRTH.format(status="open", total=100, settled=0, closed="NULL")
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(backward)
        cursor.execute(birth, {"id": customer.pk})
        cursor.execute(forward)
        with pytest.raises(DatabaseError, match=f"{UNFIT}void"), transaction.atomic():
            cursor.execute(BIRTH.format(status="void", total=9, settled=0, closed="now()"), {"id": customer.pk})
        transaction.set_rollback(True)


def test_what_the_owner_bends_is_found() -> None:
    """A bill that is void while its entry stands, and one whose entry is another amount."""
    customer = make_customer()
    first, second = issued(customer, source="a"), issued(customer, source="b")
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_invoice DISABLE TRIGGER USER")
        cursor.execute("UPDATE billing_invoice SET status = 'void', closed_at = now() WHERE id = %s", [first.pk])
        cursor.execute("UPDATE billing_invoice SET total = 1, subtotal = 1 WHERE id = %s", [second.pk])
        found = ledger_check().findings
        transaction.set_rollback(True)
    assert found.pop("triggers")
    assert found == {
        "voided": [first.pk], "unposted": [second.pk], "lines": [second.pk], "receivable": [customer.pk],
    }  # fmt: skip


def test_a_draft_may_still_be_thrown_away() -> None:
    customer = make_customer()
    Invoice.objects.create(customer=customer, source="draft", currency="IDR")
    Invoice.objects.all().delete()
    assert not Invoice.objects.exists()

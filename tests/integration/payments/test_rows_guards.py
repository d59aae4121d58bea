"""The rows behind the postings: what the database refuses, asked by direct SQL as the application's role, and what the
ledger check finds when somebody with the owner's password has bent them all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.ledger.rows import row_guards
from billing.models import Adjustment, CashShift, Expense, ExpenseCategory, JournalEntry, Posting
from billing.services.adjustments import adjustment_ask
from billing.services.cash import shift_count, shift_hand_over, shift_open
from billing.services.expenses import expense_reverse, expense_write
from core.db.immutable import user_triggers
from core.db.owner import as_owner
from core.settings_registry import setting_change
from customers.models import Customer
from payments.models import Payment, Refund, Reversal
from payments.services import methods_seed, payment_receive_cash, payment_refund, reversal_ask, reversal_decide
from tests.integration.billing.money import NOW, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)
MODELS = (Payment, Refund, Reversal, Expense, Adjustment, CashShift, JournalEntry, Posting, Customer)


@pytest.fixture(autouse=True)
def guards_hold() -> Iterator[None]:
    assert all(user_triggers().values())
    yield
    assert all(user_triggers().values())
    assert ledger_check().findings == {}


@pytest.fixture
def cashier() -> User:
    return User.objects.create_user("siti", is_superuser=True)


@pytest.fixture
def boss() -> User:
    return User.objects.create_user("kepala", is_superuser=True)


@pytest.fixture
def rows(cashier: User, boss: User) -> None:
    """One of each in each of its states; named in `note` or `reason`, which is how the statements find them."""
    sri = make_customer()
    setting_change("billing.adjustment_limit", "50000")
    _shifts(cashier, boss)
    take = {
        note: payment_receive_cash(customer=sri, amount=amount, request_key=note, note=note, now=NOW, actor=cashier)
        for note, amount in (("kept", 90_000), ("back", 30_000), ("asked", 60_000))
    }
    Payment.objects.create(customer=sri, method=methods_seed(), amount=70_000, note="pending")
    payment_refund(take["kept"], amount=1_000, reason="part", request_key="r", now=LATER, actor=cashier)
    reversal_ask(take["back"], reason="posted", request_key="b", now=LATER, actor=cashier)
    reversal_ask(take["asked"], reason="waiting", request_key="a", now=LATER, actor=cashier)
    kind = ExpenseCategory.objects.get_or_create(code="listrik", name="Listrik")[0]
    for note in ("spent", "not spent"):
        row = expense_write(
            category=kind, amount=20_000, spent_on=date(2026, 11, 22), paid_from=f"cash:{cashier.pk}", now=NOW, note=note,
            actor=cashier, request_key=note,
        )  # fmt: skip
    expense_reverse(row, reason="twice", now=LATER, actor=cashier)
    for reason, amount in (("given", 5_000), ("asked", 60_000)):
        adjustment_ask(customer=sri, amount=amount, reason=reason, request_key=reason, now=NOW, actor=cashier)


def _shifts(cashier: User, boss: User) -> None:
    counted = shift_count(shift_open(counted=0, now=NOW, actor=boss, note="counted"), counted=500, now=NOW, actor=boss)
    given = shift_open(counted=500, now=NOW, actor=cashier, note="handed over")
    shift_hand_over(shift_count(given, counted=400, now=NOW, actor=cashier), amount=400, now=NOW, actor=cashier)
    shift_open(counted=0, now=NOW, actor=cashier, note="open")
    assert counted.status == "counted"


def everything() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


DECIDED = "is decided: {} is refused, write a reversing row"
UPDATE = DECIDED.format("UPDATE")
REFUSED = [
    ("UPDATE payments_payment SET amount = 1 WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET customer_id = customer_id + 1 WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET location_id = 1 WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET method_id = method_id + 1 WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET confirmed_at = now() WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET received_by_id = NULL WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET note = 'other' WHERE note = 'kept'", UPDATE),
    ("UPDATE payments_payment SET note = '', amount = 1 WHERE note = 'kept'", UPDATE),
    (
        "UPDATE payments_payment SET status = 'pending', entry_id = NULL, confirmed_at = NULL WHERE note = 'kept'",
        UPDATE,
    ),
    ("UPDATE payments_payment SET status = 'cancelled' WHERE note = 'kept'", "payments_payment_confirmed"),
    ("DELETE FROM payments_payment WHERE note = 'kept'", DECIDED.format("DELETE")),
    ("UPDATE payments_payment SET amount = 1 WHERE note = 'back'", UPDATE),
    ("UPDATE payments_payment SET status = 'confirmed' WHERE note = 'back'", UPDATE),
    ("DELETE FROM payments_payment WHERE note = 'back'", DECIDED.format("DELETE")),
    ("UPDATE payments_refund SET amount = 1", "table payments_refund only grows: UPDATE is refused"),
    ("DELETE FROM payments_refund", "table payments_refund only grows: DELETE is refused"),
    ("UPDATE payments_reversal SET amount = 1 WHERE reason = 'posted'", UPDATE),
    ("UPDATE payments_reversal SET decided_by_id = requested_by_id WHERE reason = 'posted'", UPDATE),
    ("UPDATE payments_reversal SET amount = 1 WHERE reason = 'waiting'", UPDATE),
    ("UPDATE payments_reversal SET requested_by_id = NULL WHERE reason = 'waiting'", UPDATE),
    ("DELETE FROM payments_reversal WHERE reason = 'waiting'", DECIDED.format("DELETE")),
    ("UPDATE billing_expense SET amount = 1 WHERE note = 'spent'", UPDATE),
    ("UPDATE billing_expense SET spent_on = '2026-11-01' WHERE note = 'spent'", UPDATE),
    ("UPDATE billing_expense SET paid_from = 'owner' WHERE note = 'spent'", UPDATE),
    ("DELETE FROM billing_expense WHERE note = 'spent'", DECIDED.format("DELETE")),
    ("UPDATE billing_expense SET reversed_at = NULL WHERE note = 'not spent'", UPDATE),
    ("UPDATE billing_expense SET reversed_at = now() WHERE note = 'not spent'", UPDATE),
    ("DELETE FROM billing_expense WHERE note = 'not spent'", DECIDED.format("DELETE")),
    ("UPDATE billing_adjustment SET amount = 1 WHERE reason = 'given'", UPDATE),
    ("UPDATE billing_adjustment SET decided_at = now() WHERE reason = 'given'", UPDATE),
    ("UPDATE billing_adjustment SET status = 'waiting', decided_at = NULL WHERE reason = 'given'", UPDATE),
    ("DELETE FROM billing_adjustment WHERE reason = 'given'", DECIDED.format("DELETE")),
    ("UPDATE billing_adjustment SET amount = 10 WHERE reason = 'asked'", UPDATE),
    ("UPDATE billing_adjustment SET requested_by_id = NULL WHERE reason = 'asked'", UPDATE),
    ("DELETE FROM billing_adjustment WHERE reason = 'asked'", DECIDED.format("DELETE")),
    ("UPDATE billing_cashshift SET opening_amount = 9 WHERE note = 'open'", UPDATE),
    ("UPDATE billing_cashshift SET user_id = user_id + 1 WHERE note = 'open'", UPDATE),
    ("DELETE FROM billing_cashshift WHERE note = 'open'", DECIDED.format("DELETE")),
    ("UPDATE billing_cashshift SET opening_amount = 9 WHERE note = 'counted'", UPDATE),
    ("UPDATE billing_cashshift SET counted_amount = 9 WHERE note = 'counted'", UPDATE),
    ("UPDATE billing_cashshift SET expected_amount = 500 WHERE note = 'counted'", UPDATE),
    ("UPDATE billing_cashshift SET counted_at = now() WHERE note = 'counted'", UPDATE),
    ("UPDATE billing_cashshift SET status = 'open' WHERE note = 'counted'", "billing_shift_counted"),
    ("DELETE FROM billing_cashshift WHERE note = 'counted'", DECIDED.format("DELETE")),
    ("UPDATE billing_cashshift SET handed_over_amount = 9 WHERE note = 'handed over'", UPDATE),
    ("UPDATE billing_cashshift SET status = 'counted' WHERE note = 'handed over'", UPDATE),
    ("DELETE FROM billing_cashshift WHERE note = 'handed over'", DECIDED.format("DELETE")),
    ("TRUNCATE payments_payment CASCADE", "permission denied"),
    ("ALTER TABLE billing_expense DISABLE TRIGGER ALL", "must be owner"),
]


def test_what_was_decided_is_not_bent(rows: None) -> None:
    before = everything()
    for statement, words in REFUSED:
        with pytest.raises(DatabaseError, match=words):
            sql(statement)
        assert everything() == before, statement


def test_texts_are_cleared_and_what_waits_goes_on(rows: None, boss: User) -> None:
    """The same rows take their next legal step, and forget what was written on them."""
    for table, text in (
        ("payments_payment", "note"), ("payments_refund", "reason"), ("payments_reversal", "reason"),
        ("billing_expense", "note"), ("billing_adjustment", "reason"), ("billing_cashshift", "note"),
    ):  # fmt: skip
        sql(f"UPDATE {table} SET {text} = ''")  # noqa: S608  # constants
    reversal_decide(Reversal.objects.get(status="waiting"), is_approved=True, now=LATER, actor=boss)
    shift_count(CashShift.objects.get(status="open"), counted=50_000, now=LATER, actor=boss)
    shift_hand_over(CashShift.objects.get(status="counted", user=boss), amount=500, now=LATER, actor=boss)
    Payment.objects.filter(status="pending").delete()  # no money has come of it
    assert set(Payment.objects.values_list("status", flat=True)) == {"confirmed", "reversed"}


BENT = [
    ("DELETE FROM payments_payment WHERE note = 'kept'", {"rowless_payments": 1}),
    ("DELETE FROM payments_refund", {"rowless_payments": 1}),
    ("UPDATE payments_payment SET amount = 1 WHERE note = 'kept'", {"unposted_payments": 1}),
    ("UPDATE payments_reversal SET amount = 1 WHERE reason = 'posted'", {"unposted_reversals": 1}),
    ("DELETE FROM billing_expense", {"rowless": 2}),
    ("UPDATE billing_expense SET amount = 1 WHERE note = 'spent'", {"unposted_expenses": 1}),
    ("UPDATE billing_expense SET paid_from = 'owner' WHERE note = 'spent'", {"unposted_expenses": 1}),
    ("DELETE FROM billing_adjustment", {"rowless": 1}),
    ("UPDATE billing_adjustment SET amount = 1 WHERE reason = 'given'", {"unposted_adjustments": 1}),
    (
        "UPDATE billing_adjustment SET status = 'posted', decided_at = now() WHERE reason = 'asked'",
        {"unposted_adjustments": 1},
    ),
    ("DELETE FROM billing_cashshift WHERE note = 'counted'", {"rowless": 1}),
    ("UPDATE billing_cashshift SET counted_amount = 9 WHERE note = 'counted'", {"unposted_shifts": 1}),
    ("UPDATE billing_cashshift SET handed_over_amount = 9 WHERE note = 'handed over'", {"unposted_shifts": 1}),
]


def test_what_the_owner_bends_is_found(rows: None) -> None:
    for statement, wanted in BENT:
        table = next(word for word in statement.split() if "_" in word)
        with as_owner(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            found = dict(ledger_check().counts)
            transaction.set_rollback(True)
        assert found.pop("triggers") > 0
        if "payments_payment" in statement and "DELETE" in statement:
            found.pop("unposted_reversals", None)
        assert found == wanted, statement


def test_the_guards_can_be_taken_away_and_put_back(rows: None) -> None:
    """What the migrations do in both directions."""
    migration = import_module("payments.migrations.0006_rows_behind")
    pairs = [row_guards(), migration.PAYMENTS, migration.REVERSALS]
    bend = "UPDATE payments_payment SET amount = amount - 1 WHERE note = 'kept'"
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        for pair in pairs:
            cursor.execute(pair[1])
        cursor.execute(bend)
        for pair in pairs:
            cursor.execute(pair[0])
        with pytest.raises(IntegrityError, match=UPDATE), transaction.atomic():
            cursor.execute(bend)
        transaction.set_rollback(True)

"""A payment that was booked by mistake: what is owed again, where its money is, once, and by two people above the limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import ActivityLog, User
from billing.ledger import chart
from billing.ledger.checking import ledger_check, unposted
from billing.models import JournalEntry, Posting
from billing.services.cash import cash_hand_over, shift_count, shift_open
from billing.services.drawers import account_amount, drawer_amount
from billing.services.settling import balance_apply
from core.errors import DomainError, TransitionError
from core.settings_registry import setting_change
from customers.models import Customer
from payments.models import Payment, Reversal
from payments.services import (
    methods_seed,
    payment_cancel,
    payment_confirm,
    payment_receive_cash,
    payment_refund,
    refundable_amount,
    reversal_ask,
    reversal_decide,
    reversal_preview,
)
from payments.words import receipt_of, reversal_sentences
from tests.integration.billing import service_world as world
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)
EARLY, LATE = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    setting_change("billing.adjustment_limit", "100000")
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def cashier() -> User:
    return User.objects.create_user("siti")


@pytest.fixture
def boss() -> User:
    return User.objects.create_user("ani")


def receive(customer: Customer, amount: Any, cashier: User, key: str = "k1", **fields: Any) -> Payment:
    return payment_receive_cash(customer=customer, amount=amount, request_key=key, now=NOW, actor=cashier, **fields)


def take_back(payment: Payment, actor: User, key: str = "b1", reason: str = "entered twice") -> Reversal:
    return reversal_ask(payment, reason=reason, request_key=key, now=LATER, actor=actor)


def legs(entry: JournalEntry | None) -> list[tuple[str, int]]:
    rows = Posting.objects.filter(entry=entry).order_by("pk")
    return [(account, int(amount)) for account, amount in rows.values_list("account", "amount")]


def status_of(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.status


def test_bills_are_owed_again_and_the_cash_leaves_the_drawer_it_was_booked_into(
    customer: Customer, cashier: User, boss: User
) -> None:
    invoice = make_invoice(customer, 70_000)
    payment = receive(customer, 100_000, cashier)
    assert (state_of(invoice), money_of(customer)) == ([("paid", 70_000)], (30_000, 0))
    done = take_back(payment, boss)
    assert (done.status, done.amount, done.requested_by, done.decided_by, done.decided_at) == (
        "posted", 100_000, boss, None, LATER,
    )  # fmt: skip
    assert done.entry is not None
    assert (done.entry.reverses_id, done.entry.reason, done.entry.method) == (payment.entry_id, "entered twice", "Cash")
    assert legs(done.entry) == [
        (f"cash:{cashier.pk}", -100_000), ("wallet", 30_000), ("receivable", 70_000),
    ]  # fmt: skip
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("open", 0)], (0, 70_000), 0)
    assert (status_of(payment), refundable_amount(payment), drawer_amount(boss.pk)) == ("reversed", 0, 0)
    assert take_back(payment, boss) == done, "the same form sent twice is one reversal"
    with pytest.raises(TransitionError) as again:
        take_back(payment, cashier, "b2")
    assert (again.value.code, JournalEntry.objects.filter(kind="reversal").count()) == ("payment.taken_back", 1)
    log = ActivityLog.objects.get(action="reversal.asked")
    assert (log.user, log.details["amount"], log.details["reference"]) == (boss, "100000.00", payment.reference)


def test_bills_that_its_balance_paid_since_are_owed_again_too(customer: Customer, cashier: User, boss: User) -> None:
    first = make_invoice(customer, 30_000, EARLY)
    payment = receive(customer, 90_000, cashier)
    second = make_invoice(customer, 50_000, LATE)
    balance_apply([customer.pk], now=NOW)
    assert (state_of(first, second), money_of(customer)) == ([("paid", 30_000), ("paid", 50_000)], (10_000, 0))
    take_back(payment, boss)
    assert (state_of(first, second), money_of(customer)) == ([("open", 0), ("open", 0)], (0, 80_000))
    assert drawer_amount(cashier.pk) == 0


def test_the_other_one_of_two_equal_payments_still_pays(customer: Customer, cashier: User, boss: User) -> None:
    """Entered twice, and the first one is taken back: the second is his balance, so no bill opens for a moment."""
    invoice = make_invoice(customer, 50_000)
    first, second = receive(customer, 50_000, cashier), receive(customer, 50_000, cashier, "k2")
    take_back(first, boss)
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("paid", 50_000)], (0, 0), 50_000)
    assert (status_of(first), status_of(second)) == ("reversed", "confirmed")


def test_what_was_given_back_before_stays_given_back(customer: Customer, cashier: User, boss: User) -> None:
    invoice = make_invoice(customer, 60_000)
    payment = receive(customer, 100_000, cashier)
    payment_refund(payment, amount=45_000, reason="moved", request_key="r1", now=NOW, actor=cashier)
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == (
        [("open", 55_000)],
        (0, 5_000),
        55_000,
    )
    done = take_back(payment, boss)
    assert (done.amount, legs(done.entry)) == (55_000, [(f"cash:{cashier.pk}", -55_000), ("receivable", 55_000)])
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("open", 0)], (0, 60_000), 0)


def test_all_given_back_leaves_nothing_to_take_back(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 100, cashier)
    payment_refund(payment, amount=100, reason="moved", request_key="r1", now=NOW, actor=cashier)
    with pytest.raises(TransitionError) as refusal:
        take_back(payment, boss)
    assert (refusal.value.code, status_of(payment), Reversal.objects.count()) == (
        "reversal.nothing_left", "confirmed", 0,
    )  # fmt: skip


def test_a_reversed_payment_is_neither_refunded_nor_cancelled_nor_confirmed_again(
    customer: Customer, cashier: User, boss: User
) -> None:
    payment = Payment.objects.create(customer=customer, method=methods_seed(), amount=500)
    with pytest.raises(TransitionError) as early:
        take_back(payment, boss)
    assert early.value.code == "reversal.not_paid"
    assert payment_confirm(payment, into_account="bank:bca", now=NOW)
    payment.refresh_from_db()
    take_back(payment, boss)
    assert (account_amount("bank:bca"), money_of(customer)) == (0, (0, 0)), "money of a bank leaves the bank"
    with pytest.raises(TransitionError) as refund:
        payment_refund(payment, amount=1, reason="x", request_key="r1", now=LATER, actor=cashier)
    with pytest.raises(TransitionError) as cancel:
        payment_cancel(payment, now=LATER, actor=cashier)
    assert (refund.value.code, cancel.value.code) == ("payment.taken_back", "payment.confirmed")
    assert payment_confirm(payment, into_account="bank:bca", now=LATER) is False
    assert (status_of(payment), money_of(customer)) == ("reversed", (0, 0))


def test_the_service_that_it_opened_is_held_back_in_the_same_moment(cashier: User, boss: User) -> None:
    pos = world.place()
    row = world.service(pos, world.plan(pos, grace_days=0), NOW.date())
    world.night(pos, NOW.date() + timedelta(days=1))
    assert world.state(row) == ("isolated", True)
    payment = receive(row.customer, 150_000, cashier)
    assert world.state(row) == ("active", False)
    reversal_ask(payment, reason="x", request_key="b1", now=NOW + timedelta(days=1), actor=boss)
    assert world.state(row) == ("active", False), "above the limit nothing happens before it is approved"
    reversal_decide(Reversal.objects.get(), is_approved=True, now=NOW + timedelta(days=1), actor=cashier)
    assert world.state(row) == ("isolated", True)
    assert world.kinds(row)[-3:] == ["isolated", "reopened", "isolated"]


# --- where the money is ---------------------------------------------------------------------------------------------


def test_a_drawer_that_was_counted_since_stays_as_it_was_counted(customer: Customer, cashier: User, boss: User) -> None:
    """The money was never there: its count found it missing, and taking the payment back undoes that shortage."""
    shift = shift_open(counted=20_000, from_owner=20_000, now=NOW, actor=cashier)
    payment = receive(customer, 50_000, cashier)
    shift_count(shift, counted=20_000, now=NOW + timedelta(minutes=30), actor=cashier)
    assert (drawer_amount(cashier.pk), account_amount(chart.CASH_DIFFERENCE)) == (20_000, 50_000)
    assert reversal_preview(payment).money_at == "counted"
    done = take_back(payment, boss)
    assert (drawer_amount(cashier.pk), account_amount(chart.CASH_DIFFERENCE)) == (20_000, 0)
    moved = JournalEntry.objects.get(source=f"reversal_difference:{done.entry_id}")
    assert legs(moved) == [(f"cash:{cashier.pk}", 50_000), ("cash_difference", -50_000)]
    assert legs(done.entry) == [(f"cash:{cashier.pk}", -50_000), ("wallet", 50_000)]
    shift.refresh_from_db()
    assert (shift.counted_amount, shift.expected_amount) == (20_000, 70_000), "what was counted stays written"


def test_a_drawer_opened_anew_was_counted_too(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 50_000, cashier)
    shift_open(counted=50_000, now=NOW + timedelta(minutes=1), actor=cashier)
    take_back(payment, boss)
    assert (drawer_amount(cashier.pk), account_amount(chart.CASH_DIFFERENCE)) == (50_000, -50_000)


def test_money_that_was_handed_over_since_is_nobodys_until_it_is_explained(
    customer: Customer, cashier: User, boss: User
) -> None:
    payment = receive(customer, 50_000, cashier)
    cash_hand_over(amount=50_000, request_key="h1", now=NOW, actor=cashier)
    assert reversal_preview(payment).money_at == "handed_over"
    take_back(payment, boss)
    assert [account_amount(a) for a in (chart.cash(cashier.pk), chart.OWNER, chart.CASH_DIFFERENCE)] == [
        0, 50_000, -50_000,
    ]  # fmt: skip
    assert money_of(customer) == (0, 0)


# --- two people -----------------------------------------------------------------------------------------------------


def test_above_the_limit_a_second_person_decides(customer: Customer, cashier: User, boss: User) -> None:
    invoice = make_invoice(customer, 100_001)
    payment = receive(customer, 100_001, cashier)
    waiting = take_back(payment, boss)
    assert (waiting.status, waiting.entry, status_of(payment), state_of(invoice)) == (
        "waiting", None, "confirmed", [("paid", 100_001)],
    )  # fmt: skip
    with pytest.raises(TransitionError) as twice:
        take_back(payment, cashier, "b2")
    with pytest.raises(DomainError) as same:
        reversal_decide(waiting, is_approved=True, now=LATER, actor=boss)
    assert (twice.value.code, same.value.code, same.value.status) == ("reversal.asked", "reversal.same_person", 403)
    assert money_of(customer) == (0, 0)
    done = reversal_decide(waiting, is_approved=True, now=LATER, actor=cashier)
    assert (done.status, done.decided_by, status_of(payment)) == ("posted", cashier, "reversed")
    assert (state_of(invoice), money_of(customer)) == ([("open", 0)], (0, 100_001))
    with pytest.raises(TransitionError) as late:
        reversal_decide(waiting, is_approved=False, now=LATER, actor=cashier)
    assert late.value.code == "reversal.decided"


def test_rejected_nothing_moves_and_it_may_be_asked_again(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 200_000, cashier)
    first = reversal_decide(take_back(payment, boss), is_approved=False, now=LATER, actor=boss)
    assert (first.status, status_of(payment), money_of(customer)) == ("rejected", "confirmed", (200_000, 0))
    second = reversal_decide(take_back(payment, boss, "b2"), is_approved=True, now=LATER, actor=cashier)
    assert (second.status, money_of(customer), drawer_amount(cashier.pk)) == ("posted", (0, 0), 0)


def test_what_was_asked_is_what_is_approved(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 200_000, cashier)
    waiting = take_back(payment, boss)
    payment_refund(payment, amount=150_000, reason="moved", request_key="r1", now=LATER, actor=cashier)
    with pytest.raises(TransitionError) as refusal:
        reversal_decide(waiting, is_approved=True, now=LATER, actor=cashier)
    assert (refusal.value.code, status_of(payment), money_of(customer)) == (
        "reversal.changed", "confirmed", (50_000, 0),
    )  # fmt: skip
    reversal_decide(waiting, is_approved=False, now=LATER, actor=cashier)
    assert take_back(payment, boss, "b2").status == "posted"
    assert (money_of(customer), drawer_amount(cashier.pk)) == ((0, 0), 0)


def test_a_reason_and_a_key_of_its_own(customer: Customer, cashier: User, boss: User) -> None:
    payment, other = receive(customer, 100, cashier), receive(customer, 100, cashier, "k2")
    with pytest.raises(DomainError) as no_reason:
        take_back(payment, boss, reason="  ")
    assert (no_reason.value.code, list(no_reason.value.fields)) == ("reversal.reason", ["reason"])
    take_back(payment, boss)
    with pytest.raises(DomainError) as reused:
        take_back(other, boss)
    assert (reused.value.code, reused.value.status, status_of(other)) == (
        "reversal.request_key_reused", 409, "confirmed",
    )  # fmt: skip


# --- what is shown --------------------------------------------------------------------------------------------------


def test_what_it_will_do_is_said_before_and_is_what_happens(customer: Customer, cashier: User, boss: User) -> None:
    invoice = make_invoice(customer, 60_000)
    payment = receive(customer, 100_000, cashier)
    payment_refund(payment, amount=10_000, reason="x", request_key="r1", now=NOW, actor=cashier)
    setting_change("billing.adjustment_limit", "50000")
    customer.refresh_from_db()
    assert reversal_sentences(reversal_preview(payment), customer) == [
        "IDR 10,000 of it was given back before; IDR 90,000 is taken back",
        f"IDR 60,000 of invoice {invoice.number} is owed again; IDR 60,000 of it is open then",
        "services follow the due dates of these bills at once: what is overdue is held back",
        "The customer then: Owes IDR 60,000",
        "IDR 90,000 leaves Cash drawer of siti, where it was booked",
        "above IDR 50,000 a second person has to approve it; nothing happens before",
    ]
    assert (state_of(invoice), money_of(customer)) == ([("paid", 60_000)], (30_000, 0)), "looking changes nothing"
    reversal_decide(take_back(payment, boss), is_approved=True, now=LATER, actor=cashier)
    assert (state_of(invoice), money_of(customer), drawer_amount(cashier.pk)) == ([("open", 0)], (0, 60_000), 0)


def test_its_receipt_says_that_it_is_not_valid(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 100, cashier)
    take_back(payment, boss)
    payment.refresh_from_db()
    receipt = receipt_of(payment)
    assert receipt is not None
    assert receipt.lines[1] == "NOT VALID: taken back 22 Nov 2026 15.00"


# --- the database and the ledger check ------------------------------------------------------------------------------


def test_the_database_keeps_status_and_entry_together(customer: Customer, cashier: User, boss: User) -> None:
    payment = receive(customer, 100, cashier)
    with transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(status="reversed")
        assert list(unposted()) == ["unposted_reversals"], "a status alone is no reversal"
        transaction.set_rollback(True)
    done = take_back(payment, boss)
    for statement in (
        "UPDATE payments_payment SET entry_id = NULL",
        "UPDATE payments_reversal SET entry_id = NULL",
        "UPDATE payments_reversal SET status = 'waiting', decided_at = NULL",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(IntegrityError, match="payments_reversal_once"), transaction.atomic():
        Reversal.objects.create(payment=payment, amount=1, reason="x", requested_at=LATER, request_key="z")
    with pytest.raises(IntegrityError, match="is decided: UPDATE is refused"), transaction.atomic():
        Reversal.objects.filter(pk=done.pk).update(amount=99)
    assert unposted() == {}

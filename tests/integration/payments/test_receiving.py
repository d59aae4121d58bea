"""Cash in, cash back: once, exactly, and in the right drawer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation

from accounts.choices import Role
from accounts.models import ActivityLog, User
from billing.ledger.checking import ledger_check
from billing.models import JournalEntry
from billing.services.drawers import drawer_amount
from core.errors import DomainError, TransitionError
from customers.models import Customer
from payments.choices import PaymentStatus
from payments.models import Payment, PaymentMethod, Refund
from payments.services import (
    cash_method,
    methods_seed,
    payment_cancel,
    payment_confirm,
    payment_receive_cash,
    payment_refund,
    refundable_amount,
)
from payments.words import method_name, receipt_of
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def cashier() -> User:
    return User.objects.create_user("siti", role=Role.OPERATOR)


def receive(customer: Customer, amount: Any, cashier: User, key: str = "k1", **fields: Any) -> Payment:
    return payment_receive_cash(customer=customer, amount=amount, request_key=key, now=NOW, actor=cashier, **fields)


def refund(payment: Payment, amount: Any, cashier: User, key: str = "r1", reason: str = "moved away") -> Refund:
    return payment_refund(payment, amount=amount, reason=reason, request_key=key, now=NOW, actor=cashier)


def test_cash_for_the_oldest_debts(customer: Customer, cashier: User) -> None:
    old, new = make_invoice(customer, 100, date(2026, 10, 1)), make_invoice(customer, 100, date(2026, 11, 1))
    payment = receive(customer, 150, cashier)
    assert (payment.status, payment.confirmed_at, payment.received_by) == ("confirmed", NOW, cashier)
    assert payment.entry is not None
    assert (payment.entry.source, payment.entry.method) == (f"payment:{payment.pk}", "Cash")
    assert (state_of(old, new), drawer_amount(cashier.pk)) == ([("paid", 100), ("open", 50)], 150)
    log = ActivityLog.objects.get(action="payment.received")
    assert (log.user, log.details["amount"]) == (cashier, "150")


def test_cash_for_an_invoice_or_for_the_balance(customer: Customer, cashier: User) -> None:
    old, new = make_invoice(customer, 100, date(2026, 10, 1)), make_invoice(customer, 100, date(2026, 11, 1))
    payment = receive(customer, 100, cashier, invoice=new)
    assert (payment.invoice, state_of(old, new)) == (new, [("open", 0), ("paid", 100)])
    receive(customer, 70, cashier, "k2", is_for_balance=True)
    assert (money_of(customer), state_of(old)) == ((70, 100), [("open", 0)])


def test_a_form_that_is_sent_twice_is_one_payment(customer: Customer, cashier: User) -> None:
    first = receive(customer, 100, cashier)
    assert receive(customer, 100, cashier) == first
    with pytest.raises(DomainError) as refusal:
        receive(customer, 101, cashier)
    with pytest.raises(DomainError):
        receive(make_customer("Pak Budi"), 100, cashier)
    assert (refusal.value.code, refusal.value.status) == ("payment.request_key_reused", 409)
    assert (Payment.objects.count(), drawer_amount(cashier.pk)) == (1, 100)


@pytest.mark.parametrize(
    "amount", [0, -1, "NaN", "-NaN", "1e309", "Infinity", "0.5", "10.01", 10**13, "1,5", "", "１00a", " "]
)
def test_amounts_that_are_none(customer: Customer, cashier: User, amount: Any) -> None:
    with pytest.raises(DomainError) as refusal:
        receive(customer, amount, cashier)
    assert list(refusal.value.fields) == ["amount"]
    assert (Payment.objects.count(), JournalEntry.objects.count()) == (0, 0)


def test_limits_and_state_of_the_method(customer: Customer, cashier: User) -> None:
    method = methods_seed()
    assert methods_seed() == cash_method() == method
    PaymentMethod.objects.update(minimum=10, maximum=100)
    for amount, code in ((9, "payment.too_small"), (101, "payment.too_large")):
        with pytest.raises(DomainError) as refusal:
            receive(customer, amount, cashier)
        assert refusal.value.code == code
    PaymentMethod.objects.update(is_active=False)
    with pytest.raises(DomainError) as off:
        receive(customer, 50, cashier)
    assert off.value.code == "payment.method_off"
    assert methods_seed() == method, "a method that was switched off stays switched off"
    with pytest.raises(DomainError):
        receive(customer, 50, cashier, method=PaymentMethod.objects.get())
    assert Payment.objects.count() == 0


def test_a_refund_takes_the_balance_first_and_never_more_than_the_payment(customer: Customer, cashier: User) -> None:
    invoice = make_invoice(customer, 100)
    payment = receive(customer, 130, cashier)
    assert refundable_amount(payment) == 130
    first = refund(payment, 50, cashier)
    assert refund(payment, 50, cashier) == first
    assert (money_of(customer), state_of(invoice)) == ((0, 20), [("open", 80)])
    assert (drawer_amount(cashier.pk), refundable_amount(payment)) == (80, 80)
    receive(customer, 500, cashier, "k2")
    with pytest.raises(DomainError) as refusal:
        refund(payment, 81, cashier, "r2")
    assert refusal.value.code == "refund.too_much"
    with pytest.raises(DomainError) as reused:
        refund(payment, 51, cashier, "r1")
    assert reused.value.code == "refund.request_key_reused"
    assert Refund.objects.count() == 1


def test_refunds_that_cannot_be(customer: Customer, cashier: User) -> None:
    payment = receive(customer, 100, cashier)
    poor = User.objects.create_user("andi")
    cases = [
        (10, poor, "x", "cash.not_enough"), (10, cashier, " ", "refund.reason"), (0, cashier, "x", "money.amount"),
        ("0.5", cashier, "x", "money.fraction"),
    ]  # fmt: skip
    for amount, who, reason, code in cases:
        with pytest.raises(DomainError) as refusal:
            refund(payment, amount, who, reason=reason)
        assert refusal.value.code == code
    assert (Refund.objects.count(), money_of(customer)) == (0, (100, 0))


def pending(customer: Customer, amount: int = 100) -> Payment:
    return Payment.objects.create(customer=customer, method=methods_seed(), amount=amount)


def test_waiting_payments_are_cancelled_and_late_money_still_counts(customer: Customer, cashier: User) -> None:
    payment = pending(customer)
    with pytest.raises(TransitionError):
        refund(payment, 1, cashier)
    assert payment_cancel(payment, now=NOW, actor=cashier).status == PaymentStatus.CANCELLED
    with pytest.raises(TransitionError):
        payment_cancel(payment, now=NOW, actor=cashier)
    assert payment_confirm(payment, into_account="bank:bca", now=NOW) is True
    assert payment_confirm(payment, into_account="bank:bca", now=NOW) is False
    assert money_of(customer) == (100, 0)
    with pytest.raises(TransitionError) as refusal:
        payment_cancel(payment, now=NOW, actor=cashier)
    assert refusal.value.code == "payment.confirmed"


def test_a_failing_step_leaves_nothing(customer: Customer, cashier: User) -> None:
    stranger = make_invoice(make_customer("Pak Budi"), 100)
    with pytest.raises(DomainError):
        receive(customer, 100, cashier, invoice=stranger)
    assert (Payment.objects.count(), drawer_amount(cashier.pk)) == (0, 0)
    assert not ActivityLog.objects.filter(action="payment.received").exists()


@override_settings(CURRENCY="IDR")
def test_the_receipt(customer: Customer, cashier: User) -> None:
    invoice = make_invoice(customer, 100_000)
    payment = receive(customer, 130_000, cashier)
    receipt = receipt_of(Payment.objects.get(pk=payment.pk))
    assert receipt is not None
    assert receipt.lines == [
        "MikroTik Billing", f"Receipt {payment.reference}", "22 Nov 2026 14.00", "From: Bu Sri", "Paid: IDR 130,000 (Cash)",
        f"For invoice {invoice.number}: IDR 100,000", "Kept as balance: IDR 30,000", "Taken by: siti",
        "Now: IDR 30,000 in credit",
    ]  # fmt: skip
    assert receipt_of(pending(customer)) is None
    with translation.override("id"):
        assert method_name(payment.method) != ""

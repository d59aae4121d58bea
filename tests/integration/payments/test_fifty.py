"""Fifty at once on the money of one customer: the end is known to the rupiah, and each thing happened once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import Allocation, Invoice, JournalEntry
from billing.services.drawers import drawer_amount
from billing.services.invoices import invoice_use_balance
from customers.models import Customer
from payments.models import Payment, Refund
from payments.services import methods_seed, payment_receive_cash, payment_refund
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of
from tests.racing import Job, together

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 50


@pytest.fixture
def cashiers() -> list[User]:
    methods_seed()
    return [User.objects.create_user(f"kasir{number}") for number in range(PEOPLE)]


def top_up(customer: Customer, number: int, who: User) -> Job:
    return lambda: payment_receive_cash(
        customer=customer, amount=1_000 + number, request_key=f"up-{number}", now=NOW, actor=who, is_for_balance=True
    )


def spend(invoice: Invoice) -> Job:
    return lambda: invoice_use_balance(invoice, now=NOW, actor=None)


def give_back(payment: Payment, number: int, who: User) -> Job:
    return lambda: payment_refund(payment, amount=500, reason="moved", request_key=f"back-{number}", now=NOW, actor=who)


def test_fifty_top_up_and_spend_one_balance(cashiers: list[User]) -> None:
    """20 put money in, 20 pay a bill from it, 10 give some of the first money back; 5 of them press twice."""
    customer = make_customer()
    first = payment_receive_cash(
        customer=customer, amount=100_000, request_key="first", now=NOW, actor=cashiers[49], is_for_balance=True
    )
    float_of = [
        payment_receive_cash(customer=make_customer(), amount=500, request_key=f"f-{n}", now=NOW, actor=cashiers[n])
        for n in range(40, 50)
    ]  # so that each of the ten has the cash to give back
    bills = [make_invoice(customer, 2_000 + 100 * number) for number in range(20)]
    jobs = [top_up(customer, number, cashiers[number]) for number in range(15)]
    jobs += [top_up(customer, number, cashiers[number]) for number in range(5)]  # once more, with the same keys
    jobs += [spend(bill) for bill in bills]
    jobs += [give_back(first, number, cashiers[number]) for number in range(40, 50)]
    assert len(jobs) == PEOPLE
    assert together(*jobs) == ["done"] * PEOPLE
    put_in, spent = sum(1_000 + n for n in range(15)), sum(2_000 + 100 * n for n in range(20))
    assert money_of(customer) == (100_000 + put_in - spent - 5_000, 0)
    assert state_of(*bills) == [("paid", 2_000 + 100 * number) for number in range(20)]
    assert Payment.objects.filter(customer=customer).count() == 16
    assert Refund.objects.count() == 10
    kinds = {kind: JournalEntry.objects.filter(kind=kind).count() for kind in ("payment", "settlement", "refund")}
    assert kinds == {"payment": 16 + len(float_of), "settlement": 20, "refund": 10}
    assert sum(drawer_amount(who.pk) for who in cashiers) == Decimal(100_000 + 5_000 + put_in - 5_000)
    assert ledger_check().findings == {}


def test_more_is_asked_of_a_balance_than_it_holds(cashiers: list[User]) -> None:
    """Fifty bills of 1,000 and 20,500 in the balance: twenty are paid, one by half, the others not; never below zero."""
    customer = make_customer()
    payment_receive_cash(
        customer=customer, amount=20_500, request_key="k", now=NOW, actor=cashiers[0], is_for_balance=True
    )
    bills = [make_invoice(customer, 1_000) for _number in range(PEOPLE)]
    outcome = together(*(spend(bill) for bill in bills))
    assert (outcome.count("done"), len(set(outcome))) == (21, 2), outcome
    assert money_of(customer) == (0, 29_500)
    assert sorted(settled for _status, settled in state_of(*bills)) == [0] * 29 + [500] + [1_000] * 20
    assert sum(Allocation.objects.values_list("amount", flat=True)) == 20_500
    assert ledger_check().findings == {}


def test_fifty_pay_one_open_bill(cashiers: list[User]) -> None:
    """It is settled once; what the other forty-nine brought is the customer's balance."""
    customer = make_customer()
    bill = make_invoice(customer, 150_000)
    outcome = together(
        *(
            lambda who=who, n=n: payment_receive_cash(  # type: ignore[misc]
                customer=customer, amount=150_000, request_key=f"k{n}", now=NOW, actor=who, invoice=bill
            )
            for n, who in enumerate(cashiers)
        )
    )
    assert outcome == ["done"] * PEOPLE
    assert state_of(bill) == [("paid", 150_000)]
    assert money_of(customer) == (49 * 150_000, 0)
    assert Allocation.objects.filter(invoice=bill).count() == 1
    assert JournalEntry.objects.filter(kind="payment").count() == Payment.objects.count() == PEOPLE
    assert [drawer_amount(who.pk) for who in cashiers] == [150_000] * PEOPLE
    assert ledger_check().findings == {}

"""Two people at the same moment, on a real PostgreSQL: a payment is taken back once, and its money goes one way only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import JournalEntry
from billing.services.cash import shift_count, shift_open
from billing.services.drawers import account_amount, drawer_amount
from billing.services.settling import balance_apply
from core.settings_registry import setting_change
from customers.models import Customer
from payments.models import Payment, Refund, Reversal
from payments.services import payment_receive_cash, payment_refund, reversal_ask, reversal_decide
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of
from tests.racing import Job, together

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=1)
ROUNDS = 8  # each meets the others in another order


@pytest.fixture
def people() -> tuple[User, User, User]:
    setting_change("billing.adjustment_limit", "100000")
    return tuple(User.objects.create_user(name) for name in ("siti", "ani", "budi"))  # type: ignore[return-value]


def paid(customer: Customer, amount: int, cashier: User, key: str) -> Payment:
    return payment_receive_cash(customer=customer, amount=amount, request_key=key, now=NOW, actor=cashier)


def back(payment: Payment, actor: User, key: str) -> Job:
    return lambda: reversal_ask(payment, reason="entered twice", request_key=key, now=LATER, actor=actor)


def refund(payment: Payment, amount: int, actor: User, key: str) -> Job:
    return lambda: payment_refund(payment, amount=amount, reason="moved", request_key=key, now=LATER, actor=actor)


def test_two_people_take_the_same_payment_back(people: tuple[User, User, User]) -> None:
    siti, ani, budi = people
    for n in range(ROUNDS):
        customer = make_customer()
        invoice = make_invoice(customer, 60_000)
        payment = paid(customer, 80_000, siti, f"k{n}")
        outcome = together(back(payment, ani, f"a{n}"), back(payment, budi, f"b{n}"), back(payment, budi, f"b{n}"))
        assert outcome.count("done") in {1, 2}, outcome  # two when Budi, who pressed twice, came first
        assert set(outcome) <= {"done", "payment.taken_back"}
        assert Reversal.objects.filter(payment=payment).count() == 1
        assert JournalEntry.objects.filter(reverses=payment.entry).count() == 1
        assert (state_of(invoice), money_of(customer), drawer_amount(siti.pk)) == ([("open", 0)], (0, 60_000), 0)
    assert ledger_check().findings == {}


def test_two_people_decide_about_the_same_reversal(people: tuple[User, User, User]) -> None:
    siti, ani, budi = people
    for n in range(ROUNDS):
        customer = make_customer()
        payment = paid(customer, 200_000, siti, f"k{n}")
        waiting: Reversal = back(payment, siti, f"a{n}")()  # type: ignore[assignment]
        decide = [
            lambda who=who, yes=yes, waiting=waiting: reversal_decide(waiting, is_approved=yes, now=LATER, actor=who)
            for who, yes in ((ani, True), (budi, False), (budi, True))
        ]
        outcome = together(*decide)
        assert sorted(outcome) == ["done", "reversal.decided", "reversal.decided"]
        waiting.refresh_from_db()
        is_back = waiting.status == "posted"
        assert money_of(customer) == ((0, 0) if is_back else (200_000, 0))
        Payment.objects.get(pk=payment.pk, status="reversed" if is_back else "confirmed")
    assert ledger_check().findings == {}


def test_taking_back_and_refunding_at_the_same_moment(people: tuple[User, User, User]) -> None:
    """Whichever comes first: what left the drawer is what was booked, once."""
    siti, ani, _budi = people
    for n in range(ROUNDS):
        customer = make_customer()
        invoice = make_invoice(customer, 60_000)
        payment = paid(customer, 80_000, siti, f"k{n}")
        outcome = together(back(payment, ani, f"a{n}"), refund(payment, 80_000, siti, f"r{n}"))
        refunds = Refund.objects.filter(payment=payment).count()
        assert outcome in (["done", "payment.taken_back"], ["reversal.nothing_left", "done"])
        assert refunds == (0 if outcome[0] == "done" else 1)
        assert (state_of(invoice), money_of(customer), drawer_amount(siti.pk)) == ([("open", 0)], (0, 60_000), 0)
        part = paid(customer, 90_000, siti, f"p{n}")
        outcome = together(back(part, ani, f"c{n}"), refund(part, 50_000, siti, f"q{n}"))
        assert outcome in (["done", "payment.taken_back"], ["done", "done"])
        assert (state_of(invoice), money_of(customer), drawer_amount(siti.pk)) == ([("open", 0)], (0, 60_000), 0)
    assert ledger_check().findings == {}


def test_taking_back_while_the_customer_pays_and_his_balance_is_spent(people: tuple[User, User, User]) -> None:
    siti, ani, budi = people
    for n in range(ROUNDS):
        customer = make_customer()
        first = make_invoice(customer, 60_000)
        payment = paid(customer, 100_000, siti, f"k{n}")
        second = make_invoice(customer, 30_000)
        outcome = together(
            back(payment, ani, f"a{n}"),
            lambda customer=customer, n=n: paid(customer, 70_000, budi, f"n{n}"),  # type: ignore[misc]
            lambda customer=customer: balance_apply([customer.pk], now=LATER),  # type: ignore[misc]
        )
        assert outcome == ["done", "done", "done"]
        balance_apply([customer.pk], now=LATER)
        # 70,000 came in for 90,000 of bills, in whichever order
        assert money_of(customer) == (0, 20_000)
        assert sum(settled for _status, settled in state_of(first, second)) == 70_000
        assert (drawer_amount(siti.pk), drawer_amount(budi.pk)) == (0, 70_000 * (n + 1))
    assert ledger_check().findings == {}


def test_taking_back_while_its_drawer_is_counted(people: tuple[User, User, User]) -> None:
    """The money was never there. Before or after the count: the drawer holds what was counted, and nothing is missing."""
    siti, ani, _budi = people
    for n in range(ROUNDS):
        customer = make_customer()
        shift = shift_open(counted=10_000, from_owner=10_000 if n == 0 else 0, now=NOW + timedelta(days=n), actor=siti)
        at = NOW + timedelta(days=n, minutes=1)
        payment = payment_receive_cash(customer=customer, amount=50_000, request_key=f"k{n}", now=at, actor=siti)
        outcome = together(
            lambda payment=payment, n=n: reversal_ask(  # type: ignore[misc]
                payment, reason="never came", request_key=f"a{n}", now=NOW + timedelta(days=n, hours=1), actor=ani
            ),
            lambda shift=shift, n=n: shift_count(  # type: ignore[misc]
                shift, counted=10_000, now=NOW + timedelta(days=n, hours=1), actor=siti
            ),
        )
        assert outcome == ["done", "done"]
        assert (drawer_amount(siti.pk), account_amount("cash_difference"), money_of(customer)) == (10_000, 0, (0, 0))
    assert ledger_check().findings == {}

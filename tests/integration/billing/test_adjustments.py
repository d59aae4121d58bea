"""Corrections by hand: a reason, a limit, a second person; and what they do to balance and bills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import Adjustment, Invoice, JournalEntry
from billing.services.adjustments import adjustment_ask, adjustment_decide
from core.errors import DomainError, TransitionError
from core.settings_registry import setting_change
from customers.models import Customer
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    setting_change("billing.adjustment_limit", "100000")
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def people() -> tuple[User, User]:
    return User.objects.create_user("asks"), User.objects.create_user("decides")


def ask(
    customer: Customer, amount: Any, key: str = "a1", reason: str = "outage", actor: User | None = None
) -> Adjustment:
    return adjustment_ask(customer=customer, amount=amount, reason=reason, request_key=key, now=NOW, actor=actor)


def test_in_his_favour_it_becomes_balance(customer: Customer) -> None:
    adjustment = ask(customer, 100_000)
    assert (adjustment.status, adjustment.decided_by, adjustment.decided_at) == ("posted", None, NOW)
    assert money_of(customer) == (100_000, 0)
    assert ask(customer, 100_000) == adjustment
    assert money_of(customer) == (100_000, 0)


def test_in_his_favour_it_lowers_what_he_owes(customer: Customer) -> None:
    invoice = make_invoice(customer, 150_000)
    ask(customer, 60_000)
    assert (money_of(customer), state_of(invoice)) == ((0, 90_000), [("open", 60_000)])


def test_against_him_it_is_a_bill_his_balance_pays_as_far_as_it_reaches(customer: Customer) -> None:
    ask(customer, 30_000)
    adjustment = ask(customer, -50_000, "a2", "router broken by him")
    invoice = Invoice.objects.get(source=f"adjustment:{adjustment.pk}")
    assert (int(invoice.total), invoice.lines.get().text) == (50_000, "router broken by him")
    assert (money_of(customer), state_of(invoice)) == ((0, 20_000), [("open", 30_000)])


def test_above_the_limit_a_second_person_decides(customer: Customer, people: tuple[User, User]) -> None:
    asks, decides = people
    adjustment = ask(customer, 100_001, actor=asks)
    assert (adjustment.status, money_of(customer), JournalEntry.objects.count()) == ("waiting", (0, 0), 0)
    with pytest.raises(DomainError) as refusal:
        adjustment_decide(adjustment, is_approved=True, now=NOW, actor=asks)
    assert (refusal.value.code, money_of(customer)) == ("adjustment.same_person", (0, 0))
    done = adjustment_decide(adjustment, is_approved=True, now=NOW, actor=decides)
    assert (done.status, done.decided_by, money_of(customer)) == ("posted", decides, (100_001, 0))
    with pytest.raises(TransitionError) as late:
        adjustment_decide(adjustment, is_approved=False, now=NOW, actor=decides)
    assert (late.value.code, money_of(customer)) == ("adjustment.decided", (100_001, 0))


def test_rejected_nothing_moves_and_the_one_who_asked_may_take_it_back(
    customer: Customer, people: tuple[User, User]
) -> None:
    adjustment = ask(customer, -200_000, actor=people[0])
    assert adjustment_decide(adjustment, is_approved=False, now=NOW, actor=people[0]).status == "rejected"
    assert (money_of(customer), Invoice.objects.count(), JournalEntry.objects.count()) == ((0, 0), 0, 0)


@pytest.mark.parametrize(
    ("amount", "reason", "code"),
    [
        (0, "x", "money.amount"), ("NaN", "x", "money.invalid"), ("1e309", "x", "money.invalid"),
        ("-0.5", "x", "money.fraction"), (-(10**12) - 1, "x", "money.too_large"), (5, "  ", "adjustment.reason"),
    ],
)  # fmt: skip
def test_what_is_refused(customer: Customer, amount: Any, reason: str, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        ask(customer, amount, reason=reason)
    assert (refusal.value.code, Adjustment.objects.count()) == (code, 0)

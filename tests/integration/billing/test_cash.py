"""Drawers: shifts from opening to hand-over, expenses, and that the ledger says what lies where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import CashShift, Expense, ExpenseCategory, JournalEntry
from billing.services.cash import cash_hand_over, shift_count, shift_hand_over, shift_open
from billing.services.drawers import account_amount, drawer_amount
from billing.services.expenses import expense_reverse, expense_write
from core.errors import DomainError, TransitionError
from core.settings_registry import setting_change
from payments.services import payment_receive_cash
from tests.integration.billing.money import NOW, make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def cashier() -> User:
    return User.objects.create_user("siti", role=Role.OPERATOR)


@pytest.fixture
def other() -> User:
    return User.objects.create_user("andi", role=Role.OPERATOR)


def take(cashier: User, amount: int, key: str = "k1") -> None:
    payment_receive_cash(customer=make_customer(), amount=amount, request_key=key, now=NOW, actor=cashier)


def entry_kinds() -> list[tuple[str, str]]:
    return list(JournalEntry.objects.order_by("pk").values_list("kind", "source"))


def test_a_shift_from_opening_to_hand_over(cashier: User, other: User) -> None:
    shift = shift_open(counted=200_000, from_owner=200_000, now=NOW, actor=cashier)
    assert (shift.opening_amount, drawer_amount(cashier.pk), account_amount(chart.OWNER)) == (
        200_000,
        200_000,
        -200_000,
    )
    take(cashier, 150_000)
    shift = shift_count(shift, counted=345_000, now=NOW, actor=cashier)
    assert (shift.status, shift.expected_amount, shift.difference) == ("counted", 350_000, -5_000)
    assert (drawer_amount(cashier.pk), account_amount(chart.CASH_DIFFERENCE)) == (345_000, 5_000)
    shift = shift_hand_over(shift, amount=145_000, to_user=other, now=NOW, actor=cashier)
    assert (shift.status, shift.handed_over_amount, shift.handed_over_to) == ("handed_over", 145_000, other)
    assert (drawer_amount(cashier.pk), drawer_amount(other.pk)) == (200_000, 145_000)
    again = shift_open(counted=200_000, now=NOW, actor=cashier)
    assert [source for _kind, source in entry_kinds() if source == f"shift_opening:{again.pk}"] == []


def test_a_difference_at_opening_is_posted(cashier: User) -> None:
    take(cashier, 100)
    shift = shift_open(counted=90, now=NOW, actor=cashier)
    assert ("cash_difference", f"shift_opening:{shift.pk}") in entry_kinds()
    assert (drawer_amount(cashier.pk), account_amount(chart.CASH_DIFFERENCE)) == (90, 10)


def test_one_open_shift_each(cashier: User, other: User) -> None:
    shift = shift_open(counted=0, now=NOW, actor=cashier)
    with pytest.raises(TransitionError) as refusal:
        shift_open(counted=0, now=NOW, actor=cashier)
    assert refusal.value.code == "cash.shift_open"
    shift_open(counted=0, now=NOW, actor=other)
    shift_count(shift, counted=0, now=NOW, actor=cashier)
    with pytest.raises(TransitionError):
        shift_count(shift, counted=0, now=NOW, actor=cashier)
    assert (CashShift.objects.filter(status="open").count(), JournalEntry.objects.count()) == (1, 0)


def test_the_shift_of_another_is_none_of_his_business(cashier: User, other: User) -> None:
    roles_sync()
    shift = shift_open(counted=0, now=NOW, actor=cashier)
    with pytest.raises(DomainError) as refusal:
        shift_count(shift, counted=0, now=NOW, actor=other)
    assert (refusal.value.code, refusal.value.status) == ("cash.not_yours", 404)
    boss = User.objects.create_superuser("boss")
    assert shift_count(shift, counted=0, now=NOW, actor=boss).status == "counted"


def test_handing_over_more_than_there_is(cashier: User, other: User) -> None:
    take(cashier, 100)
    shift = shift_count(shift_open(counted=100, now=NOW, actor=cashier), counted=100, now=NOW, actor=cashier)
    for amount, to, code in (
        (101, other, "cash.not_enough"),
        (50, cashier, "cash.same_drawer"),
        (0, other, "money.amount"),
    ):
        with pytest.raises(DomainError) as refusal:
            shift_hand_over(shift, amount=amount, to_user=to, now=NOW, actor=cashier)
        assert refusal.value.code == code
    with pytest.raises(DomainError) as refusal:
        shift_hand_over(shift, amount=50, to_bank="Bank BCA!", now=NOW, actor=cashier)
    assert refusal.value.code == "cash.bank"
    shift_hand_over(shift, amount=60, to_bank="BCA", now=NOW, actor=cashier)
    assert (drawer_amount(cashier.pk), account_amount("bank:bca")) == (40, 60)
    with pytest.raises(TransitionError):
        shift_hand_over(shift, amount=40, now=NOW, actor=cashier)


def test_hand_over_without_shifts_and_once(cashier: User, other: User) -> None:
    take(cashier, 100)
    first = cash_hand_over(amount=70, request_key="h1", to_user=other, now=NOW, actor=cashier)
    assert cash_hand_over(amount=70, request_key="h1", to_user=other, now=NOW, actor=cashier) == first
    assert (drawer_amount(cashier.pk), drawer_amount(other.pk)) == (30, 70)
    with pytest.raises(DomainError, match="Only"):
        cash_hand_over(amount=31, request_key="h2", now=NOW, actor=cashier)


def test_no_cash_without_a_shift_where_the_setting_asks_for_one(cashier: User) -> None:
    setting_change("billing.cash_needs_shift", "yes")
    with pytest.raises(TransitionError) as refusal:
        take(cashier, 100)
    assert (refusal.value.code, drawer_amount(cashier.pk)) == ("cash.no_shift", 0)
    shift_open(counted=0, now=NOW, actor=cashier)
    take(cashier, 100)
    assert drawer_amount(cashier.pk) == 100


@pytest.fixture
def fuel() -> ExpenseCategory:
    return ExpenseCategory.objects.create(code="fuel", name="Fuel")


def spend(cashier: User, fuel: ExpenseCategory, amount: Any = 30, key: str = "e1", **fields: Any) -> Expense:
    values: dict[str, Any] = {"spent_on": NOW.date(), "paid_from": chart.cash(cashier.pk)} | fields
    return expense_write(category=fuel, amount=amount, now=NOW, actor=cashier, request_key=key, **values)


def test_an_expense_out_of_the_drawer_and_back(cashier: User, fuel: ExpenseCategory) -> None:
    take(cashier, 100)
    expense = spend(cashier, fuel)
    assert spend(cashier, fuel) == expense
    assert (drawer_amount(cashier.pk), account_amount("expense:fuel")) == (70, 30)
    back = expense_reverse(expense, reason="counted twice", now=NOW, actor=cashier)
    assert (back.reversed_at, drawer_amount(cashier.pk), account_amount("expense:fuel")) == (NOW, 100, 0)
    with pytest.raises(TransitionError) as refusal:
        expense_reverse(expense, reason="again", now=NOW, actor=cashier)
    assert (refusal.value.code, drawer_amount(cashier.pk)) == ("expense.reversed", 100)


def test_an_expense_counts_on_its_own_day(cashier: User, fuel: ExpenseCategory) -> None:
    expense = spend(cashier, fuel, paid_from="bank:bca", spent_on=date(2026, 10, 30))
    entry = JournalEntry.objects.get(source=f"expense:{expense.pk}")
    assert entry.occurred_at.date() == date(2026, 10, 30)
    assert account_amount("bank:bca") == -30


def test_expenses_that_cannot_be(cashier: User, other: User, fuel: ExpenseCategory) -> None:
    take(cashier, 20)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("cash.not_enough", {"amount": 21}),
        ("expense.paid_from", {"paid_from": chart.cash(other.pk)}),
        ("expense.paid_from", {"paid_from": "wallet"}),
        ("expense.paid_from", {"paid_from": "cash:1; drop"}),
        ("expense.future", {"spent_on": NOW.date() + timedelta(days=2)}),
        ("money.amount", {"amount": 0}),
        ("money.fraction", {"amount": "0.5"}),
        ("request_key", {"key": ""}),
    ]
    for code, fields in cases:
        with pytest.raises(DomainError) as refusal:
            spend(cashier, fuel, **fields)
        assert refusal.value.code == code
    ExpenseCategory.objects.update(is_active=False)
    fuel.refresh_from_db()
    with pytest.raises(DomainError):
        spend(cashier, fuel, amount=5)
    assert (Expense.objects.count(), drawer_amount(cashier.pk)) == (0, 20)

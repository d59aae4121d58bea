"""Money in, money back: what it settles, what stays as balance, and that nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Allocation, JournalEntry, Posting
from billing.services.settling import balance_apply, invoice_pay_from_balance, money_receive, settling_preview
from billing.services.unsettling import money_give_back, settlement_reverse
from core.errors import DomainError, TransitionError
from customers.models import Customer
from tests.integration.billing.money import NOW, make_customer, make_invoice, money_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)
EARLIER, LATER = date(2026, 10, 20), date(2026, 12, 20)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def customer() -> Customer:
    return make_customer()


def receive(customer: Customer, amount: Any, source: str = "money:1", **fields: Any) -> JournalEntry:
    entry, _is_new = money_receive(
        customer_id=customer.pk, amount=amount, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source=source,
        now=NOW, **fields,
    )  # fmt: skip
    return entry


def drawer() -> int:
    return int(sum(Posting.objects.filter(account=chart.cash(7)).values_list("amount", flat=True)))


def test_exact_money_pays_the_invoice(customer: Customer) -> None:
    invoice = make_invoice(customer, 150_000)
    entry = receive(customer, 150_000)
    assert state_of(invoice) == [("paid", 150_000)]
    invoice.refresh_from_db()
    assert (invoice.closed_at, money_of(customer), drawer()) == (NOW, (0, 0), 150_000)
    assert [(p.account, int(p.amount)) for p in entry.postings.order_by("pk")] == [
        ("cash:7", 150_000), ("receivable", -150_000),
    ]  # fmt: skip


def test_less_money_settles_a_part(customer: Customer) -> None:
    invoice = make_invoice(customer, 150_000)
    receive(customer, 60_000)
    assert (state_of(invoice), money_of(customer)) == ([("open", 60_000)], (0, 90_000))


def test_more_money_is_kept_as_balance(customer: Customer) -> None:
    invoice = make_invoice(customer, 150_000)
    receive(customer, 200_000)
    assert (state_of(invoice), money_of(customer)) == ([("paid", 150_000)], (50_000, 0))


def test_oldest_due_first_or_the_given_one(customer: Customer) -> None:
    late, early = make_invoice(customer, 100, LATER), make_invoice(customer, 100, EARLIER)
    receive(customer, 100)
    assert state_of(late, early) == [("open", 0), ("paid", 100)]
    third = make_invoice(customer, 100, date(2027, 1, 1))
    receive(customer, 150, "money:2", invoice_id=third.pk)
    assert state_of(late, third) == [("open", 50), ("paid", 100)]


def test_money_for_the_balance_settles_nothing(customer: Customer) -> None:
    invoice = make_invoice(customer, 100)
    receive(customer, 70, is_for_balance=True)
    assert (state_of(invoice), money_of(customer)) == ([("open", 0)], (70, 100))


def test_money_for_an_invoice_that_is_paid_by_now_settles_the_next(customer: Customer) -> None:
    paid, other = make_invoice(customer, 100), make_invoice(customer, 100, LATER)
    receive(customer, 100)
    receive(customer, 130, "money:2", invoice_id=paid.pk)
    assert (state_of(paid, other), money_of(customer)) == ([("paid", 100), ("paid", 100)], (30, 0))


def test_an_invoice_of_somebody_else_is_refused(customer: Customer) -> None:
    stranger = make_invoice(make_customer("Pak Budi"), 100)
    with pytest.raises(DomainError) as refusal:
        receive(customer, 100, invoice_id=stranger.pk)
    assert refusal.value.code == "payment.invoice_of_other"
    assert (state_of(stranger), drawer()) == ([("open", 0)], 0)


def test_the_same_source_moves_money_once(customer: Customer) -> None:
    first = receive(customer, 100)
    assert receive(customer, 999) == first
    assert (money_of(customer), drawer(), Allocation.objects.count()) == ((100, 0), 100, 0)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "money.amount"), (-5, "money.amount"), ("-0", "money.amount"), ("NaN", "money.invalid"),
        ("Infinity", "money.invalid"), ("1e309", "money.invalid"), ("1e15", "money.too_large"),
        ("10.5", "money.fraction"), ("0.4", "money.fraction"), ("abc", "money.invalid"), ("", "money.invalid"),
        (Decimal("sNaN"), "money.invalid"), (10**12 + 1, "money.too_large"),
    ],
)  # fmt: skip
def test_amounts_that_are_none(customer: Customer, amount: Any, code: str) -> None:
    for act in (receive, lambda who, value: settling_preview(who.pk, value)):
        with pytest.raises(DomainError) as refusal:
            act(customer, amount)
        assert refusal.value.code == code
        assert list(refusal.value.fields) == ["amount"]
    assert (JournalEntry.objects.count(), money_of(customer)) == (0, (0, 0))


def test_money_of_a_merged_customer_goes_to_the_one_that_stayed(customer: Customer) -> None:
    loser = make_customer("Sri lama")
    Customer.objects.filter(pk=loser.pk).update(merged_into=customer)
    loser.refresh_from_db()
    invoice = make_invoice(loser, 100)
    assert money_of(customer) == (0, 100)
    receive(loser, 130, invoice_id=invoice.pk)
    assert (state_of(invoice), money_of(customer), money_of(loser)) == ([("paid", 100)], (30, 0), (0, 0))


def test_the_preview_says_what_happens(customer: Customer) -> None:
    early, late = make_invoice(customer, 100, EARLIER), make_invoice(customer, 100, LATER)
    split = settling_preview(customer.pk, 150)
    assert [(share.invoice, int(share.amount)) for share in split.shares] == [(early, 100), (late, 50)]
    assert settling_preview(customer.pk, 250).rest == 50
    assert not JournalEntry.objects.filter(kind=EntryKind.PAYMENT).exists()


def test_balances_settle_the_oldest_first_and_only_once(customer: Customer) -> None:
    late, early = make_invoice(customer, 100, LATER), make_invoice(customer, 100, EARLIER)
    other = make_customer("Pak Budi")
    owed = make_invoice(other, 40)
    receive(customer, 150, is_for_balance=True)
    receive(other, 60, "money:2", is_for_balance=True)
    assert balance_apply([customer.pk, other.pk], now=NOW) == 3
    assert state_of(early, late, owed) == [("paid", 100), ("open", 50), ("paid", 40)]
    assert (money_of(customer), money_of(other)) == ((0, 50), (20, 0))
    assert balance_apply([customer.pk, other.pk], now=NOW) == 0
    receive(customer, 20, "money:3", is_for_balance=True)
    assert (balance_apply([customer.pk], now=NOW), state_of(late)) == (1, [("open", 70)])


def test_one_invoice_from_the_balance(customer: Customer) -> None:
    early, late = make_invoice(customer, 100, EARLIER), make_invoice(customer, 100, LATER)
    receive(customer, 120, is_for_balance=True)
    assert invoice_pay_from_balance(late, now=NOW) == 100
    assert (state_of(early, late), money_of(customer)) == ([("open", 0), ("paid", 100)], (20, 100))
    assert invoice_pay_from_balance(late, now=NOW) == 0


def test_a_settlement_is_taken_back_once(customer: Customer) -> None:
    invoice = make_invoice(customer, 100)
    entry = receive(customer, 130)
    back, is_new = settlement_reverse(entry, now=NOW, actor=None, reason="wrong customer")
    assert (is_new, back.reverses_id, drawer()) == (True, entry.pk, 0)
    assert (state_of(invoice), money_of(customer)) == ([("open", 0)], (0, 100))
    assert settlement_reverse(entry, now=NOW, actor=None, reason="again") == (back, False)
    assert (state_of(invoice), money_of(customer)) == ([("open", 0)], (0, 100))


def test_a_settlement_whose_rest_was_spent_opens_what_it_was_spent_on(customer: Customer) -> None:
    entry = receive(customer, 100)
    invoice = make_invoice(customer, 80)
    balance_apply([customer.pk], now=NOW)
    settlement_reverse(entry, now=NOW, actor=None, reason="x")
    assert (state_of(invoice), money_of(customer), drawer()) == ([("open", 0)], (0, 80), 0)


def test_a_settlement_whose_money_was_given_back_stays(customer: Customer) -> None:
    invoice = make_invoice(customer, 80)
    entry = receive(customer, 100)
    give_back(customer, 30, of=entry)
    with pytest.raises(TransitionError) as refusal:
        settlement_reverse(entry, now=NOW, actor=None, reason="x")
    assert refusal.value.code == "settlement.spent"
    assert (state_of(invoice), money_of(customer), drawer()) == ([("open", 70)], (0, 10), 70)
    settlement_reverse(entry, now=NOW, actor=None, reason="x", amount=Decimal(70))
    assert (state_of(invoice), money_of(customer), drawer()) == ([("open", 0)], (0, 80), 0)


def test_a_settlement_before_a_merge_is_taken_back_from_the_one_that_stayed(customer: Customer) -> None:
    loser = make_customer("Sri lama")
    invoice = make_invoice(loser, 100)
    entry = receive(loser, 100)
    Customer.objects.filter(pk=loser.pk).update(merged_into=customer)
    settlement_reverse(entry, now=NOW, actor=None, reason="x")
    assert (state_of(invoice), money_of(customer), money_of(loser)) == ([("open", 0)], (0, 100), (0, 0))


def give_back(customer: Customer, amount: int, source: str = "back:1", of: JournalEntry | None = None) -> None:
    money_give_back(
        customer_id=customer.pk, amount=amount, from_account=chart.cash(7), source=source, now=NOW, of_entry=of
    )


def test_money_back_comes_from_the_balance_then_from_what_it_paid(customer: Customer) -> None:
    other, invoice = make_invoice(customer, 100, EARLIER), make_invoice(customer, 100, LATER)
    entry = receive(customer, 120, invoice_id=invoice.pk)
    receive(customer, 110, "money:2")
    assert money_of(customer) == (30, 0)
    give_back(customer, 50, of=entry)
    assert (money_of(customer), state_of(other, invoice)) == ((0, 20), [("paid", 100), ("open", 80)])
    give_back(customer, 50, of=entry)
    assert drawer() == 180, "the same source is one refund"
    give_back(customer, 180, "back:2", of=entry)
    assert (money_of(customer), state_of(other, invoice), drawer()) == ((0, 200), [("open", 0), ("open", 0)], 0)
    with pytest.raises(DomainError) as refusal:
        give_back(customer, 1, "back:3")
    assert refusal.value.code == "refund.nothing_left"


def test_what_a_write_off_settled_is_never_given_back(customer: Customer) -> None:
    from billing.ledger.posting import Line, entry_post

    invoice = make_invoice(customer, 100)
    entry = receive(customer, 30)
    with transaction.atomic():
        lines = [Line(chart.WRITE_OFF, Decimal(70)), Line(chart.RECEIVABLE, Decimal(-70), customer.pk)]
        off, _is_new = entry_post(kind=EntryKind.WRITE_OFF, source="off", lines=lines, occurred_at=NOW)
        Allocation.objects.create(invoice=invoice, entry=off, amount=70, at=NOW)
    with pytest.raises(DomainError):
        give_back(customer, 31, of=entry)
    give_back(customer, 30, of=entry)
    assert (state_of(invoice), money_of(customer), drawer()) == ([("open", 70)], (0, 30), 0)

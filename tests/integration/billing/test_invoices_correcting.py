"""Credit notes, void, write-off, late fees, charges and months ahead: exact postings, and nothing where it is refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import ActivityLog
from billing.choices import EntryKind, TaxMode
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Charge, Invoice, JournalEntry, Posting, Promise, TaxRate
from billing.services.invoices import (
    ManualLine,
    charge_bill,
    charge_cancel,
    credit_left,
    credit_note_issue,
    earnings_recognise,
    invoice_issue,
    invoice_void,
    invoice_write,
    late_fees_issue,
    write_off,
)
from billing.services.settling import money_receive
from core.errors import DomainError, TransitionError
from customers.models import Customer
from locations.models import Location
from tests.integration.billing.invoice_world import DAY, NOW, draft, issued, legs, line, make_customer, make_service
from tests.integration.vouchers.world import make_user

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture(autouse=True)
def ledger_is_right() -> Any:
    yield
    assert ledger_check().findings == {}


def pay(customer: Customer, amount: int, source: str = "money:1") -> None:
    money_receive(
        customer_id=customer.pk,
        amount=amount,
        into_account=chart.cash(7),
        kind=EntryKind.PAYMENT,
        source=source,
        now=NOW,
    )


def state(invoice: Invoice) -> tuple[str, Decimal]:
    invoice.refresh_from_db()
    return invoice.status, invoice.settled_amount


def money_of(customer: Customer) -> tuple[Decimal, Decimal]:
    customer.refresh_from_db()
    return customer.balance, customer.debt


def note_of(invoice: Invoice, amount: int | None = None, **extra: Any) -> Invoice:
    return credit_note_issue(invoice, amount=amount, reason="cable cut", now=NOW, actor=None, **extra)


# --- credit notes ---------------------------------------------------------------------------------------------------


def test_a_full_credit_settles_an_open_bill(customer: Customer) -> None:
    invoice = issued(customer)
    note = note_of(invoice)
    assert (note.number, note.status, note.total, note.credits_id) == ("CN/2026/000001", "paid", D(150_000), invoice.pk)
    assert state(invoice) == ("paid", D(150_000))
    assert legs(f"invoice:{note.pk}") == {chart.INCOME_SUBSCRIPTION: D(150_000), chart.RECEIVABLE: D(-150_000)}
    assert money_of(customer) == (D(0), D(0))
    row = note.lines.get()
    assert (row.kind, row.details["number"], row.details["text"]) == ("credit", invoice.number, "Internet")


def test_a_partial_credit_lowers_what_is_open(customer: Customer) -> None:
    invoice = issued(customer)
    note_of(invoice, 60_000)
    assert state(invoice) == ("open", D(60_000))
    assert (credit_left(invoice), money_of(customer)) == (D(90_000), (D(0), D(90_000)))


def test_what_was_paid_already_goes_to_the_balance(customer: Customer) -> None:
    invoice = issued(customer)
    pay(customer, 120_000)
    note = note_of(invoice)
    assert state(invoice) == ("paid", D(150_000))
    assert legs(f"invoice:{note.pk}") == {
        chart.INCOME_SUBSCRIPTION: D(150_000), chart.RECEIVABLE: D(-30_000), chart.WALLET: D(-120_000),
    }  # fmt: skip
    assert money_of(customer) == (D(120_000), D(0))


def test_three_credits_give_back_exactly_the_tax_and_every_line(customer: Customer) -> None:
    TaxRate.objects.create(percent=D(11), valid_from=date(2022, 4, 1))
    rows = (line(33_333), line(33_334), line(-10_000, chart.INCOME_DISCOUNT), line(7_001, chart.INCOME_CHARGE))
    invoice, _new = invoice_issue(draft(customer, "a", *rows, tax_mode=TaxMode.EXCLUSIVE), now=NOW)
    notes = [note_of(invoice, amount) for amount in (12_345, 23_456, None)]
    assert sum(note.total for note in notes) == invoice.total
    assert sum(note.tax_amount for note in notes) == invoice.tax_amount
    back: dict[str, Decimal] = {}
    for posting in Posting.objects.filter(entry__kind=EntryKind.CREDIT_NOTE):
        back[posting.account] = back.get(posting.account, D(0)) - posting.amount
    assert back == legs(f"invoice:{invoice.pk}")
    assert state(invoice) == ("paid", invoice.total)


def test_lines_are_credited_by_position(customer: Customer) -> None:
    invoice, _new = invoice_issue(draft(customer, "a", line(100), line(50, chart.INCOME_CHARGE)), now=NOW)
    note = credit_note_issue(invoice, lines={2: 20}, reason="x", now=NOW, actor=None)
    assert legs(f"invoice:{note.pk}") == {chart.INCOME_CHARGE: D(20), chart.RECEIVABLE: D(-20)}
    for lines, code in (({2: 31}, "invoice.credit_too_much"), ({3: 1}, "invoice.no_line"), ({1: 0}, "money.amount")):
        with pytest.raises(DomainError) as refused:
            credit_note_issue(invoice, lines=lines, reason="x", now=NOW, actor=None)
        assert refused.value.code == code
    assert Invoice.objects.filter(kind="credit_note").count() == 1


@pytest.mark.parametrize(
    ("amount", "code"), [(150_001, "invoice.credit_too_much"), (0, "money.amount"), (-5, "money.amount")]
)
def test_a_credit_never_passes_its_bill(customer: Customer, amount: int, code: str) -> None:
    invoice = issued(customer)
    with pytest.raises(DomainError) as refused:
        note_of(invoice, amount)
    assert refused.value.code == code
    assert (JournalEntry.objects.count(), state(invoice)) == (1, ("open", D(0)))


def test_the_same_request_credits_once_and_a_second_full_one_is_refused(customer: Customer) -> None:
    invoice = issued(customer)
    first = note_of(invoice, request_key="k")
    assert note_of(invoice, request_key="k") == first
    with pytest.raises(DomainError, match="can still be credited"):
        note_of(invoice)
    with pytest.raises(TransitionError, match="credit note"):
        note_of(first)
    with pytest.raises(DomainError, match="Write why"):
        credit_note_issue(invoice, reason=" ", now=NOW, actor=None)


# --- void, write-off ------------------------------------------------------------------------------------------------


def test_void_takes_the_entry_back_and_lets_charges_wait_again(customer: Customer) -> None:
    charge = Charge.objects.create(customer=customer, name="Installation", amount=D(250_000))
    invoice = charge_bill(charge, now=NOW, actor=None)
    boss = make_user()
    invoice_void(invoice, reason="wrong person", now=NOW, actor=boss, ip="10.0.0.1")
    charge.refresh_from_db()
    assert (state(invoice), charge.invoice, money_of(customer)) == (("void", D(0)), None, (D(0), D(0)))
    entry = JournalEntry.objects.get(source=f"invoice:{invoice.pk}")
    assert entry.reversal.reason == "wrong person"
    assert ActivityLog.objects.get(action="invoice.voided").user_id == boss.pk
    with pytest.raises(TransitionError):
        invoice_void(invoice, reason="again", now=NOW, actor=None)
    assert charge_bill(charge, now=NOW, actor=None).number == "INV/2026/000002"
    with pytest.raises(TransitionError):
        charge_bill(charge, now=NOW, actor=None)
    with pytest.raises(TransitionError):
        charge_cancel(charge, now=NOW, actor=None)


def test_void_is_refused_once_something_settled_it(customer: Customer) -> None:
    invoice = issued(customer)
    pay(customer, 1)
    with pytest.raises(TransitionError, match="credit note instead"):
        invoice_void(invoice, reason="x", now=NOW, actor=None)
    assert (state(invoice), JournalEntry.objects.count()) == (("open", D(1)), 2)


def test_a_write_off_gives_up_the_open_part(customer: Customer) -> None:
    invoice = issued(customer)
    pay(customer, 50_000)
    write_off(invoice, reason="moved away", now=NOW, actor=None)
    assert (state(invoice), money_of(customer)) == (("paid", D(150_000)), (D(0), D(0)))
    assert legs(f"write_off:{invoice.pk}:2") == {chart.WRITE_OFF: D(100_000), chart.RECEIVABLE: D(-100_000)}
    with pytest.raises(TransitionError):
        write_off(invoice, reason="again", now=NOW, actor=None)


def test_strangers_cannot_touch_bills_of_other_places(customer: Customer) -> None:
    here = Location.objects.create(name="Here", host="127.0.0.1", username="api")
    there = Location.objects.create(name="There", host="127.0.0.2", username="api")
    invoice = issued(customer, location_id=there.pk)
    operator = make_user("op", Role.OPERATOR, here)
    for act in (write_off, invoice_void):
        with pytest.raises(DomainError) as refused:
            act(invoice, reason="x", now=NOW, actor=operator)
        assert refused.value.status == 404
    with pytest.raises(DomainError):
        credit_note_issue(invoice, reason="x", now=NOW, actor=operator)
    assert state(invoice) == ("open", D(0))


# --- late fees ------------------------------------------------------------------------------------------------------


def test_a_late_fee_is_its_own_bill_once(customer: Customer) -> None:
    service = make_service(customer, late_fee=D(10), late_fee_kind="percent", late_fee_days=7)
    place = service.location_id
    invoice = issued(customer, subscription_id=service.pk, location_id=place)
    pay(customer, 50_000)
    assert late_fees_issue(place, today=date(2026, 11, 29), now=NOW) == []
    assert len(late_fees_issue(place, today=date(2026, 11, 30), now=NOW)) == 1
    assert late_fees_issue(place, today=date(2026, 12, 30), now=NOW) == []
    fee = Invoice.objects.get(source=f"late:{invoice.pk}")
    assert (fee.total, fee.subscription, fee.location_id) == (D(10_000), service, place)
    assert fee.lines.get().details == {"number": invoice.number, "due_on": "2026-11-22", "percent": "10.00"}
    assert state(invoice) == ("open", D(50_000))


def test_no_late_fee_while_a_promise_holds_or_after_payment(customer: Customer) -> None:
    service = make_service(customer, late_fee=D(5_000), late_fee_days=0)
    issued(customer, subscription_id=service.pk, location_id=service.location_id)
    promise = Promise.objects.create(subscription=service, until_on=date(2026, 12, 1), at=NOW)
    assert late_fees_issue(service.location_id, today=date(2026, 12, 1), now=NOW) == []
    promise.delete()
    pay(customer, 150_000)
    assert late_fees_issue(service.location_id, today=date(2026, 12, 1), now=NOW) == []


# --- months ahead ---------------------------------------------------------------------------------------------------


def at(year: int, month: int, day: int) -> datetime:
    return NOW.replace(year=year, month=month, day=day)


def months(customer: Customer) -> Invoice:
    rows = (
        line(500_000, earned_from=DAY, earned_months=3),
        line(-50_000, chart.INCOME_DISCOUNT, earned_from=DAY, earned_months=3),
    )
    return invoice_issue(draft(customer, "ahead", *rows), now=NOW)[0]


def sums() -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for posting in Posting.objects.all():
        found[posting.account] = found.get(posting.account, D(0)) + posting.amount
    return {account: amount for account, amount in sorted(found.items()) if amount}


def test_months_become_income_one_by_one_and_missed_ones_are_healed(customer: Customer) -> None:
    invoice = months(customer)
    first = invoice.lines.get(position=1).pk
    assert earnings_recognise(now=NOW) == 2
    assert earnings_recognise(now=at(2026, 12, 21)) == 0
    assert legs(f"earned:{first}:0") == {chart.INCOME_SUBSCRIPTION: D(-166_667), chart.UNEARNED: D(166_667)}
    assert earnings_recognise(now=at(2027, 5, 1)) == 4
    assert legs(f"earned:{first}:2") == {chart.INCOME_SUBSCRIPTION: D(-166_666), chart.UNEARNED: D(166_666)}
    assert sums() == {
        chart.RECEIVABLE: D(450_000), chart.INCOME_SUBSCRIPTION: D(-500_000), chart.INCOME_DISCOUNT: D(50_000),
    }  # fmt: skip


def test_a_credit_takes_its_part_out_of_the_months_to_come(customer: Customer) -> None:
    invoice = months(customer)
    earnings_recognise(now=NOW)
    note_of(invoice, 150_000)
    left = sums()[chart.UNEARNED]
    earnings_recognise(now=at(2027, 5, 1))
    assert left == D(-300_000 + 150_000)
    assert sums() == {
        chart.RECEIVABLE: D(300_000), chart.INCOME_SUBSCRIPTION: D(-333_333), chart.INCOME_DISCOUNT: D(33_333),
    }  # fmt: skip


def test_a_full_credit_after_a_month_leaves_nothing(customer: Customer) -> None:
    invoice = months(customer)
    earnings_recognise(now=NOW)
    note = note_of(invoice)
    assert (sums(), note.total) == ({}, D(450_000))
    assert earnings_recognise(now=at(2027, 5, 1)) == 0


def test_void_takes_the_earned_months_back_too(customer: Customer) -> None:
    invoice = months(customer)
    earnings_recognise(now=NOW)
    invoice_void(invoice, reason="x", now=NOW, actor=None)
    assert sums() == {}
    assert earnings_recognise(now=at(2027, 5, 1)) == 0


# --- bills written by a person --------------------------------------------------------------------------------------


def test_a_written_bill(customer: Customer) -> None:
    TaxRate.objects.create(percent=D(11), valid_from=date(2022, 4, 1))
    pay(customer, 10_000)
    words: dict[str, Any] = {
        "customer": customer, "due_on": DAY, "request_key": "k", "now": NOW, "actor": make_user(), "tax_mode": "exclusive",
        "lines": [ManualLine("Cable, per m", 2_500, "20.5"), ManualLine("Friend", "-1250")],
    }  # fmt: skip
    invoice = invoice_write(**words)
    assert invoice_write(**words) == invoice
    assert [(row.kind, row.quantity, row.amount) for row in invoice.lines.all()] == [
        ("manual", D("20.5"), D(51_250)), ("discount", D(1), D(-1_250)),
    ]  # fmt: skip
    assert (invoice.total, state(invoice)) == (D(55_500), ("open", D(10_000)))
    assert ActivityLog.objects.get(action="invoice.written").details["number"] == "INV/2026/000001"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [ManualLine(" ", 5)]}, "line_0_text"),
        ({"lines": [ManualLine("x", 5), ManualLine("x", "five")]}, "line_1_price"),
        ({"lines": [ManualLine("x", 5, "NaN")]}, "line_0_quantity"),
        ({"lines": [ManualLine("x", 5, "0.0001")]}, "line_0_quantity"),
        ({"lines": [ManualLine("x", 5, account=chart.WALLET)]}, "line_0_account"),
        ({"due_on": date(2026, 11, 21)}, "due_on"),
        ({"tax_mode": "some"}, "tax_mode"),
    ],
)
def test_a_written_bill_names_what_is_wrong(customer: Customer, words: dict[str, Any], field: str) -> None:
    good: dict[str, Any] = {"lines": [ManualLine("x", 5)], "due_on": DAY}
    with pytest.raises(DomainError) as refused:
        invoice_write(customer=customer, request_key="k", now=NOW, actor=None, **(good | words))
    assert list(refused.value.fields) == [field]
    assert not Invoice.objects.exists()

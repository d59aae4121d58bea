"""Issuing bills: exact amounts, the ledger beside them, numbers without gaps, and one bill per cause whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.choices import TaxMode
from billing.events import InvoicesIssued, InvoicesPaid
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Charge, Coupon, CouponUse, Invoice, InvoiceLine, JournalEntry, TaxRate
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue, invoices_issue
from core import events
from core.errors import DomainError
from core.models import NumberSequence
from core.settings_registry import setting_change
from customers.models import Customer
from tests.integration.billing.invoice_world import DAY, NOW, draft, line, make_customer, make_service
from tests.integration.billing.invoice_world import legs as entry_legs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return make_customer()


def legs(invoice: Invoice) -> dict[str, Decimal]:
    return entry_legs(f"invoice:{invoice.pk}")


def numbers() -> list[str]:
    return sorted(str(number) for number in Invoice.objects.values_list("number", flat=True))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    told: list[events.Event] = []
    monkeypatch.setattr(events, "_subscriptions", [])
    for kind in (InvoicesIssued, InvoicesPaid):
        events.subscribe(kind, told.append, is_critical=True)
    return told


def test_a_bill_is_born_open_with_number_line_and_entry(customer: Customer, heard: list[events.Event]) -> None:
    invoice, is_new = invoice_issue(draft(customer), now=NOW)
    assert is_new
    assert (invoice.number, invoice.status, invoice.currency) == ("INV/2026/000001", "open", "IDR")
    assert (invoice.subtotal, invoice.tax_amount, invoice.total) == (Decimal(150_000), Decimal(0), Decimal(150_000))
    assert [(row.position, row.text, row.amount) for row in invoice.lines.all()] == [(1, "Internet", Decimal(150_000))]
    assert legs(invoice) == {chart.RECEIVABLE: Decimal(150_000), chart.INCOME_SUBSCRIPTION: Decimal(-150_000)}
    customer.refresh_from_db()
    assert (customer.debt, customer.balance) == (Decimal(150_000), Decimal(0))
    assert heard == [InvoicesIssued([invoice.pk])]
    assert ledger_check().is_right


def test_the_same_cause_is_billed_once(customer: Customer, heard: list[events.Event]) -> None:
    first, _new = invoice_issue(draft(customer), now=NOW)
    heard.clear()
    assert invoice_issue(draft(customer, "test:1", line(9)), now=NOW) == (first, False)
    assert invoices_issue([draft(customer), draft(customer, "test:2"), draft(customer, "test:2")], now=NOW) == 1
    assert (numbers(), JournalEntry.objects.count()) == (["INV/2026/000001", "INV/2026/000002"], 2)
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("mode", "subtotal", "tax", "shares"),
    [
        # 11 % of 3 x 33.333 = 10.999,89: rounded once to 11.000, shared 3.667 + 3.667 + 3.666
        (TaxMode.EXCLUSIVE, 99_999, 11_000, [3_667, 3_667, 3_666]),
        # 99.999 * 11/111 = 9.909,81
        (TaxMode.INCLUSIVE, 90_089, 9_910, [3_304, 3_303, 3_303]),
        (TaxMode.NONE, 99_999, 0, [0, 0, 0]),
    ],
)
def test_tax_is_rounded_once_and_shared_exactly(
    customer: Customer, mode: str, subtotal: int, tax: int, shares: list[int]
) -> None:
    TaxRate.objects.create(percent=Decimal(11), valid_from=date(2022, 4, 1))
    TaxRate.objects.create(percent=Decimal(12), valid_from=date(2026, 12, 1))
    invoice, _new = invoice_issue(draft(customer, "test:1", *[line(33_333)] * 3, tax_mode=mode), now=NOW)
    assert (invoice.subtotal, invoice.tax_amount) == (Decimal(subtotal), Decimal(tax))
    rows = list(invoice.lines.all())
    assert [row.tax_amount for row in rows] == [Decimal(share) for share in shares]
    assert sum(row.amount for row in rows) == invoice.subtotal
    assert legs(invoice).get(chart.TAX, Decimal(0)) == -Decimal(tax)
    assert ledger_check().is_right


def test_the_rate_is_that_of_the_day_of_issue(customer: Customer) -> None:
    TaxRate.objects.create(percent=Decimal(11), valid_from=date(2022, 4, 1))
    TaxRate.objects.create(percent=Decimal(12), valid_from=DAY)
    new, _x = invoice_issue(draft(customer, tax_mode=TaxMode.EXCLUSIVE), now=NOW)
    earlier = InvoiceDraft(customer.pk, [line(150_000)], "test:2", date(2026, 11, 21), DAY, TaxMode.EXCLUSIVE)
    old, _x = invoice_issue(earlier, now=NOW)
    assert (new.tax_amount, old.tax_amount) == (Decimal(18_000), Decimal(16_500))


def test_discounts_untaxed_lines_and_months_ahead(customer: Customer) -> None:
    TaxRate.objects.create(percent=Decimal(11), valid_from=date(2022, 4, 1))
    rows = (
        line(600_000, earned_from=DAY, earned_months=3),
        line(-100_000, chart.INCOME_DISCOUNT),
        line(50_000, chart.INCOME_CHARGE, is_taxed=False),
    )
    invoice, _new = invoice_issue(draft(customer, "test:1", *rows, tax_mode=TaxMode.EXCLUSIVE), now=NOW)
    assert legs(invoice) == {
        chart.RECEIVABLE: Decimal(605_000),
        chart.UNEARNED: Decimal(-600_000),
        chart.INCOME_DISCOUNT: Decimal(100_000),
        chart.INCOME_CHARGE: Decimal(-50_000),
        chart.TAX: Decimal(-55_000),
    }
    assert [row.tax_percent for row in invoice.lines.all()] == [Decimal(11), Decimal(11), Decimal(0)]


def test_a_bill_of_nothing_is_paid_at_once(customer: Customer, heard: list[events.Event]) -> None:
    free, _x = invoice_issue(draft(customer, "a", line(0)), now=NOW)
    given, _x = invoice_issue(draft(customer, "b", line(10_000), line(-10_000, chart.INCOME_DISCOUNT)), now=NOW)
    assert [(row.status, row.closed_at, row.total) for row in (free, given)] == [("paid", NOW, Decimal(0))] * 2
    assert legs(free) == {}
    assert legs(given) == {chart.INCOME_SUBSCRIPTION: Decimal(-10_000), chart.INCOME_DISCOUNT: Decimal(10_000)}
    assert heard[1] == InvoicesPaid([free.pk])
    customer.refresh_from_db()
    assert customer.debt == 0
    assert ledger_check().is_right


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((line(10), line(-11, chart.INCOME_DISCOUNT)), "invoice.negative"),
        ((DraftLine("manual", Decimal("0.5"), "income:other"),), "invoice.amount"),
    ],
)
def test_what_cannot_be_a_bill_leaves_nothing(customer: Customer, lines: tuple[DraftLine, ...], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        invoices_issue([draft(customer, "good"), draft(customer, "bad", *lines)], now=NOW)
    assert refused.value.code == code
    assert (Invoice.objects.count(), NumberSequence.objects.count(), JournalEntry.objects.count()) == (0, 0, 0)


def test_a_bill_goes_to_the_customer_that_stayed(customer: Customer) -> None:
    middle = Customer.objects.create(number="C2", name="Sri W.", merged_into=customer)
    loser = Customer.objects.create(number="C3", name="Sri", merged_into=middle)
    invoice, _new = invoice_issue(draft(loser), now=NOW)
    assert invoice.customer == customer
    assert ledger_check().is_right


def test_charges_and_coupons_are_used_once(customer: Customer) -> None:
    service = make_service(customer)
    charge = Charge.objects.create(customer=customer, name="Installation", amount=Decimal(250_000))
    coupon = Coupon.objects.create(code="NEW", kind="amount", value=Decimal(10_000), bills=1)
    use = CouponUse.objects.create(coupon=coupon, subscription=service, bills_left=1, at=NOW)
    bill = {"charge_ids": [charge.pk], "coupon_use_ids": [use.pk]}
    invoice, _new = invoice_issue(draft(customer, "a", **bill), now=NOW)
    charge.refresh_from_db()
    use.refresh_from_db()
    assert (charge.invoice, use.bills_left) == (invoice, 0)
    for used, code in (("charge_ids", "invoice.charge_gone"), ("coupon_use_ids", "invoice.coupon_used")):
        with pytest.raises(DomainError) as refused:
            invoice_issue(draft(customer, "b", **{used: bill[used]}), now=NOW)
        assert refused.value.code == code
    assert numbers() == ["INV/2026/000001"]


def test_patterns_count_by_series_year_and_month(customer: Customer) -> None:
    setting_change("invoice.number_pattern", "{series}-{number}")
    invoice_issue(draft(customer, "a"), now=NOW)
    setting_change("invoice.number_pattern", "{series}.{year}-{month:02}.{number:04}")
    for source, month in (("b", 11), ("c", 11), ("d", 12)):
        invoice_issue(InvoiceDraft(customer.pk, [line(5)], source, date(2026, month, 1), DAY), now=NOW)
    assert numbers() == ["INV-1", "INV.2026-11.0001", "INV.2026-11.0002", "INV.2026-12.0001"]


@pytest.mark.parametrize(
    "pattern",
    ["{number}", "{series}{number}", "{series}/{month}/{number}", "{series}/{number:x}", "{series}/{number.real}",
     "{series}/{number}/{number}", "{series}/{number", "{series!r}/{number}", "{series}/{number:6}", "{series}/" * 9],
)  # fmt: skip
def test_patterns_whose_numbers_could_meet_are_refused(pattern: str) -> None:
    with pytest.raises(DomainError):
        setting_change("invoice.number_pattern", pattern)


def _alone(work: Any, *args: Any) -> Any:
    try:
        return work(*args)
    finally:
        connection.close()


def test_eight_issuers_leave_no_gap_and_no_double(customer: Customer) -> None:
    others = [Customer.objects.create(number=f"D{i}", name="x") for i in range(4)]

    def work(worker: int) -> None:
        for turn in range(6):
            mine = [draft(others[(worker + turn + i) % 4], f"{worker}:{turn}:{i}") for i in range(3)]
            shared = draft(customer, f"shared:{turn}")
            try:
                with transaction.atomic():
                    invoices_issue([*mine, shared], now=NOW)
                    if turn == worker % 6:
                        raise KeyError  # a caller that fails afterwards takes its numbers back
            except KeyError:
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda worker: _alone(work, worker), range(8)))
    assert numbers() == [f"INV/2026/{i:06}" for i in range(1, Invoice.objects.count() + 1)]
    assert Invoice.objects.filter(source__startswith="shared:").count() == 6
    assert Invoice.objects.count() == 8 * 5 * 3 + 6
    assert InvoiceLine.objects.count() == Invoice.objects.count() == JournalEntry.objects.count()
    assert ledger_check().is_right


def test_one_cause_for_two_customers_at_once_is_billed_once(customer: Customer) -> None:
    """Different customers are different locks: only the unique source stops the second, and its number comes back."""
    other = Customer.objects.create(number="C2", name="y")

    def work(who: Customer, source: str) -> bool:
        return invoice_issue(draft(who, source), now=NOW)[1]

    for turn in range(1, 9):
        with ThreadPoolExecutor(2) as pool:
            new = list(pool.map(lambda who: _alone(work, who, f"cause:{turn}"), [customer, other]))  # noqa: B023  # ends here
        assert sorted(new) == [False, True]
    assert numbers() == [f"INV/2026/{i:06}" for i in range(1, 9)]
    assert NumberSequence.objects.get().value == 8
    assert ledger_check().is_right

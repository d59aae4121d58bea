"""Reports over a month written by hand: exact numbers, links that add up to them, places, days and reversals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.reports.asking import Ask, AskForm
from billing.reports.catalogue import REPORTS
from billing.reports.costs import CostSource
from billing.reports.parts import PartsQuery
from billing.reports.postings import NONE, PostingQuery
from billing.reports.receivables import InvoiceQuery
from billing.reports.table import Cell, Column, Form, Table
from billing.services.cash import shift_open
from core import clock
from core.errors import DomainError
from customers.models import Customer
from locations.models import Location
from tests.integration.billing.month import NOW, Month, build_month, post, wib

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
BOTH = (date(2026, 11, 1), date(2026, 12, 31))


@pytest.fixture
def month(db: None) -> Month:
    return build_month()


def made(
    name: str, user: User, by: str = "", span: tuple[date, date] = NOVEMBER, location: Location | None = None
) -> Table:
    report = REPORTS[name]
    return report.run(Ask(*span, NOW, by or (report.groups[0] if report.groups else ""), location), user)


def amount(value: Any) -> int:
    return int(value or 0)


def numbers(table: Table, *keys: str) -> dict[Any, Any]:
    """First column to the wanted numbers; rows where all of them are nothing are left out."""
    places = [table.column(key) for key in keys]
    found = {row[0].value: tuple(amount(row[place].value) for place in places) for row in table.rows}
    return {key: values if len(values) > 1 else values[0] for key, values in found.items() if any(values)}


def total(table: Table, key: str) -> int:
    return amount(table.totals[table.column(key)].value)


# --- numbers --------------------------------------------------------------------------------------------------------


def test_income_by_day_counts_a_bill_of_half_past_eleven_at_night_on_its_own_day(month: Month) -> None:
    table = made("income", month.admin, "day")
    assert numbers(table, "earned", "taken_back", "income") == {
        date(2026, 11, 1): (100_000, 0, 100_000),
        date(2026, 11, 3): (10_000, 0, 10_000),
        date(2026, 11, 4): (5_000, 0, 5_000),
        date(2026, 11, 5): (200_000, 0, 200_000),
        date(2026, 11, 7): (5_000, 0, 5_000),
        date(2026, 11, 30): (100_000, 0, 100_000),
    }
    assert (len(table.rows), total(table, "income")) == (30, 420_000)


def test_a_reversal_counts_in_the_month_in_which_it_happened(month: Month) -> None:
    table = made("income", month.admin, "month", BOTH)
    assert numbers(table, "earned", "taken_back", "income") == {
        date(2026, 11, 1): (420_000, 0, 420_000),
        date(2026, 12, 1): (7_000, -5_000, 2_000),
    }
    assert total(table, "income") == 422_000


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("plan", {"Rumah": 200_000, "Cepat": 200_000, "Harian": 20_000}),
        ("location", {"Pos 1": 220_000, "Pos Timur": 200_000}),
        ("actor", {"the system": 405_000, "Budi": 15_000}),
        ("agent", {"without an agent": 415_000, "Warung Tini": 5_000}),
        ("method", {"bills (by any method or not paid yet) and sales of agents": 405_000, "Cash": 15_000}),
        (
            "account",
            {"Income: subscriptions": 350_000, "Income: one-off charges": 50_000, "Income: vouchers": 20_000},
        ),
    ],
)
def test_income_by_everything_else(month: Month, by: str, wanted: dict[str, int]) -> None:
    table = made("income", month.admin, by)
    assert numbers(table, "income") == wanted
    assert total(table, "income") == 420_000


def test_money_received_by_method_is_what_came_in_less_refunds(month: Month) -> None:
    table = made("received", month.admin, "method")
    assert numbers(table, "received", "given_back", "left") == {
        "Cash": (196_000, -5_000, 191_000),
        "Transfer": (50_000, 0, 50_000),
    }
    assert total(table, "left") == 241_000  # neither the hand-over, nor the expense, nor the missing 1,000


def test_money_received_in_december_is_less_by_the_sale_that_was_taken_back(month: Month) -> None:
    table = made("received", month.admin, "month", BOTH)
    assert numbers(table, "received", "given_back", "left")[date(2026, 12, 1)] == (30_000, -5_000, 25_000)


def test_money_received_by_operator(month: Month) -> None:
    assert numbers(made("received", month.admin, "actor"), "left") == {"Budi": 191_000, "Citra": 50_000}


def test_receivables_by_age_on_three_days(month: Month) -> None:
    ages = {
        day: numbers(made("receivables", month.admin, span=(day, day)), "bills", "customers", "amount")
        for day in (date(2026, 11, 10), date(2026, 11, 30), date(2026, 12, 5))
    }
    assert ages == {
        date(2026, 11, 10): {"not due yet": (1, 1, 200_000)},
        date(2026, 11, 30): {"not due yet": (1, 1, 100_000), "1 to 7 days late": (1, 1, 150_000)},
        date(2026, 12, 5): {
            "not due yet": (1, 1, 7_000), "due today": (1, 1, 100_000), "1 to 7 days late": (1, 1, 120_000),
        },
    }  # fmt: skip


def test_receivables_before_a_payment_still_show_the_bill_that_was_paid_later(month: Month) -> None:
    day = date(2026, 11, 1)
    table = made("receivables", month.admin, span=(day, day))
    assert numbers(table, "bills", "amount") == {"not due yet": (1, 111_000)}
    assert table.notes == ("The ledger says the same: IDR 111,000 of receivables.",)


def test_a_shift_shows_what_was_expected_counted_and_handed_over(month: Month) -> None:
    table = made("shifts", month.admin)
    keys = ("opening", "expected", "counted", "difference", "handed_over")
    assert numbers(table, *keys) == {"Budi": (0, 151_000, 150_000, -1_000, 100_000)}
    assert table.rows[0][-1].value == "Ani"


def test_an_open_shift_expects_what_lies_in_the_drawer(month: Month) -> None:
    from billing.models import CashShift

    CashShift.objects.create(user=month.citra, location=month.east, opened_at=wib(20, 8), opening_amount=0)
    assert numbers(made("shifts", month.admin), "expected")["Citra"] == 80_000


def test_an_expense_written_later_for_an_earlier_day_does_not_change_what_a_counted_shift_expected(
    month: Month,
) -> None:
    lines = [Line(chart.expense("listrik"), Decimal(3_000)), Line(chart.cash(month.budi.pk), Decimal(-3_000))]
    entry_post(kind=EntryKind.EXPENSE, source="expense:2", lines=lines, occurred_at=wib(10, 9))
    table = made("shifts", month.admin)
    cell = table.rows[0][table.column("expected")]
    assert cell.rows is not None
    assert (cell.value, cell.rows.total(month.admin)) == (Decimal(151_000), Decimal(151_000))


def test_the_trial_balance_adds_up_to_nothing(month: Month) -> None:
    table = made("trial-balance", month.admin, span=(date(2026, 11, 30), date(2026, 11, 30)))
    debit, credit = table.column("debit"), table.column("credit")
    found = {row[2].value: amount(row[debit].value) - amount(row[credit].value) for row in table.rows}
    assert found == {
        "receivable": 250_000, chart.cash(month.budi.pk): 50_000, chart.cash(month.citra.pk): 50_000, "gateway:duitku": -1_000,
        "wallet": -15_000, "tax": -11_000, chart.agent(month.agent.pk): -45_500, "owner": 100_000,
        "income:subscription": -350_000, "income:charge": -50_000, "income:voucher": -20_000, "fees": 1_000,
        "agent_commission": 500, "cash_difference": 1_000, "expense:listrik": 40_000,
    }  # fmt: skip
    assert (sum(found.values()), total(table, "debit"), total(table, "credit"), table.is_right) == (
        0,
        492_500,
        492_500,
        True,
    )
    assert "their difference is 0" in table.sentence


def test_expenses_profit_and_tax(month: Month) -> None:
    assert numbers(made("expenses", month.admin), "spent", "left") == {"Listrik": (40_000, 40_000)}
    keys = ("income", "expenses", "fees", "commission", "losses", "voucher_cost", "profit")
    profit = made("profit", month.admin, span=BOTH)
    assert numbers(profit, *keys) == {
        date(2026, 11, 1): (420_000, 40_000, 1_000, 500, 1_000, 0, 377_500),
        date(2026, 12, 1): (2_000, 0, 0, 0, 0, 0, 2_000),
    }
    assert total(profit, "profit") == 379_500
    assert numbers(made("tax", month.admin), "charged", "tax") == {date(2026, 11, 1): (11_000, 11_000)}


# --- every number is the sum of the rows it links to ----------------------------------------------------------------


def tables(user: User) -> Iterator[tuple[str, Table]]:
    for name, report in REPORTS.items():
        for by in report.groups or ("",):
            yield f"{name} by {by}", made(name, user, by, BOTH)


def open_shift(month: Month) -> None:
    """A drawer that is open now, with change money and a coin too few at its opening."""
    with time_machine.travel(NOW):
        shift_open(counted=179_000, from_owner=100_000, now=clock.now(), actor=month.citra, location=month.east)
        post(
            month, "late", EntryKind.PAYMENT, clock.now(), (chart.cash(month.citra.pk), 7_000, None, None),
            (chart.WALLET, -7_000, month.joko, None), location=month.east, actor=month.citra,
        )  # fmt: skip


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vouchers that cost 1,500 in November."""
    source = CostSource(
        by_month=lambda span: {date(2026, 11, 1): Decimal(1_500)}, rows=lambda span, limit: [],
        total=lambda span: Decimal(1_500) if span.start < wib(30, 0) else Decimal(0),
    )  # fmt: skip
    monkeypatch.setattr("billing.reports.costs._sources", [source])


@pytest.mark.usefixtures("costs")
@pytest.mark.parametrize("who", ["admin", "budi", "citra"])
def test_every_number_is_the_sum_of_its_rows_and_survives_its_address(month: Month, who: str) -> None:
    open_shift(month)
    user, checked = getattr(month, who), 0
    for name, table in tables(user):
        for row in [*table.rows, table.totals]:
            for cell, column in zip(row, table.columns, strict=True):
                if column.is_number and cell.value:
                    assert cell.rows is not None, (name, column.key, cell)
                if cell.rows is None:
                    continue
                assert behind(cell, column, user) == (cell.value or 0), (name, column.key, cell)
                if isinstance(cell.rows, PostingQuery):
                    assert PostingQuery.from_params(cell.rows.params()) == cell.rows, (name, cell)
                checked += 1
    assert checked > 500


def behind(cell: Cell, column: Column, user: User) -> Decimal | int:
    """The sum of the rows of an amount, the number of rows of a count."""
    assert cell.rows is not None
    if column.form == Form.MONEY:
        return cell.rows.total(user) * cell.sign
    assert isinstance(cell.rows, InvoiceQuery)
    return len(cell.rows.customers(user) if cell.rows.by else cell.rows.rows(user))


def test_the_drawer_at_opening_is_what_lay_there_with_what_opening_it_wrote(month: Month) -> None:
    open_shift(month)
    table = made("shifts", month.admin, span=BOTH)
    keys = ("opening", "expected", "counted")
    assert numbers(table, *keys) == {"Citra": (179_000, 186_000, 0), "Budi": (0, 151_000, 150_000)}
    opening, counted = table.column("opening"), table.column("counted")
    first, second = table.rows
    assert [behind(row[place], table.columns[place], month.admin) for row, place in ((first, opening), (second, counted))] == [
        179_000, 150_000,
    ]  # fmt: skip
    assert [row[0].value for row in table.part("counted").rows] == ["Budi"]


@pytest.mark.usefixtures("costs")
def test_a_profit_is_made_of_income_and_what_is_taken_off(month: Month) -> None:
    table = made("profit", month.admin, span=BOTH)
    cell = table.rows[0][table.column("profit")]
    assert isinstance(cell.rows, PartsQuery)
    part = made("profit", month.admin, span=(cell.rows.ask.from_on, cell.rows.ask.to_on)).part("profit")
    assert {row[0].value: amount(row[1].value) for row in part.rows} == {
        "Income": 420_000, "Expenses": -40_000, "Payment fees": -1_000, "Agent commission": -500, "Losses": -1_000,
        "Cost of vouchers": -1_500,
    }  # fmt: skip
    assert [behind(row[1], part.columns[1], month.admin) for row in part.rows] == [row[1].value for row in part.rows]
    assert cell.value == 376_000


def test_bills_of_merged_customers_are_one_customer_who_owes(month: Month) -> None:
    before = numbers(made("receivables", month.admin, span=BOTH), "bills", "customers")
    assert before == {"more than 30 days late": (1, 1), "8 to 30 days late": (2, 1)}
    Customer.objects.filter(pk=month.joko.pk).update(merged_into=month.sri)
    query = InvoiceQuery(BOTH[1], NOW, "Asia/Jakarta", by="customer")
    assert [(row["root"], row["bills"], int(row["open"])) for row in query.customers(month.admin)] == [
        (month.sri.pk, 3, 227_000)
    ]


def test_totals_are_the_sums_of_the_rows(month: Month) -> None:
    for name, table in tables(month.admin):
        for index, column in enumerate(table.columns):
            whole = table.totals[index].value
            if column.is_number and whole is not None:
                assert whole == sum(amount(row[index].value) for row in table.rows), (name, column.key)


# --- whose figures --------------------------------------------------------------------------------------------------


def test_an_operator_sees_the_figures_of_his_location_only(month: Month) -> None:
    assert total(made("income", month.budi), "income") == 220_000
    assert total(made("income", month.citra), "income") == 200_000
    assert numbers(made("received", month.citra), "left") == {"Transfer": 50_000}
    assert total(made("receivables", month.citra, span=BOTH), "amount") == 120_000
    assert made("shifts", month.citra).rows == []


def test_an_operator_without_a_place_sees_what_he_did_himself_and_nothing_else(month: Month) -> None:
    from locations.models import LocationUser

    LocationUser.objects.filter(user=month.citra).delete()
    assert total(made("income", month.citra), "income") == 0
    assert total(made("received", month.citra), "left") == 50_000
    assert total(made("receivables", month.citra, span=BOTH), "amount") == 0


def test_an_operator_cannot_ask_for_another_location(month: Month) -> None:
    asked = AskForm({"location": month.east.pk}, user=month.budi, now=NOW, groups=("day",), is_of_a_day=False)
    with pytest.raises(DomainError) as error:
        asked.ask()
    assert sorted(error.value.fields) == ["location"]


# --- days -----------------------------------------------------------------------------------------------------------


def test_days_are_those_of_the_chosen_location(month: Month) -> None:
    """23.30 in Jakarta is 01.30 of the next day in Jayapura."""
    everywhere = numbers(made("received", month.admin, "day"), "left")
    assert everywhere[date(2026, 11, 2)] == 111_000
    month.here.timezone = "Asia/Jayapura"
    there = numbers(made("received", month.admin, "day", location=month.here), "left")
    assert (there.get(date(2026, 11, 2)), there[date(2026, 11, 3)]) == (None, 121_000)


def test_what_is_asked_for_by_default_is_this_month_on_the_clock_of_the_installation(month: Month) -> None:
    late = wib(30, 23, 30)
    asked = AskForm({}, user=month.admin, now=late, groups=("day", "plan"), is_of_a_day=False).ask()
    assert (asked.from_on, asked.to_on, asked.by, asked.location) == (*NOVEMBER, "day", None)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2024-01-01", "to": "2026-11-01", "by": "day"}, "by"),
        ({"from": "1990-01-01", "by": "plan"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"by": "colour"}, "by"),
        ({"location": "99"}, "location"),
    ],
)
def test_what_cannot_be_asked_names_its_field(month: Month, data: dict[str, str], field: str) -> None:
    form = AskForm(data, user=month.admin, now=NOW, groups=("day", "plan"), is_of_a_day=False)
    with pytest.raises(DomainError) as error:
        form.ask()
    assert sorted(error.value.fields) == [field]


@pytest.mark.parametrize(
    "params",
    [
        {"account": "pocket"}, {"account": "income:Big"}, {"from": "2026-13-01"}, {"since": "2026-11-01T00:00:00"},
        {"zone": "../etc/passwd"}, {"zone": "Mars/Base"}, {"recorded_until": "now"},
        {"location": "0"}, {"actor": "x"}, {"customer": "9" * 30},
        {"kind": "gift"}, {"cause": "payment,gift"}, {"side": "left"},
    ],
)  # fmt: skip
def test_an_address_of_rows_that_means_nothing_is_refused_by_name(params: dict[str, str]) -> None:
    with pytest.raises(DomainError) as error:
        PostingQuery.from_params(params)
    assert list(error.value.fields) == list(params)


def test_rows_without_something_can_be_asked_for(month: Month) -> None:
    query = PostingQuery(accounts=("income",), actor=NONE, zone="Asia/Jakarta")
    assert PostingQuery.from_params(query.params()) == query
    assert query.total(month.admin) == Decimal(-412_000)

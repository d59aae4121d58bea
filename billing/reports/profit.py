"""Profit per month: income less expenses, fees, commission and what vouchers cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import CharField, F, Func, Sum, Value
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.ledger import chart
from billing.reports import costs
from billing.reports.asking import Ask
from billing.reports.days import month_of, months_between
from billing.reports.grouping import group_column, narrowed, span, span_words
from billing.reports.parts import PartsQuery
from billing.reports.postings import PostingQuery
from billing.reports.table import Cell, Column, Form, Table, Text, summed, turned
from core.formats import money

GROUPS = ("month",)


@dataclass(frozen=True)
class Part:
    """Some accounts of the profit and the sign they are shown with."""

    key: str
    label: Text
    families: tuple[str, ...]
    sign: int = 1


PARTS = (
    Part("income", gettext_lazy("income"), ("income",), -1),
    Part("expenses", gettext_lazy("expenses"), ("expense",)),
    Part("fees", gettext_lazy("payment fees"), (chart.FEES,)),
    Part("commission", gettext_lazy("agent commission"), (chart.AGENT_COMMISSION,)),
    Part("losses", gettext_lazy("losses"), (chart.WRITE_OFF, chart.CASH_DIFFERENCE, chart.ROUNDING)),
)


def profit_report(ask: Ask, user: User) -> Table:
    """One row per month. Voucher costs are those written down at each sale; losses are debts written off and cash differences."""
    everything = tuple(family for part in PARTS for family in part.families)
    query = span(ask, accounts=everything)
    sums = _by_month_and_family(query, user)
    spent = costs.by_month(ask, user)
    rows = [_row(month, query, sums, spent, ask) for month in months_between(ask.from_on, ask.to_on)]
    totals = [Cell(_("Total"))]
    totals += [
        Cell(summed(rows, place + 1), query.narrowed(accounts=part.families), part.sign)
        for place, part in enumerate(PARTS)
    ]
    totals += [Cell(summed(rows, len(PARTS) + 1), costs.CostQuery(ask.from_on, ask.to_on, ask.zone, ask.location_id))]
    totals += [Cell(summed(rows, len(PARTS) + 2), PartsQuery("profit", "profit", ask, profit_report))]
    words = {**span_words(ask), "amount": money(abs(Decimal(str(totals[-1].value))))}
    gained = _("From %(from)s to %(to)s the profit is %(amount)s.")
    lost = _("From %(from)s to %(to)s the loss is %(amount)s.")
    return Table(
        columns=_columns(),
        rows=rows,
        totals=totals,
        sentence=(gained if Decimal(str(totals[-1].value)) >= 0 else lost) % words,
        chart="profit",
        made_of={"profit": _made_of(totals)},
        notes=(_("The cost of a voucher counts only where its plan or batch had a cost when it was sold."),),
    )


def _columns() -> Sequence[Column]:
    parts = [Column(part.key, part.label) for part in PARTS]
    return (
        group_column("month"), *parts, Column("voucher_cost", gettext_lazy("cost of vouchers")),
        Column("profit", gettext_lazy("profit")),
    )  # fmt: skip


def _by_month_and_family(query: PostingQuery, user: User) -> dict[tuple[date, str], Decimal]:
    family = Func(F("account"), Value(":"), Value(1), function="split_part", output_field=CharField())
    rows: Any = query.rows(user).annotate(month=month_of("entry__occurred_at", query.zone), family=family)
    found = rows.order_by().values_list("month", "family").annotate(total=Sum("amount"))
    return {(month, name): total for month, name, total in found}


def _row(
    month: date, query: PostingQuery, sums: dict[tuple[date, str], Decimal], spent: dict[date, Decimal], ask: Ask
) -> tuple[Cell, ...]:
    of_month = narrowed(query, "month", month)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    cells = [Cell(month)]
    for part in PARTS:
        total = sum((sums.get((month, family), Decimal(0)) for family in part.families), Decimal(0))
        amounts["profit"] -= total
        cells.append(Cell(turned(total, part.sign), of_month.narrowed(accounts=part.families), part.sign))
    cost = spent.get(month, Decimal(0))
    behind = costs.CostQuery(of_month.from_on or month, of_month.to_on or month, ask.zone, ask.location_id)
    of_profit = replace(ask, from_on=of_month.from_on or month, to_on=of_month.to_on or month)
    made_of = PartsQuery("profit", "profit", of_profit, profit_report)
    return (*cells, Cell(cost, behind), Cell(amounts["profit"] - cost, made_of))


def _made_of(totals: Sequence[Cell]) -> Table:
    """Income as it is, everything else taken off: their sum is the profit."""
    rows = []
    for column, cell in zip(_columns()[1:-1], totals[1:-1], strict=True):
        sign = 1 if column.key == "income" else -1
        if amount := Decimal(str(cell.value or 0)):
            rows.append((Cell(capfirst(str(column.label))), Cell(turned(amount, sign), cell.rows, cell.sign * sign)))
    return Table((Column("what", gettext_lazy("what"), Form.TEXT), Column("profit", gettext_lazy("profit"))), rows)

"""Expenses by category, month or location."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.reports.asking import Ask
from billing.reports.grouping import (
    group_cells,
    group_column,
    grouped,
    in_order,
    narrowed,
    side_cells,
    span,
    span_words,
    whole,
)
from billing.reports.table import Cell, Column, Table
from core.formats import money

GROUPS = ("account", "month", "location", "actor")


def expenses_report(ask: Ask, user: User) -> Table:
    """Debits of the expense accounts less those taken back."""
    query = span(ask, accounts=("expense",))
    sums = in_order(grouped(query, ask.by, user), ask.by, ask)
    rows = [
        (name, *side_cells(row, narrowed(query, ask.by, row.key), is_credit_good=False))
        for name, row in zip(group_cells(sums, ask.by), sums, strict=True)
    ]
    total = whole(sums)
    first = Column("category", gettext_lazy("category")) if ask.by == "account" else group_column(ask.by)
    return Table(
        columns=(
            Column(first.key, first.label, group_column(ask.by).form), Column("spent", gettext_lazy("spent")),
            Column("taken_back", gettext_lazy("taken back")), Column("left", gettext_lazy("expenses")),
        ),
        rows=rows,
        totals=(Cell(_("Total")), *side_cells(total, query, is_credit_good=False)),
        sentence=_("From %(from)s to %(to)s you spent %(amount)s.") % {**span_words(ask), "amount": money(total.total)},
        chart="left",
    )  # fmt: skip

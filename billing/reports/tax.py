"""Tax per month: what bills asked for, what credit notes took off, and what is owed to the state."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.ledger import chart
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

GROUPS = ("month",)


def tax_report(ask: Ask, user: User) -> Table:
    """Movements of the tax account by month. A bill counts in the month it was made, not when it was paid."""
    query = span(ask, accounts=(chart.TAX,))
    sums = in_order(grouped(query, "month", user), "month", ask)
    rows = [
        (name, *side_cells(row, narrowed(query, "month", row.key), is_credit_good=True))
        for name, row in zip(group_cells(sums, "month"), sums, strict=True)
    ]
    total = whole(sums)
    return Table(
        columns=(
            group_column("month"), Column("charged", gettext_lazy("charged")),
            Column("taken_off", gettext_lazy("taken off")), Column("tax", gettext_lazy("tax")),
        ),
        rows=rows,
        totals=(Cell(_("Total")), *side_cells(total, query, is_credit_good=True)),
        sentence=_("From %(from)s to %(to)s the tax is %(amount)s.") % {**span_words(ask), "amount": money(-total.total)},
        chart="tax",
    )  # fmt: skip

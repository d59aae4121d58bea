"""Income: what was earned, by day, month, plan, place, person, agent, method or kind. Bills count on their day, paid or not."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.reports.asking import Ask
from billing.reports.grouping import (
    UNNAMED,
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

GROUPS = ("day", "month", "plan", "location", "actor", "agent", "method", "account")
UNNAMED_INCOME = UNNAMED | {"method": gettext_lazy("bills (by any method or not paid yet) and sales of agents")}
BY_METHOD = gettext_lazy("A bill is income before anybody pays it. How it was paid is in the report of money received.")


def income_report(ask: Ask, user: User) -> Table:
    """Credits of the income accounts less what was taken back; what was taken back counts on the day that it was."""
    query = span(ask, accounts=("income",))
    sums = in_order(grouped(query, ask.by, user), ask.by, ask)
    rows = [
        (name, *side_cells(row, narrowed(query, ask.by, row.key), is_credit_good=True))
        for name, row in zip(group_cells(sums, ask.by, UNNAMED_INCOME), sums, strict=True)
    ]
    total = whole(sums)
    is_by_method = ask.by == "method"
    words = {**span_words(ask), "amount": money(-total.total), "back": money(total.debit)}
    return Table(
        columns=(
            group_column(ask.by), Column("earned", gettext_lazy("earned")), Column("taken_back", gettext_lazy("taken back")),
            Column("income", gettext_lazy("income")),
        ),
        rows=rows,
        totals=(Cell(_("Total")), *side_cells(total, query, is_credit_good=True)),
        sentence=_("From %(from)s to %(to)s you earned %(amount)s; %(back)s of discounts and corrections are already off.")
        % words,
        chart="income",
        notes=(str(BY_METHOD),) if is_by_method else (),
        see="received" if is_by_method else "",
    )  # fmt: skip

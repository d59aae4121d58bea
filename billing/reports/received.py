"""Money received: what came into drawers, banks and gateways from customers and agents, whatever it was for."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.choices import EntryKind
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

GROUPS = ("method", "day", "month", "location", "actor", "agent", "account")
# hand-overs and counted differences only move our own money; expenses have their own report
CAUSES = (EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.VOUCHER_SALE, EntryKind.AGENT_DEPOSIT)


def received_report(ask: Ask, user: User) -> Table:
    """Debits of cash, bank and gateway accounts by payments, sales and deposits, less refunds and what was taken back."""
    query = span(ask, accounts=("cash", "bank", "gateway"), causes=tuple(kind.value for kind in CAUSES))
    sums = in_order(grouped(query, ask.by, user), ask.by, ask)
    rows = [
        (name, *side_cells(row, narrowed(query, ask.by, row.key), is_credit_good=False))
        for name, row in zip(group_cells(sums, ask.by), sums, strict=True)
    ]
    total = whole(sums)
    words = {**span_words(ask), "amount": money(total.total), "back": money(-total.credit)}
    return Table(
        columns=(
            group_column(ask.by), Column("received", gettext_lazy("received")),
            Column("given_back", gettext_lazy("given back")), Column("left", gettext_lazy("money received")),
        ),
        rows=rows,
        totals=(Cell(_("Total")), *side_cells(total, query, is_credit_good=False)),
        sentence=_("From %(from)s to %(to)s %(amount)s came in; %(back)s that was given back is already off.") % words,
        chart="left",
    )  # fmt: skip

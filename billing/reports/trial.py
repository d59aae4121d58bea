"""The trial balance: what every account holds at the end of a day. Debits and credits must be the same amount."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.ledger.chart import KINDS, kind_of
from billing.reports.asking import Ask
from billing.reports.grouping import Sums, day_words, group_cells, grouped
from billing.reports.parts import PartsQuery
from billing.reports.postings import PostingQuery
from billing.reports.table import Cell, Column, Form, Table
from core.formats import money

_FAMILIES = list(KINDS)


def trial_report(ask: Ask, user: User) -> Table:
    """Sums of all postings up to the day, by account; entries are whole, so those of one location balance too."""
    query = PostingQuery(to_on=ask.to_on, zone=ask.zone, location=ask.location_id)
    sums = sorted((row for row in grouped(query, "account", user) if row.total), key=_place)
    rows = [_row(row, name, query) for row, name in zip(sums, group_cells(sums, "account"), strict=True)]
    debit = sum((row.total for row in sums if row.total > 0), Decimal(0))
    credit = -sum((row.total for row in sums if row.total < 0), Decimal(0))
    return Table(
        columns=(
            Column("account", gettext_lazy("account"), Form.TEXT), Column("kind", gettext_lazy("kind"), Form.TEXT),
            Column("code", gettext_lazy("code"), Form.TEXT), Column("debit", gettext_lazy("debit")),
            Column("credit", gettext_lazy("credit")),
        ),
        rows=rows,
        totals=(
            Cell(_("Total")), Cell(""), Cell(""),
            *(
                Cell(sum_, PartsQuery("trial-balance", side, ask, trial_report, is_of_a_day=True))
                for side, sum_ in (("debit", debit), ("credit", credit))
            ),
        ),
        sentence=_sentence(debit, credit, ask),
        is_right=debit == credit,
    )  # fmt: skip


def _place(row: Sums) -> tuple[int, str]:
    return _FAMILIES.index(row.key.partition(":")[0]), row.key


def _row(row: Sums, name: Cell, query: PostingQuery) -> tuple[Cell, ...]:
    rows = query.narrowed(accounts=(row.key,))
    nothing = Cell(None)
    debit = Cell(row.total, rows) if row.total > 0 else nothing
    credit = Cell(-row.total, rows, -1) if row.total < 0 else nothing
    return name, Cell(str(kind_of(row.key).label)), Cell(row.key), debit, credit


def _sentence(debit: Decimal, credit: Decimal, ask: Ask) -> str:
    words = {"day": day_words(ask.to_on), "debit": money(debit), "credit": money(credit), "off": money(debit - credit)}
    if debit == credit:
        return _("At the end of %(day)s debits and credits are both %(debit)s; their difference is 0.") % words
    return _("At the end of %(day)s debits are %(debit)s and credits %(credit)s: %(off)s is missing.") % words

"""Sums of postings by day, month, plan, place or person, each with the narrower question that is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from billing.choices import CASH_NAME
from billing.reports.asking import GROUP_LABELS, Ask
from billing.reports.days import day_of, days_between, month_end, month_of, months_between
from billing.reports.names import NAMES_OF
from billing.reports.postings import CREDIT, DEBIT, NONE, PostingQuery
from billing.reports.table import Cell, Column, Form, Text, turned

ENTRY_COLUMNS = {"location": "entry__location_id", "actor": "entry__actor_id", "agent": "entry__agent_id"}
UNNAMED = {
    "plan": gettext_lazy("without a plan"), "location": gettext_lazy("without a location"),
    "actor": gettext_lazy("the system"), "agent": gettext_lazy("without an agent"),
    "method": gettext_lazy("no method named"),
}  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """What one group holds: debits as they are, credits as a negative number."""

    key: Any
    debit: Decimal
    credit: Decimal

    @property
    def total(self) -> Decimal:
        return self.debit + self.credit


def grouped(query: PostingQuery, by: str, user: User) -> list[Sums]:
    """One row per group that has postings, in no order."""
    rows = query.rows(user).annotate(group=_expression(by, query.zone)).order_by().values("group")
    sums = rows.annotate(debit=Sum("amount", filter=Q(amount__gt=0)), credit=Sum("amount", filter=Q(amount__lt=0)))
    return [Sums(row["group"], row["debit"] or Decimal(0), row["credit"] or Decimal(0)) for row in sums]


def _expression(by: str, zone: str) -> Any:
    if by == "day":
        return day_of("entry__occurred_at", zone)
    if by == "month":
        return month_of("entry__occurred_at", zone)
    return F(ENTRY_COLUMNS.get(by) or {"plan": "plan_id", "method": "entry__method", "account": "account"}[by])


def narrowed(query: PostingQuery, by: str, key: Any) -> PostingQuery:
    """The question for one group alone."""
    if by == "day":
        return query.narrowed(from_on=key, to_on=key)
    if by == "month":
        first = max(key, query.from_on) if query.from_on else key
        last = min(month_end(key), query.to_on) if query.to_on else month_end(key)
        return query.narrowed(from_on=first, to_on=last)
    if by == "account":
        return query.narrowed(accounts=(key,))
    return query.narrowed(**{by: NONE if key in {None, ""} else key})


def in_order(sums: Iterable[Sums], by: str, ask: Ask) -> list[Sums]:
    """Every day or month of the span, also those without postings; other groups by size, largest first."""
    found = {row.key: row for row in sums}
    if by not in {"day", "month"}:
        return sorted(found.values(), key=lambda row: (-abs(row.total), str(row.key)))
    keys = (days_between if by == "day" else months_between)(ask.from_on, ask.to_on)
    nothing = Decimal(0)
    return [found.get(key) or Sums(key, nothing, nothing) for key in keys]


def group_column(by: str) -> Column:
    form = {"day": Form.DAY, "month": Form.MONTH}.get(by, Form.TEXT)
    return Column(by, GROUP_LABELS[by], form)


def group_cells(sums: Iterable[Sums], by: str, unnamed: Mapping[str, Text] = UNNAMED) -> list[Cell]:
    """The first cell of every row: the day, or the name of the group; `unnamed` says what rows without one are."""
    keys = [row.key for row in sums]
    if by in {"day", "month"}:
        return [Cell(key) for key in keys]
    if by == "method":
        return [Cell(_("Cash") if key == CASH_NAME else key or str(unnamed["method"])) for key in keys]
    names = NAMES_OF[by]([key for key in keys if key is not None])
    missing = str(unnamed.get(by, ""))
    return [Cell(missing if key is None else names.get(key, _("no longer there"))) for key in keys]


def span(ask: Ask, **fields: Any) -> PostingQuery:
    """The postings of the asked days and location."""
    return PostingQuery(from_on=ask.from_on, to_on=ask.to_on, zone=ask.zone, location=ask.location_id, **fields)


def side_cells(row: Sums, query: PostingQuery, *, is_credit_good: bool) -> tuple[Cell, Cell, Cell]:
    """(what came, what was taken back, what is left) of a group; income comes as credits, money as debits."""
    sign = -1 if is_credit_good else 1
    come, back = (row.credit, row.debit) if is_credit_good else (row.debit, row.credit)
    sides = (CREDIT, DEBIT) if is_credit_good else (DEBIT, CREDIT)
    return (
        Cell(turned(come, sign), query.narrowed(side=sides[0]), sign),
        Cell(turned(back, sign), query.narrowed(side=sides[1]), sign),
        Cell(turned(row.total, sign), query, sign),
    )


def whole(sums: Iterable[Sums]) -> Sums:
    rows = list(sums)
    return Sums(None, sum((row.debit for row in rows), Decimal(0)), sum((row.credit for row in rows), Decimal(0)))


def span_words(ask: Ask) -> dict[str, str]:
    """`from` and `to` for sentences."""
    return {"from": day_words(ask.from_on), "to": day_words(ask.to_on)}


def day_words(day: date) -> str:
    return date_format(day, "j M Y")

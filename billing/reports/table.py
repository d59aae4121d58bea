"""The answer of a report: columns, rows, totals, one sentence, and for each number the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise

from accounts.models import User

Text = str | Promise
Value = Decimal | int | str | date | datetime | None


class Form(StrEnum):
    """How the values of a column are written."""

    TEXT = "text"
    MONEY = "money"
    COUNT = "count"
    DAY = "day"
    MONTH = "month"
    MOMENT = "moment"


class RowsBehind(Protocol):
    """Rows whose sum (of a count: whose number) a number is. `target` names their list, `params` the filter in its address."""

    @property
    def target(self) -> str: ...

    def params(self) -> dict[str, str]: ...

    def total(self, user: User) -> Decimal: ...


@dataclass(frozen=True)
class Column:
    key: str
    label: Text
    form: Form = Form.MONEY

    @property
    def is_number(self) -> bool:
        return self.form in {Form.MONEY, Form.COUNT}


@dataclass(frozen=True)
class Cell:
    """`sign` -1: the number is the rows' sum with the sign turned, as income and debts of ours are credits."""

    value: Value
    rows: RowsBehind | None = None
    sign: int = 1


@dataclass(frozen=True)
class Table:
    """`sentence` says what it shows; `chart` names the column that is drawn; `notes` are things to know about the numbers.

    `is_right` False: the sentence reports that something does not add up. `made_of` says what numbers that are sums of
    several columns are made of. `see` names the report that answers what this one cannot.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Cell] = ()
    sentence: str = ""
    chart: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    is_right: bool = True
    see: str = ""
    made_of: Mapping[str, Table] = field(default_factory=dict)

    def part(self, key: str) -> Table:
        """What the total of a column is the sum of: its numbers by row, or `made_of`, with the rows behind each."""
        if key in self.made_of:
            return self.made_of[key]
        kept = [index for index, column in enumerate(self.columns) if not column.is_number or column.key == key]
        index = self.column(key)
        rows = [[row[place] for place in kept] for row in self.rows if row[index].value]
        return Table([self.columns[place] for place in kept], rows)

    def column(self, key: str) -> int:
        return next(index for index, column in enumerate(self.columns) if column.key == key)

    def points(self) -> list[tuple[Column, Value, Decimal]]:
        """What the chart draws: the first column's value and the number, in the order of the rows."""
        if not self.chart:
            return []
        index = self.column(self.chart)
        return [(self.columns[0], row[0].value, Decimal(str(row[index].value or 0))) for row in self.rows]


def turned(amount: Decimal, sign: int) -> Decimal:
    """The amount times the sign, and never the "-0" that Decimal makes of nothing."""
    return amount * sign + 0


def summed(rows: Sequence[Sequence[Cell]], index: int) -> Decimal:
    """The sum of one column."""
    return sum((Decimal(str(row[index].value or 0)) for row in rows), Decimal(0))

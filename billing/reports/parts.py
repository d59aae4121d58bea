"""Sums of sums: a total of a report leads to the numbers it is made of, and each of those to its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from billing.reports.asking import Ask
from billing.reports.table import Table, summed


@dataclass(frozen=True)
class PartsQuery:
    """The numbers that the total of one column of a report adds up."""

    report: str
    column: str
    ask: Ask
    run: Callable[[Ask, User], Table]
    is_of_a_day: bool = False

    @property
    def target(self) -> str:
        return f"parts:{self.report}"

    def params(self) -> dict[str, str]:
        place = {"location": str(self.ask.location_id)} if self.ask.location_id else {}
        start = {} if self.is_of_a_day else {"from": self.ask.from_on.isoformat()}
        return {"column": self.column, **start, "to": self.ask.to_on.isoformat(), **place}

    def total(self, user: User) -> Decimal:
        table = self.run(self.ask, user).part(self.column)
        return summed(table.rows, table.column(self.column))

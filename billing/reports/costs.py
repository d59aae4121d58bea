"""Costs that stand in no account: what a sold voucher cost. The rooms above that know such costs say so here at start.

The ledger holds what was taken for a voucher; what it cost is written on its sale. `cost_source_register` brings the two together
in the profit without this room knowing vouchers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from accounts.models import User
from billing.reports.asking import Ask
from billing.reports.days import day_end, day_start
from billing.reports.scope import sees_everything


@dataclass(frozen=True)
class CostSpan:
    """The moments (end excluded) whose costs are asked for, in the zone that decides their months."""

    start: datetime
    end: datetime
    zone: str
    location_id: int | None


@dataclass(frozen=True)
class CostRow:
    """One cost: when, what it was, how much; negative when a sale was undone."""

    at: datetime
    text: str
    amount: Decimal


@dataclass(frozen=True)
class CostSource:
    """`by_month` keys are first days of months; `rows` gives the newest `limit` costs."""

    by_month: Callable[[CostSpan], dict[date, Decimal]]
    rows: Callable[[CostSpan, int], Sequence[CostRow]]
    total: Callable[[CostSpan], Decimal]


_sources: list[CostSource] = []


def cost_source_register(source: CostSource) -> None:
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True)
class CostQuery:
    """The costs of some days."""

    target: ClassVar[str] = "costs"

    from_on: date
    to_on: date
    zone: str
    location_id: int | None = None

    @property
    def span(self) -> CostSpan:
        return CostSpan(day_start(self.from_on, self.zone), day_end(self.to_on, self.zone), self.zone, self.location_id)

    def params(self) -> dict[str, str]:
        place = {"location": str(self.location_id)} if self.location_id else {}
        return {"from": self.from_on.isoformat(), "to": self.to_on.isoformat(), **place}

    def total(self, user: User) -> Decimal:
        return (
            sum((source.total(self.span) for source in _sources), Decimal(0)) if sees_everything(user) else Decimal(0)
        )

    def rows(self, user: User, limit: int) -> list[CostRow]:
        """The newest costs; nothing for people who see only a part of the house."""
        if not sees_everything(user):
            return []
        found = [row for source in _sources for row in source.rows(self.span, limit)]
        return sorted(found, key=lambda row: row.at, reverse=True)[:limit]


def by_month(ask: Ask, user: User) -> dict[date, Decimal]:
    span = CostQuery(ask.from_on, ask.to_on, ask.zone, ask.location_id).span
    found: dict[date, Decimal] = defaultdict(Decimal)
    for source in _sources if sees_everything(user) else ():
        for month, amount in source.by_month(span).items():
            found[month] += amount
    return found

"""What is to be billed, before it is a bill; and what tax makes of it. No database here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.choices import TaxMode
from core.errors import DomainError
from core.money import quantise, unit

ZERO = Decimal(0)


@dataclass(frozen=True)
class DraftLine:
    """One line to be. `amount` is the agreed price: tax comes on top, is inside, or does not apply, as the draft says.

    Discounts and credits are negative. With `earned_months` above 1 the amount is income month by month from `earned_from`.
    """

    kind: str
    amount: Decimal
    account: str
    details: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    quantity: Decimal = Decimal(1)
    is_taxed: bool = True
    plan_id: int | None = None
    subscription_id: int | None = None
    earned_from: date | None = None
    earned_months: int = 1


@dataclass(frozen=True)
class InvoiceDraft:
    """One bill to be. `source` names its cause, and a cause is billed once. `location_id` None: the customer's place.

    `kept_id`: the key of the draft row it was kept as, which it takes over.
    """

    customer_id: int
    lines: Sequence[DraftLine]
    source: str
    issued_on: date
    due_on: date
    tax_mode: str = TaxMode.NONE
    subscription_id: int | None = None
    location_id: int | None = None
    period_start: date | None = None
    period_end: date | None = None
    note: str = ""
    charge_ids: Sequence[int] = ()
    coupon_use_ids: Sequence[int] = ()
    kept_id: int | None = None


@dataclass(frozen=True)
class LineAmount:
    """A line as it stands on the bill: without tax, its tax, and the rate."""

    net: Decimal
    tax: Decimal = ZERO
    percent: Decimal = ZERO


def line_amounts(lines: Sequence[DraftLine], tax_mode: str, percent: Decimal) -> list[LineAmount]:
    """Tax of a bill: rounded once on the sum, then shared among the lines by largest remainder, so that they add up exactly.

    Exclusive: the rate on top of what is taxed. Inclusive: the part of the price that is tax; net and tax of a line
    are its price again. Where discounts are larger than what is taxed there is no tax, and never a negative one.
    """
    if tax_mode == TaxMode.NONE or percent == 0:
        return [LineAmount(line.amount) for line in lines]
    base = percent + 100 if tax_mode == TaxMode.INCLUSIVE else Decimal(100)
    exact = [line.amount * percent / base if line.is_taxed else ZERO for line in lines]
    if sum(exact) <= 0:
        exact = [ZERO] * len(lines)
    taxes = shares_rounded(exact)
    inside = tax_mode == TaxMode.INCLUSIVE
    return [
        LineAmount(line.amount - tax if inside else line.amount, tax, percent if line.is_taxed else ZERO)
        for line, tax in zip(lines, taxes, strict=True)
    ]


def shares_rounded(exact: Sequence[Decimal]) -> list[Decimal]:
    """Round exact shares to whole units so that they sum to their rounded sum. Shares may be negative (discounts).

    Largest remainder: each share is rounded down, the units that are missing go to the largest fractions; ties go to
    the earlier one.
    """
    step = unit()
    floors = [(share / step).to_integral_value(rounding=ROUND_FLOOR) * step for share in exact]
    missing = int((quantise(sum(exact, ZERO)) - sum(floors, ZERO)) / step)
    by_fraction = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    raised = set(by_fraction[:missing])
    return [floor + step if i in raised else floor for i, floor in enumerate(floors)]


def draft_check(draft: InvoiceDraft) -> None:
    """Raises DomainError for a draft that cannot be a bill."""
    if not draft.lines:
        raise DomainError("invoice.empty", _("A bill needs at least one line."))
    for line in draft.lines:
        if line.amount != quantise(line.amount):
            raise DomainError("invoice.amount", _("Amounts are whole units of the currency."))
    if sum(line.amount for line in draft.lines) < 0:
        raise DomainError("invoice.negative", _("The discounts are larger than the bill."))

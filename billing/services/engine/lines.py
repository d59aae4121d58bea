"""The lines of a service's bill, made from rows that were read before: no database here.

`details` of a line say everything its words need, as `billing.words` lists them: days are ISO text, `to` is the first day
after, amounts and percents are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from billing import periods
from billing.choices import DiscountKind, LineKind, PeriodMode
from billing.ledger import chart
from billing.models import Addon, CouponUse, Plan, PrepayDiscount, Subscription
from billing.services.invoices import DraftLine
from core.money import quantise

ZERO = Decimal(0)


@dataclass(frozen=True)
class Price:
    """What a month costs, and whose plan that is."""

    plan: Plan
    monthly: Decimal


def anchor_of(subscription: Subscription, default: date) -> int:
    """The day of the month on which its months begin."""
    if subscription.period_mode == PeriodMode.FIXED_DAY:
        return subscription.fixed_day
    return (subscription.started_on or default).day


def service_lines(
    subscription: Subscription, price: Price, start: date, end: date, *, anchor: int | None = None
) -> list[DraftLine]:
    """The service itself: parts of months by the day, whole months together. `anchor`: that of the days' first bill."""
    anchor = anchor_of(subscription, start) if anchor is None else anchor
    found = []
    whole: list[periods.Part] = []
    for part in periods.parts(anchor, start, end):
        if part.is_whole:
            whole.append(part)
            continue
        details = {
            "plan": price.plan.name,
            **_span(part.start, part.end, price.monthly),
            "days": part.days,
            "of": part.of,
        }
        amount = periods.part_price(anchor, price.monthly, part)
        found.append(_of(subscription, LineKind.PRORATION, amount, details, plan_id=price.plan.pk))
    if whole:
        details = {"plan": price.plan.name, **_span(whole[0].start, whole[-1].end, price.monthly), "months": len(whole)}
        found.append(
            _of(
                subscription, LineKind.SUBSCRIPTION, price.monthly * len(whole), details, plan_id=price.plan.pk,
                quantity=Decimal(len(whole)), earned_from=whole[0].start, earned_months=len(whole),
            )
        )  # fmt: skip
    return [line for line in found if line.amount]


def addon_lines(subscription: Subscription, addons: Iterable[Addon], start: date, end: date) -> list[DraftLine]:
    """Add-ons for the days of the bill on which they run: whole months together, parts by the day."""
    anchor = anchor_of(subscription, start)
    found = []
    for addon in addons:
        parts = periods.parts(anchor, max(start, addon.from_on), min(end, addon.until_on or end))
        whole = [part for part in parts if part.is_whole]
        for part in parts:
            if not part.is_whole:
                details = {**_span(part.start, part.end, addon.amount), "days": part.days, "of": part.of}
                amount = periods.part_price(anchor, addon.amount, part)
                found.append(_addon_line(subscription, addon, amount, details))
        if whole:
            details = _span(whole[0].start, whole[-1].end, addon.amount)
            found.append(_addon_line(subscription, addon, addon.amount * len(whole), details))
    return [line for line in found if line.amount]


def _addon_line(subscription: Subscription, addon: Addon, amount: Decimal, details: dict[str, Any]) -> DraftLine:
    details = {"name": addon.name, "addon": addon.pk, **details}
    return _of(subscription, LineKind.ADDON, amount, details, account=chart.INCOME_ADDON)


def discount_lines(
    subscription: Subscription,
    service: Sequence[DraftLine],
    discounts: Iterable[PrepayDiscount],
    uses: Iterable[CouponUse],
) -> list[DraftLine]:
    """Prepaying months first, then the coupons on what is left; together never more than the service costs."""
    found: list[tuple[Decimal, dict[str, Any]]] = []
    months = max((line.earned_months for line in service if line.kind == LineKind.SUBSCRIPTION), default=0)
    best = max((row for row in discounts if row.months <= months), key=lambda row: row.percent, default=None)
    left = sum((line.amount for line in service), ZERO)
    if best is not None:
        whole = sum((line.amount for line in service if line.kind == LineKind.SUBSCRIPTION), ZERO)
        amount = quantise(whole * best.percent / 100)
        found.append((amount, {"months": best.months, "percent": _number(best.percent)}))
        left -= amount
    for use in uses:
        coupon = use.coupon
        details: dict[str, Any] = {"coupon": coupon.code}
        if coupon.kind == DiscountKind.PERCENT:
            amount = quantise(left * coupon.value / 100)
            details["percent"] = _number(coupon.value)
        else:
            amount = min(quantise(coupon.value), left)
            details["amount"] = str(amount)
        found.append((amount, details))
        left -= amount
    return off_lines(subscription, service, found)


def off_lines(
    subscription: Subscription, service: Sequence[DraftLine], found: Iterable[tuple[Decimal, dict[str, Any]]]
) -> list[DraftLine]:
    """Discounts become income with the months they were given for."""
    months = max((line.earned_months for line in service if line.kind == LineKind.SUBSCRIPTION), default=0)
    earned = next((line for line in service if line.kind == LineKind.SUBSCRIPTION), None)
    return [
        _of(
            subscription, LineKind.DISCOUNT, -amount, details, account=chart.INCOME_DISCOUNT,
            earned_from=earned.earned_from if earned else None, earned_months=max(months, 1),
        )
        for amount, details in found
        if amount
    ]  # fmt: skip


def _of(
    subscription: Subscription,
    kind: str,
    amount: Decimal,
    details: dict[str, Any],
    *,
    account: str = chart.INCOME_SUBSCRIPTION,
    quantity: Decimal = Decimal(1),
    plan_id: int | None = None,
    earned_from: date | None = None,
    earned_months: int = 1,
) -> DraftLine:
    return DraftLine(
        kind, amount, account, details, quantity=quantity, plan_id=plan_id, subscription_id=subscription.pk,
        earned_from=earned_from if earned_months > 1 else None, earned_months=earned_months,
    )  # fmt: skip


def _span(start: date, end: date, monthly: Decimal) -> dict[str, Any]:
    return {"from": start.isoformat(), "to": end.isoformat(), "price": str(quantise(monthly))}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"

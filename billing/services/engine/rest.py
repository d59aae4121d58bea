"""Days that are billed already and come on another bill: what of their bill is for them, and what stays off the new one.

Everything is read from the bill that is cut, never from today's terms: its price of a month, its tax, its discounts and
what people credited of it. So another plan of the same price costs nothing, whatever came off the bill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing import periods
from billing.choices import InvoiceStatus, LineKind, TaxMode
from billing.models import Invoice, InvoiceLine, Subscription, SubscriptionPeriod
from billing.services.engine.bills import price_of
from billing.services.engine.lines import ZERO, Price, anchor_of, off_lines, service_lines
from billing.services.invoices import DraftLine
from billing.services.invoices_drafts import line_amounts
from billing.services.invoices_issuing import TaxRates
from core.money import quantise

OF_SERVICE = (LineKind.SUBSCRIPTION, LineKind.PRORATION)
OUT_OF_TURN = ("paused", "ended", "plan_change")  # why days come back; in the source of the credit note that gives them
FROM_BEFORE = frozenset(
    {"carried", "credited", "rounding", "elsewhere"}
)  # in details of a discount that came with its days
Days = tuple[date, date]  # half open


@dataclass(frozen=True)
class Off:
    """What came off a bill, above 0. A percentage follows the price of the days that are left, an amount does not."""

    amount: Decimal
    details: dict[str, Any]

    @property
    def is_percent(self) -> bool:
        return "percent" in self.details


@dataclass(frozen=True)
class Billed:
    """A period and what its bill says of it; amounts are prices as agreed: without tax that came on top, with tax inside."""

    span: SubscriptionPeriod
    invoice: Invoice
    anchor: int
    monthly: Decimal
    offs: Sequence[Off]
    tax_mode: str
    percent: Decimal


@dataclass(frozen=True)
class Cut:
    """Days from `start` up to `end` that are billed already. No `span`: they were paid in another system.

    `billed` is None for days without a bill: free ones, and those paid elsewhere.
    """

    start: date
    end: date
    span: SubscriptionPeriod | None = None
    billed: Billed | None = None

    @property
    def days(self) -> Days:
        return self.start, self.end


def cuts_of(row: Subscription, start: date, end: date) -> list[Cut]:
    """The days up to `end` by the bill they are on, in order. Days whose bill is void are left out: nobody asks for them."""
    found: list[Cut] = []
    spans = SubscriptionPeriod.objects.filter(subscription=row, ends_on__gt=start, starts_on__lt=end)
    for span in spans.select_related("invoice").order_by("starts_on"):
        first, last = max(start, span.starts_on), min(end, span.ends_on)
        if start < first:
            found.append(Cut(start, first))
        if span.invoice is None:
            found.append(Cut(first, last, span))
        elif span.invoice.status in {InvoiceStatus.OPEN, InvoiceStatus.PAID}:
            found.append(Cut(first, last, span, billed_of(row, span, span.invoice)))
        start = last
    if start < end:
        found.append(Cut(start, end))
    return found


def billed_of(row: Subscription, span: SubscriptionPeriod, invoice: Invoice) -> Billed:
    lines = list(invoice.lines.filter(subscription=row, kind__in=[*OF_SERVICE, LineKind.DISCOUNT]))
    service = [line for line in lines if line.kind in OF_SERVICE]
    mode = _tax_mode_of(row, span, invoice, lines)
    prices = [line.details["price"] for line in service if "price" in line.details]
    old = price_of(row).monthly if service else ZERO  # lines that name no price; none: the service cost nothing
    monthly = Decimal(prices[0]) if prices else old
    offs = [Off(-_agreed(line, mode), line.details) for line in lines if line.kind == LineKind.DISCOUNT]
    if by_hand := sum((_agreed(line, mode) for line in credited_by_hand(invoice, lines)), ZERO):
        offs.append(Off(by_hand, {"credited": invoice.number}))
    percent = max((line.tax_percent for line in service), default=ZERO)
    return Billed(span, invoice, bill_anchor(row, span), monthly, offs, mode, percent)


def bill_anchor(row: Subscription, span: SubscriptionPeriod) -> int:
    """The day of the month its months began on: a period ends where a month does, also when the day was changed since."""
    today = anchor_of(row, span.starts_on)
    return today if periods.is_boundary(today, span.ends_on) else span.ends_on.day


def credited_by_hand(invoice: Invoice, lines: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    """What people credited of these lines: a lower price for all the days. Our own credit notes are about other days."""
    ids = {line.pk for line in lines}
    ours = tuple(f"credit:{invoice.pk}:{why}:" for why in OUT_OF_TURN)
    found = InvoiceLine.objects.filter(invoice__credits=invoice).select_related("invoice")
    return [row for row in found if row.details.get("line") in ids and not row.invoice.source.startswith(ours)]


def _agreed(line: InvoiceLine, tax_mode: str) -> Decimal:
    net: Decimal = line.amount
    return net + line.tax_amount if tax_mode == TaxMode.INCLUSIVE else net


def _tax_mode_of(row: Subscription, span: SubscriptionPeriod, invoice: Invoice, lines: Sequence[InvoiceLine]) -> str:
    """How tax was counted on the bill; as the service's terms say now where the bill does not show it."""
    if not any(line.tax_percent for line in lines):
        was_taxed = invoice.issued_on and TaxRates().on(invoice.issued_on, TaxMode.EXCLUSIVE)
        return TaxMode.NONE if was_taxed else row.tax_mode
    tax = sum((line.tax_amount for line in lines), ZERO)
    if not tax:  # a bill of nothing
        return TaxMode.EXCLUSIVE if row.tax_mode == TaxMode.NONE else row.tax_mode
    net = sum((line.amount for line in lines), ZERO)
    return TaxMode.INCLUSIVE if net + tax == span.amount else TaxMode.EXCLUSIVE


def rest_lines(row: Subscription, cut: Cut, price: Price, before: Price) -> list[DraftLine]:
    """The days at this price. Off it: what came off their bill, by the day; for days paid elsewhere what they cost `before`."""
    anchor = cut.billed.anchor if cut.billed else anchor_of(row, cut.start)
    service = service_lines(row, price, *cut.days, anchor=anchor)
    left = sum((line.amount for line in service), ZERO)
    found: list[tuple[Decimal, dict[str, Any]]] = []
    for off in _offs(cut, anchor, left, before):
        amount = min(off.amount, left)
        left -= amount
        known = {"amount": str(amount)} if "amount" in off.details else {}
        found.append((amount, {**off.details, **known}))
    return [*service, *off_lines(row, service, found)]


def _offs(cut: Cut, anchor: int, asked: Decimal, before: Price) -> list[Off]:
    if cut.billed is not None:
        return _carried(cut.billed, cut.days, asked)
    if cut.span is not None:
        return []
    return [Off(periods.price_of(anchor, before.monthly, *cut.days), {"elsewhere": cut.end.isoformat()})]


def _carried(billed: Billed, days: Days, asked: Decimal) -> list[Off]:
    """Discounts of the bill that are for these days, as their price is to the bill's; percentages of what is asked now."""
    all_days = billed.span.starts_on, billed.span.ends_on
    was, whole = (periods.price_of(billed.anchor, billed.monthly, *some) for some in (days, all_days))
    if not whole:
        return []
    number = billed.invoice.number
    return [
        Off(quantise(off.amount * (asked if off.is_percent else was) / whole), {**off.details, "carried": number})
        for off in billed.offs
    ]


def fitted(row: Subscription, cut: Cut, left: Decimal) -> Cut:
    """Where tax was rounded over more than these lines, a rupiah of them cannot be credited: the new bill leaves it out too."""
    billed = cut.billed
    while billed is not None and (over := rest_worth(row, replace(cut, billed=billed))[1] - left) > 0:
        was, whole = (
            periods.price_of(billed.anchor, billed.monthly, *days)
            for days in (cut.days, (billed.span.starts_on, billed.span.ends_on))
        )
        billed = replace(billed, offs=[*billed.offs, Off(over * whole / was, {"rounding": billed.invoice.number})])
    return replace(cut, billed=billed)


def rest_worth(row: Subscription, cut: Cut) -> tuple[Decimal, Decimal]:
    """What the bill asked for the days that are left: as agreed, and with tax."""
    billed = cut.billed
    if billed is None:
        return ZERO, ZERO
    price = Price(row.plan, billed.monthly)
    lines = rest_lines(row, cut, price, price)
    amounts = line_amounts(lines, billed.tax_mode, billed.percent)
    return sum((line.amount for line in lines), ZERO), sum((part.net + part.tax for part in amounts), ZERO)

"""Days out of turn: the part of a period that was used, the part that was paid and not used, the last charges.

Credits are credit notes on the bill of the days: they lower what is open of it, and what was paid already becomes the
customer's balance. Shares of a bill by the day sum exactly to it, so nothing is lost however often a period is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from billing import periods
from billing.choices import InvoiceKind, InvoiceStatus, LineKind
from billing.models import Addon, Charge, Invoice, InvoiceLine, Subscription, SubscriptionPeriod
from billing.services.engine.bills import Extras, bill_of, bills_write, price_of
from billing.services.engine.lines import ZERO, anchor_of
from billing.services.engine.rest import OF_SERVICE, bill_anchor, credited_by_hand
from billing.services.invoices import InvoiceDraft, charge_line, credit_left, credit_note_issue, invoice_issue
from core.money import quantise


def used_part_bill(row: Subscription, until: date, *, now: datetime) -> int:
    """Days that were used and not billed yet, billed before their turn. Leaves `billed_until` at `until`.

    Postpaid ones, and the first part of a month that waits for its first full bill, prepaid or not.
    """
    if row.billed_until is None or row.billed_until >= until:
        return 0
    bill = bill_of(row, row.billed_until, until, Extras([row]), until, issued_on=until)
    return bills_write([bill], now=now)


def final_bill_issue(row: Subscription, today: date, *, now: datetime) -> Invoice | None:
    """Charges of the service that still wait for a bill: there will be no other."""
    charges = list(
        Charge.objects.filter(subscription=row, invoice=None, cancelled_at=None).select_related("subscription")
    )
    if not charges:
        return None
    draft = InvoiceDraft(
        customer_id=row.customer_id, lines=[charge_line(charge) for charge in charges], source=f"sub:{row.pk}:final",
        issued_on=today,
        due_on=periods.due_day(today, row.due_days, not_before=today), tax_mode=row.tax_mode, subscription_id=row.pk,
        location_id=row.location_id, charge_ids=[charge.pk for charge in charges],
    )  # fmt: skip
    return invoice_issue(draft, now=now)[0]


def unused_credit(
    row: Subscription,
    start: date,
    end: date,
    *,
    why: str,
    now: datetime,
    actor: User | None,
    ip: str | None = None,
    reason: str = "",
) -> Decimal:
    """Credit the billed days from `start` up to `end`, add-ons too; returns how much. `why`: paused, ended."""
    total = ZERO
    spans = SubscriptionPeriod.objects.filter(
        subscription=row, ends_on__gt=start, starts_on__lt=end, invoice__isnull=False
    ).select_related("invoice")
    for span in spans.order_by("starts_on"):
        first, last = max(start, span.starts_on), min(end, span.ends_on)
        if first >= last or span.invoice is None:
            continue
        wanted = _share(row, span, span.invoice, (first, last))
        total += days_credit(
            row, span, first, last, wanted, why=why, now=now, actor=actor, ip=ip, reason=reason
        )  # fmt: skip
    return total + _addons_credit(row, start, end, why=why, now=now, actor=actor, ip=ip, reason=reason)


def _addons_credit(
    row: Subscription, start: date, end: date, *, why: str, now: datetime, actor: User | None, ip: str | None,
    reason: str, only: Addon | None = None,
) -> Decimal:  # fmt: skip
    """The same days of add-ons that are on bills: on the service's own, or on one made when the add-on began."""
    key = f"addons:{why}:{row.pk}:{start.isoformat()}:{end.isoformat()}" if only is None else f"addon:{only.pk}"
    total = ZERO
    for invoice, parts in _addon_parts(row, start, end, only):
        note = credit_note_issue(
            invoice, lines=parts, reason=reason, why=_addon_why(start, end, why, only), now=now, actor=actor, ip=ip,
            request_key=key,
        )  # fmt: skip
        total += note.total
    return total


def addon_credit(
    addon: Addon, row: Subscription, start: date, *, now: datetime, actor: User | None, ip: str | None, reason: str
) -> Decimal:
    """Credit the billed days of one add-on from `start` on; returns how much. Call it before the add-on gets its end."""
    end = row.billed_until or start
    return _addons_credit(row, start, end, why="ended", now=now, actor=actor, ip=ip, reason=reason, only=addon)


def addon_credit_worth(addon: Addon, row: Subscription, start: date) -> Decimal:
    """What `addon_credit` would credit, for the screen that asks."""
    found = _addon_parts(row, start, row.billed_until or start, addon)
    return sum((sum(parts.values(), ZERO) for _invoice, parts in found), ZERO)


def _addon_parts(
    row: Subscription, start: date, end: date, only: Addon | None
) -> list[tuple[Invoice, dict[int, Decimal]]]:
    """Per bill the amounts by line position. What was credited is not credited again, nor days after an add-on's end."""
    issued = Invoice.objects.filter(
        subscription=row, kind=InvoiceKind.INVOICE, status__in=[InvoiceStatus.OPEN, InvoiceStatus.PAID],
        pk__in=InvoiceLine.objects.filter(invoice__subscription=row, kind=LineKind.ADDON).values("invoice"),
    )  # fmt: skip
    ends = dict(row.addons.values_list("pk", "until_on"))
    named = (only.name, str(quantise(only.amount))) if only else None
    found = []
    for invoice in issued.order_by("pk"):
        parts: dict[int, Decimal] = {}
        for line, rest in _rests(invoice, row, (LineKind.ADDON,)):
            pk = line.details.get("addon")  # older lines do not say which one
            if only is None or (pk or (line.details["name"], line.details["price"])) in {only.pk, named}:
                until = min(end, ends.get(pk) or end)
                part = min(_addon_share(row, line, start, until), rest)
                if part > 0:
                    parts[line.position] = part
        if parts:
            found.append((invoice, parts))
    return found


def _addon_share(row: Subscription, line: InvoiceLine, start: date, end: date) -> Decimal:
    """What of an add-on's line, with its tax, is for days from `start` up to `end`."""
    span = date.fromisoformat(line.details["from"]), date.fromisoformat(line.details["to"])
    monthly = Decimal(line.details["price"])
    return periods.share(anchor_of(row, span[0]), monthly, line.amount + line.tax_amount, span, (start, end))


def days_credit(
    row: Subscription, span: SubscriptionPeriod, first: date, last: date, wanted: Decimal, *, why: str, now: datetime,
    actor: User | None, ip: str | None, reason: str,
) -> Decimal:  # fmt: skip
    """Credit `wanted`, with tax, of the bill of these days, as far as it can still be credited; returns how much."""
    invoice = span.invoice
    if invoice is None or invoice.status not in {InvoiceStatus.OPEN, InvoiceStatus.PAID}:
        return ZERO  # taken back already
    lines = _rests(invoice, row)
    wanted = min(wanted, _most(lines, invoice))
    if wanted <= 0:
        return ZERO
    note = credit_note_issue(
        invoice, lines=_from_the_end(lines, wanted), reason=reason, why=_why(span, first, last, why), now=now,
        actor=actor, ip=ip, request_key=f"{why}:{row.pk}:{first.isoformat()}:{last.isoformat()}",
    )  # fmt: skip
    total: Decimal = note.total
    return total


def days_credit_most(row: Subscription, invoice: Invoice) -> Decimal:
    """What of the service on this bill can still be credited."""
    return _most(_rests(invoice, row), invoice)


def _most(lines: Sequence[tuple[InvoiceLine, Decimal]], invoice: Invoice) -> Decimal:
    return min(sum((rest for _line, rest in lines), ZERO), credit_left(invoice))


def _share(row: Subscription, span: SubscriptionPeriod, invoice: Invoice, days: tuple[date, date]) -> Decimal:
    """What of the bill, with its tax, after its discounts and what a person credited of it, is for these days."""
    lines = list(invoice.lines.filter(subscription=row, kind__in=[*OF_SERVICE, LineKind.DISCOUNT]))
    paid = sum((line.amount + line.tax_amount for line in lines), ZERO)
    paid -= sum((line.amount + line.tax_amount for line in credited_by_hand(invoice, lines)), ZERO)
    # the price of the bill, not today's: that may hold only from the next bill on
    prices = [line.details["price"] for line in lines if line.kind in OF_SERVICE and "price" in line.details]
    monthly = Decimal(prices[0]) if prices else price_of(row).monthly
    return periods.share(bill_anchor(row, span), monthly, paid, (span.starts_on, span.ends_on), days)


def _rests(invoice: Invoice, row: Subscription, kinds: Sequence[str] = OF_SERVICE) -> list[tuple[InvoiceLine, Decimal]]:
    """The service's lines of these kinds with what of each is not credited yet."""
    credited: dict[int, Decimal] = {}
    for line in InvoiceLine.objects.filter(invoice__credits=invoice):
        of = line.details.get("line")
        credited[of] = credited.get(of, ZERO) + line.amount + line.tax_amount
    lines = invoice.lines.filter(subscription=row, kind__in=kinds).order_by("-position")
    rests = [(line, line.amount + line.tax_amount - credited.get(line.pk, ZERO)) for line in lines]
    return [(line, rest) for line, rest in rests if rest > 0]


def _from_the_end(lines: Sequence[tuple[InvoiceLine, Decimal]], wanted: Decimal) -> dict[int, Decimal]:
    """Days that are not used are the last ones of a bill."""
    found: dict[int, Decimal] = {}
    for line, rest in lines:
        part = min(rest, wanted)
        if part > 0:
            found[line.position] = part
            wanted -= part
    return found


def _why(span: SubscriptionPeriod, first: date, last: date, why: str) -> dict[str, Any]:
    """What `billing.words.why_words` makes a sentence of; `to` is the first day after."""
    n, of = (last - first).days, (span.ends_on - span.starts_on).days
    return {"why": why, "from": first.isoformat(), "to": last.isoformat(), "days": n, "of": of}


def _addon_why(first: date, end: date, why: str, only: Addon | None) -> dict[str, Any]:
    kind = "addon_ended" if only is not None else "addons_paused" if why == "paused" else "addons_ended"
    return {"why": kind, "from": first.isoformat(), "to": end.isoformat()}

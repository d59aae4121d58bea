"""Credit notes: the only way to ask less than an issued bill asks.

A credit note mirrors lines of its bill: income and tax go back, what of it was not income yet comes out of `unearned`.
It settles the open part of the bill; what was paid already becomes the customer's balance. It is closed from its first
moment: its own entry is allocated to it too, so that it never looks like something that is owed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind, InvoiceKind, LineKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Allocation, Invoice, InvoiceLine, JournalEntry
from billing.services.amounts import amount_positive
from billing.services.invoices_acting import day_at, invoice_lock, reason_checked, refuse_unless_issued, staff_acted
from billing.services.invoices_drafts import DraftLine, InvoiceDraft, LineAmount, shares_rounded
from billing.services.invoices_earning import unearned_left
from billing.services.invoices_issuing import Bill, invoice_ids, rows_write
from billing.services.invoices_numbers import CREDIT_NOTE_SERIES
from billing.services.settling import Share, allocations_write
from core.errors import DomainError
from core.formats import money
from core.settings_registry import setting
from customers.models import Customer

ZERO = Decimal(0)


@dataclass
class Rest:
    """What of one line is not credited yet."""

    line: InvoiceLine
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@transaction.atomic
def credit_note_issue(
    invoice: Invoice,
    *,
    amount: Decimal | int | str | None = None,
    lines: Mapping[int, Decimal | int | str] | None = None,
    reason: str,
    why: Mapping[str, Any] | None = None,
    now: datetime,
    actor: User | None,
    ip: str | None = None,
    request_key: str = "",
) -> Invoice:
    """Credit an amount (with tax), amounts by line position, or with neither all that is left of the bill.

    An amount is spread over all lines. `why`: what `billing.words.why_words` makes the explanation of, in the reader's
    language; with it nobody has to give a reason. Raises DomainError when more would be credited than the bill asked.
    The same `request_key` returns the credit note it made.
    """
    text = reason[:300] if why else reason_checked(reason)
    fresh, root = invoice_lock(invoice, actor)
    notes = Invoice.objects.filter(credits=fresh, kind=InvoiceKind.CREDIT_NOTE)
    source = f"credit:{fresh.pk}:{request_key or notes.count() + 1}"
    if known := notes.filter(source=source).first():
        return known
    refuse_unless_issued(fresh)
    rests = _rests(fresh)
    parts = _by_line(rests, lines) if lines is not None else _spread(rests, amount)
    note, entry = _write(fresh, root, parts, source=source, reason=text, why=why, now=now, actor=actor)
    settled = min(note.total, fresh.total - fresh.settled_amount)
    Allocation.objects.create(invoice=note, entry=entry, amount=note.total, at=now)
    if settled:
        allocations_write([(entry, Share(fresh, settled))], now=now)
    staff_acted(
        actor, "invoice.credited", ip, invoice=fresh.pk, number=fresh.number, credit_note=note.pk,
        amount=str(note.total), to_balance=str(note.total - settled), reason=text, **({"why": why["why"]} if why else {}),
    )  # fmt: skip
    note.refresh_from_db()
    return note


def credit_left(invoice: Invoice) -> Decimal:
    """What of the bill can still be credited, with tax; for the screen that asks."""
    return sum((rest.gross for rest in _rests(invoice)), ZERO)


def _rests(invoice: Invoice) -> list[Rest]:
    rests = {line.pk: Rest(line, line.amount, line.tax_amount) for line in invoice.lines.order_by("position")}
    for credited in InvoiceLine.objects.filter(invoice__credits=invoice):
        rest = rests[credited.details["line"]]
        rest.net -= credited.amount
        rest.tax -= credited.tax_amount
    return list(rests.values())


def _spread(rests: Sequence[Rest], amount: Decimal | int | str | None) -> list[Rest]:
    """The amount over all lines in proportion to what is left of them; everything when it is all that is left."""
    net, tax = sum((rest.net for rest in rests), ZERO), sum((rest.tax for rest in rests), ZERO)
    left = net + tax
    wanted = left if amount is None else amount_positive(amount)
    _refuse_too_much(wanted, left, "amount")
    if wanted == left:
        return list(rests)
    taxes = shares_rounded([rest.tax * wanted / left for rest in rests])
    of_net = wanted - sum(taxes, ZERO)
    nets = shares_rounded([rest.net * of_net / net if net else ZERO for rest in rests])
    return [Rest(rest.line, *pair) for rest, pair in zip(rests, zip(nets, taxes, strict=True), strict=True)]


def _by_line(rests: Sequence[Rest], lines: Mapping[int, Decimal | int | str]) -> list[Rest]:
    by_position = {rest.line.position: rest for rest in rests}
    parts = []
    for position, amount in sorted(lines.items()):
        rest, field = by_position.get(position), f"line_{position}"
        if rest is None:
            message = _("The bill has no line %(n)d.") % {"n": position}
            raise DomainError("invoice.no_line", message, fields={field: message})
        wanted = amount_positive(amount, field=field)
        _refuse_too_much(wanted, rest.gross, field)
        tax = shares_rounded([rest.tax * wanted / rest.gross])[0]
        parts.append(Rest(rest.line, wanted - tax, tax))
    if sum((part.gross for part in parts), ZERO) > sum((rest.gross for rest in rests), ZERO):
        raise _too_much(sum((rest.gross for rest in rests), ZERO), "amount")
    return parts


def _refuse_too_much(wanted: Decimal, left: Decimal, field: str) -> None:
    if wanted > left or wanted <= 0:
        raise _too_much(max(left, ZERO), field)


def _too_much(left: Decimal, field: str) -> DomainError:
    message = _("At most %(amount)s of this can still be credited.") % {"amount": money(left)}
    return DomainError("invoice.credit_too_much", message, fields={field: message})


def _write(
    invoice: Invoice, root: Customer, parts: Sequence[Rest], *, source: str, reason: str,
    why: Mapping[str, Any] | None, now: datetime, actor: User | None,
) -> tuple[Invoice, JournalEntry]:  # fmt: skip
    """The credit note's rows and its entry."""
    lines, amounts = _lines(invoice, parts, {"why": dict(why)} if why else {})
    day = day_at(invoice.location, now)
    draft = InvoiceDraft(
        root.pk, lines, source, day, day, subscription_id=invoice.subscription_id, location_id=invoice.location_id,
        note=reason,
    )  # fmt: skip
    bill = Bill(invoice_ids(1)[0], draft, root, amounts, InvoiceKind.CREDIT_NOTE, invoice.pk)
    rows_write([bill], series=str(setting(CREDIT_NOTE_SERIES)), now=now, actor=actor)
    settled = min(bill.total, invoice.total - invoice.settled_amount)
    legs = [Line(line.account, amount.net, plan_id=line.plan_id) for line, amount in zip(lines, amounts, strict=True)]
    legs += [
        Line(chart.TAX, bill.tax), Line(chart.RECEIVABLE, -settled, root.pk),
        Line(chart.WALLET, settled - bill.total, root.pk),
    ]  # fmt: skip
    entry, _new = entry_post(
        kind=EntryKind.CREDIT_NOTE, source=f"invoice:{bill.id}", lines=legs, occurred_at=now, actor=actor,
        location_id=invoice.location_id, reason=reason,
    )  # fmt: skip
    return Invoice.objects.get(pk=bill.id), entry


def _lines(
    invoice: Invoice, parts: Sequence[Rest], more: Mapping[str, Any]
) -> tuple[list[DraftLine], list[LineAmount]]:
    """One line per credited line; two where part of it was not income yet. `line` in details says which it mirrors."""
    left = unearned_left([part.line for part in parts if part.line.earned_months > 1])
    lines: list[DraftLine] = []
    amounts: list[LineAmount] = []
    for part in parts:
        if part.net == 0 and part.tax == 0:
            continue
        # lines of discounts are negative: so is what is not earned of them
        unearned = left.get(part.line.pk, ZERO)
        early = min(part.net, unearned) if part.net > 0 else max(part.net, unearned)
        early = early if early * part.net > 0 else ZERO
        pieces = [(part.line.account, part.net - early, part.tax), (chart.UNEARNED, early, ZERO)]
        if part.net == early != 0:
            pieces = [(chart.UNEARNED, early, part.tax)]
        for account, net, tax in pieces:
            if net == 0 and tax == 0:
                continue
            details = {
                "line": part.line.pk, "number": invoice.number, "kind": part.line.kind, "text": part.line.text,
                "details": part.line.details, **more,
            }  # fmt: skip
            lines.append(
                DraftLine(
                    LineKind.CREDIT, net + tax, account, details=details, plan_id=part.line.plan_id,
                    subscription_id=part.line.subscription_id,
                )
            )  # fmt: skip
            amounts.append(LineAmount(net, tax, part.line.tax_percent))
    return lines, amounts

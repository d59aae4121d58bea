"""What the public page of a bill shows: that bill, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from billing.choices import EntryKind, InvoiceKind, InvoiceStatus
from billing.models import Allocation, Invoice
from billing.selectors import carried_of
from billing.words import carried_words, line_words
from core import formats
from core.words import Tone

MONEY_KINDS = frozenset({EntryKind.PAYMENT, EntryKind.SETTLEMENT})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,40}")
ICONS = {Tone.GOOD: "check", Tone.WAITING: "clock", Tone.BAD: "alert", Tone.QUIET: "stop"}


@dataclass(frozen=True)
class State:
    """`title` is the one sentence; `text` what it means for the reader."""

    tone: Tone
    title: str
    text: str

    @property
    def icon(self) -> str:
        return ICONS[self.tone]


@dataclass(frozen=True)
class Row:
    """Something with an amount: a line, a settlement."""

    text: str
    amount: str
    note: str = ""


def invoice_by_token(token: str) -> Invoice | None:
    """The issued bill behind a pay link. Credit notes and drafts have no page."""
    if not _TOKEN.fullmatch(token):
        return None
    rows = Invoice.objects.filter(token=token, kind=InvoiceKind.INVOICE).exclude(status=InvoiceStatus.DRAFT)
    return rows.select_related("customer", "location", "credits").first()


def line_rows(invoice: Invoice) -> list[Row]:
    return [Row(line_words(line), formats.money(line.amount)) for line in invoice.lines.all()]


def carried_rows(invoice: Invoice) -> list[str]:
    """Older debt and the balance of the same customer, while this bill is open: sums, no other bill by name."""
    carried = carried_of(invoice)
    return carried_words(carried.debt, carried.balance)


def settlements(invoice: Invoice) -> list[Allocation]:
    """What settled it, oldest first."""
    return list(Allocation.objects.filter(invoice=invoice).select_related("entry__reverses").order_by("at", "pk"))


def settlement_rows(invoice: Invoice, allocations: Sequence[Allocation]) -> list[Row]:
    zone = invoice.location.timezone if invoice.location else None
    return [
        Row(_settlement_words(row), formats.money(abs(row.amount)), formats.moment(row.at, zone)) for row in allocations
    ]


def _settlement_words(row: Allocation) -> str:
    if row.amount < 0:
        return _("Taken back")
    if row.entry.kind == EntryKind.CREDIT_NOTE:
        return _("Credit note")
    if row.entry.kind == EntryKind.SETTLEMENT:
        return _("Paid from your balance")
    if row.entry.kind == EntryKind.WRITE_OFF:
        return _("Not asked any more")
    if row.entry.kind == EntryKind.PAYMENT and row.entry.method:
        return _("Paid by %(method)s") % {"method": row.entry.method}
    return _("Paid")


def state_of(invoice: Invoice, allocations: Sequence[Allocation], today: date) -> State:
    """Where the bill stands, as it is in the ledger this moment."""
    if invoice.status == InvoiceStatus.VOID:
        return State(Tone.QUIET, _("This bill is void."), _("Nothing is to be paid for it."))
    left = invoice.total - invoice.settled_amount
    if invoice.status == InvoiceStatus.PAID:
        if all(row.entry.kind in MONEY_KINDS for row in allocations if row.amount > 0):
            return State(Tone.GOOD, _("Paid. Thank you."), _("Nothing more is to be paid for this bill."))
        return State(Tone.GOOD, _("Settled."), _("Nothing more is to be paid for this bill."))
    title = _("%(amount)s to pay") % {"amount": formats.money(left)}
    if invoice.settled_amount:
        named = {"paid": formats.money(invoice.settled_amount), "total": formats.money(invoice.total)}
        text = _("%(paid)s of %(total)s is settled already.") % named
    else:
        text = ""
    due = invoice.due_on
    if due is not None and due < today:
        return State(Tone.BAD, title, " ".join([text, _("It was due on %(day)s.") % {"day": _day(due)}]).strip())
    return State(Tone.WAITING, title, " ".join([text, _("Please pay by %(day)s.") % {"day": _day(due)}]).strip())


def _day(day: date | None) -> str:
    return date_format(day, "j M Y") if day else ""


def total_rows(invoice: Invoice) -> list[Row]:
    rows = []
    if invoice.tax_amount:
        rows = [
            Row(_("Without tax"), formats.money(invoice.subtotal)),
            Row(_("Tax"), formats.money(invoice.tax_amount)),
        ]
    return [*rows, Row(_("Total"), formats.money(invoice.total))]


def left_of(invoice: Invoice) -> Decimal:
    """What is still to be paid; nothing for a bill that is not open."""
    return invoice.total - invoice.settled_amount if invoice.status == InvoiceStatus.OPEN else Decimal(0)

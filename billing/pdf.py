"""Bills, credit notes and receipts on A4, in the customer's language.

The font is DejaVu Sans Condensed, which comes with us (`core/fonts`, its licence beside it) and is embedded with the
glyphs that are used: nothing is fetched, and names with accents, Greek, Cyrillic, Arabic or Vietnamese letters are
written as they are. What the font lacks (Chinese, emoji) is printed as an empty box; the text itself stays in the file.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import segno
from django.conf import settings
from django.utils.dateformat import format as date_format
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from billing.choices import InvoiceKind, InvoiceStatus
from billing.models import Invoice
from billing.selectors import carried_of, note_of
from billing.words import carried_words, line_words, percent_words
from core.formats import moment, money, number
from core.links import pay_link
from core.settings_registry import setting
from customers.models import Customer

FONTS = Path(settings.BASE_DIR) / "core" / "fonts"
FAMILY = "DejaVu"
MARGIN, WIDTH = 18, 210 - 2 * 18  # mm
QR_SIZE = 30
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every table of every font it reads
INK, QUIET, RULE = (15, 23, 42), (71, 85, 105), (203, 213, 225)


@dataclass(frozen=True)
class Receipt:
    """What a receipt says; the room that took the money fills it in."""

    customer: Customer
    reference: str
    amount: Decimal
    method: str
    received_at: datetime
    received_by: str = ""
    zone: str | None = None
    settled: Sequence[tuple[str, Decimal]] = ()  # number of the bill, amount
    to_balance: Decimal = Decimal(0)


def language_of(customer: Customer) -> str:
    """The customer's language, else the installation's."""
    return customer.language or settings.LANGUAGE_CODE.split("-")[0]


def invoice_pdf(invoice: Invoice, language: str = "") -> bytes:
    """The bill or credit note as a file. Needs `customer`; reads lines, and what is open beside it."""
    with override(language or language_of(invoice.customer)):
        page = Page(_title(invoice))
        page.set_creation_date(invoice.opened_at or invoice.created_at)
        page.letterhead(_title(invoice), _dates(invoice))
        page.party(_("Bill to"), invoice.customer)
        page.lines([(line_words(row), row.quantity, row.amount) for row in invoice.lines.all()])
        page.totals(_totals(invoice))
        carried = carried_of(invoice)
        for text in carried_words(carried.debt, carried.balance):
            page.paragraph(text)
        if note := note_of(invoice):
            page.paragraph(note)
        if invoice.kind == InvoiceKind.INVOICE and invoice.status == InvoiceStatus.OPEN:
            page.pay_box(pay_link(invoice.token))
        return page.done()


def receipt_pdf(receipt: Receipt, language: str = "") -> bytes:
    """A receipt for money that was taken."""
    with override(language or language_of(receipt.customer)):
        page = Page(_("Receipt"))
        page.set_creation_date(receipt.received_at)
        facts = [(_("Reference"), receipt.reference), (_("Received"), moment(receipt.received_at, receipt.zone))]
        facts.append((_("Paid by"), receipt.method))
        if receipt.received_by:
            facts.append((_("Received by"), receipt.received_by))
        page.letterhead(_("Receipt"), facts)
        page.party(_("Received from"), receipt.customer)
        rows = [(_("For %(number)s") % {"number": name}, money(amount), False) for name, amount in receipt.settled]
        if receipt.to_balance:
            rows.append((_("To your balance"), money(receipt.to_balance), False))
        page.totals([*rows, (_("Received"), money(receipt.amount), True)])
        return page.done()


def _title(invoice: Invoice) -> str:
    return _("Credit note") if invoice.kind == InvoiceKind.CREDIT_NOTE else _("Invoice")


def _dates(invoice: Invoice) -> list[tuple[str, str]]:
    facts = [(_("Number"), str(invoice.number)), (_("Issued"), _day(invoice.issued_on))]
    if invoice.credits is not None:
        facts.append((_("Credits"), str(invoice.credits.number)))
    else:
        facts.append((_("To pay by"), _day(invoice.due_on)))
    if invoice.status == InvoiceStatus.VOID:
        facts.append((_("State"), _("VOID, nothing is to be paid")))
    elif invoice.status == InvoiceStatus.PAID and invoice.kind == InvoiceKind.INVOICE:
        facts.append((_("State"), _("PAID")))
    return facts


def _day(day: Any) -> str:
    return date_format(day, "j M Y") if day else ""


def _totals(invoice: Invoice) -> list[tuple[str, str, bool]]:
    """Label, amount, and whether it is the one that counts."""
    rows = []
    if invoice.tax_amount:
        rows.append((_("Without tax"), money(invoice.subtotal), False))
        percents = sorted({row.tax_percent for row in invoice.lines.all() if row.tax_percent})
        label = _("Tax %(percent)s") % {"percent": ", ".join(percent_words(percent) for percent in percents)}
        rows.append((label, money(invoice.tax_amount), False))
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return [*rows, (_("Credited"), money(invoice.total), True)]
    if invoice.status == InvoiceStatus.VOID or not invoice.settled_amount:
        return [*rows, (_("Total"), money(invoice.total), True)]
    rows.append((_("Total"), money(invoice.total), False))
    rows.append((_("Paid or credited"), money(invoice.settled_amount), False))
    return [*rows, (_("Still to pay"), money(invoice.total - invoice.settled_amount), True)]


class Page(FPDF):
    """Our letter paper."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.add_font(FAMILY, "", FONTS / "DejaVuSansCondensed.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSansCondensed-Bold.ttf")
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=26)
        self.set_title(title)
        self.set_lang(get_language() or settings.LANGUAGE_CODE)
        self.foot = " ".join(str(setting("invoice.footer")).split())
        self.add_page()

    def footer(self) -> None:
        """The operator's last lines and the number of the page, on every page."""
        self.set_y(-22)
        self._font(8, color=QUIET)
        if self.foot:
            self.multi_cell(WIDTH, 4, self.foot, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT, max_line_height=4)
        self.set_y(-10)
        self.cell(WIDTH, 4, f"{self.page_no()} / {{nb}}", align="C")

    def letterhead(self, title: str, facts: Sequence[tuple[str, str]]) -> None:
        """Who we are on the left, what this paper is on the right; the longer one decides the height."""
        top, left = self.get_y(), 95
        self._font(14, bold=True)
        self._text(left, 6.5, str(setting("company.name")))
        self._font(9, color=QUIET)
        for row in self._company():
            self._text(left, 4.6, row)
        bottom = self.get_y()
        self.set_xy(MARGIN + left, top)
        self._font(14, bold=True)
        self.multi_cell(WIDTH - left, 6.5, title, align="R", new_x=XPos.LEFT, new_y=YPos.NEXT)
        for label, value in facts:
            self._font(9, color=QUIET)
            self.set_x(MARGIN + left)
            self.cell(32, 5, label)
            self._font(9, bold=True)
            self.multi_cell(WIDTH - left - 32, 5, value, align="R", new_x=XPos.LEFT, new_y=YPos.NEXT)
        self.set_y(max(bottom, self.get_y()) + 6)

    def _company(self) -> list[str]:
        rows = [part.strip() for part in str(setting("company.address")).split(",") if part.strip()]
        phone, tax = str(setting("company.phone")), str(setting("company.tax_number"))
        return rows + ([phone] if phone else []) + ([f"NPWP {tax}"] if tax else [])

    def party(self, label: str, customer: Customer) -> None:
        self._font(9, color=QUIET)
        self._text(WIDTH, 5, label)
        self._font(11, bold=True)
        self._text(WIDTH, 5.5, customer.name)
        self._font(9)
        for row in (customer.number, *customer.address.splitlines()):
            self._text(WIDTH, 4.6, row)
        self.ln(5)

    def lines(self, rows: Sequence[tuple[str, Decimal, Decimal]]) -> None:
        """The table; its head comes again on every page."""
        self._font(9.5)
        self.set_draw_color(*RULE)
        head = FontFace(emphasis="BOLD", color=QUIET, size_pt=9)
        with self.table(
            width=WIDTH, col_widths=(112, 20, 42), line_height=5, text_align=("LEFT", "RIGHT", "RIGHT"),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES, headings_style=head, padding=(1.2, 1, 1.2, 1),
        ) as table:  # fmt: skip
            table.row((_("What for"), _("Quantity"), _("Amount")))
            for text, quantity, amount in rows:
                table.row((_plain(text), quantity_words(quantity), money(amount)))
        self.ln(2)

    def totals(self, rows: Sequence[tuple[str, str, bool]]) -> None:
        """Kept together on one page."""
        if self.will_page_break(7.0 * len(rows) + 4):
            self.add_page()
        for label, amount, is_main in rows:
            self._font(12 if is_main else 10, bold=is_main, color=INK if is_main else QUIET)
            self.set_x(MARGIN + WIDTH - 105)
            self.cell(60, 7, label, align="R")
            self.cell(45, 7, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def paragraph(self, text: str) -> None:
        self._font(9)
        self._text(WIDTH, 4.8, text)
        self.ln(3)

    def pay_box(self, link: str) -> None:
        """The QR code of the bill's own page, and the address in letters for who has no camera."""
        if self.will_page_break(QR_SIZE + 4):
            self.add_page()
        top = self.get_y()
        self._qr(link, MARGIN, top)
        self.set_xy(MARGIN + QR_SIZE + 5, top + 5)
        self._font(10, bold=True)
        self.multi_cell(WIDTH - QR_SIZE - 5, 5.5, _("See and pay this bill"), new_x=XPos.LEFT, new_y=YPos.NEXT)
        self._font(9, color=QUIET)
        self.multi_cell(WIDTH - QR_SIZE - 5, 5, link, link=link, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(top + QR_SIZE + 4)

    def _qr(self, text: str, left: float, top: float) -> None:
        """Black runs as rectangles. One fixed mask: trying all eight costs five times as long."""
        matrix = qr_matrix(text)
        module = QR_SIZE / len(matrix)
        self.set_fill_color(0, 0, 0)
        for y, row in enumerate(matrix):
            x = 0
            while x < len(row):
                start = x
                while x < len(row) and row[x]:
                    x += 1
                if x > start:
                    self.rect(left + start * module, top + y * module, (x - start) * module, module, style="F")
                x += 1

    def _font(self, size: float, *, bold: bool = False, color: tuple[int, int, int] = INK) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*color)

    def _text(self, width: float, height: float, text: str) -> None:
        self.multi_cell(width, height, _plain(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def done(self) -> bytes:
        return bytes(self.output())


def qr_matrix(text: str) -> tuple[bytearray, ...]:
    """Rows of modules, 1 is black, without the white around (the paper has it)."""
    return tuple(segno.make(text, micro=False, error="m", boost_error=False, mask=0).matrix)


def quantity_words(quantity: Decimal) -> str:
    """`1`, `20.5`."""
    value = quantity.normalize()
    return number(quantity, max(0, -int(value.as_tuple().exponent)))


def _plain(text: str) -> str:
    """One line: what people typed may hold line breaks and control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())

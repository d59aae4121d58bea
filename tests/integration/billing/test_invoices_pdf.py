"""The paper, read back with another library: every word, both languages, page breaks, and the code as it is drawn."""

from __future__ import annotations

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import segno
from django.utils.translation import override
from pypdf import PdfReader

from billing.choices import EntryKind, TaxMode
from billing.ledger import chart
from billing.models import Invoice, TaxRate
from billing.pdf import MARGIN, QR_SIZE, Receipt, invoice_pdf, receipt_pdf
from billing.selectors import note_of, with_why
from billing.services.invoices import DraftLine, credit_note_issue, invoice_issue, invoice_void
from billing.services.settling import money_receive
from billing.words import note_words
from core.errors import DomainError
from core.links import pay_link
from core.settings_registry import setting_change
from customers.models import Customer
from tests.integration.billing.invoice_world import NOW, draft, issued, line, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
MM = 72 / 25.4


@pytest.fixture
def customer() -> Customer:
    setting_change("company.name", "Warung Net Émilie")
    setting_change("company.address", "Jl. Melati 5, Bandung")
    setting_change("company.phone", "+62 812 3456")
    setting_change("company.tax_number", "01.234.567.8")
    setting_change("invoice.footer", "Terima kasih.")
    return make_customer(name="Bu Sri Wahyuni", language="en", address="Gg. Mawar 2\nRT 03")


def pages(data: bytes) -> list[str]:
    """The words of each page; breaks of lines are spaces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


def page_of(invoice: Invoice, language: str = "") -> str:
    invoice.refresh_from_db()
    found = pages(invoice_pdf(invoice, language))
    assert len(found) == 1
    return found[0]


def test_an_open_bill_says_everything(customer: Customer) -> None:
    TaxRate.objects.create(percent=Decimal(11), valid_from=date(2022, 4, 1))
    rows = (line(150_000), line(2_500, chart.INCOME_CHARGE, quantity=Decimal("2.5")))
    text = page_of(
        invoice_issue(draft(customer, "a", *rows, tax_mode=TaxMode.EXCLUSIVE, note="Paid late?"), now=NOW)[0]
    )
    for words in (
        "Warung Net Émilie", "Jl. Melati 5 Bandung +62 812 3456 NPWP 01.234.567.8", "Invoice",
        "Number INV/2026/000001", "Issued 22 Nov 2026", "To pay by 22 Nov 2026", "Bill to Bu Sri Wahyuni C1 Gg. Mawar 2 RT 03",
        "What for Quantity Amount Internet 1 IDR 150,000 Internet 2.5 IDR 2,500", "Without tax IDR 152,500",
        "Tax 11 % IDR 16,775", "Total IDR 169,275", "Paid late?", "See and pay this bill", "Terima kasih.", "1 / 1",
    ):  # fmt: skip
        assert words in text


def test_indonesian_by_the_customers_language_or_by_choice(customer: Customer) -> None:
    invoice = issued(customer)
    assert "IDR 150,000" in page_of(invoice)
    assert "Rp 150.000" in page_of(invoice, "id")
    Customer.objects.update(language="id")
    assert "Rp 150.000" in page_of(Invoice.objects.get(pk=invoice.pk))


def test_paid_part_paid_void_and_credited(customer: Customer) -> None:
    part, void = issued(customer, source="a"), issued(customer, source="b")
    invoice_void(void, reason="wrong", now=NOW, actor=None)
    money_receive(
        customer_id=customer.pk, amount=50_000, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source="p", now=NOW
    )
    text = page_of(part)
    assert "Paid or credited IDR 50,000 Still to pay IDR 100,000 See and pay" in text
    assert "State VOID, nothing is to be paid" in page_of(void)
    assert "See and pay" not in page_of(void)
    note = credit_note_issue(part, reason="cable cut", now=NOW, actor=None)
    text = page_of(note)
    assert "Credit note Number CN/2026/000001" in text
    assert "Credits INV/2026/000001 Bill to" in text
    assert "Credit for INV/2026/000001: Internet 1 IDR 150,000 Credited IDR 150,000 cable cut" in text
    text = page_of(part)
    assert "State PAID" in text
    assert "Still to pay IDR 0" in text


def test_thirty_long_lines_break_over_pages_and_nothing_is_lost(customer: Customer) -> None:
    customer.name = "Perkumpulan " + "Warga Kampung Melati Jaya " * 4
    customer.save()
    rows = [
        DraftLine("manual", Decimal(1_000 + i), chart.INCOME_OTHER, text=f"Line {i}: " + "cable " * 30)
        for i in range(30)
    ]  # fmt: skip
    found = pages(invoice_pdf(invoice_issue(draft(customer, "a", *rows), now=NOW)[0]))
    assert 2 <= len(found) <= 4
    whole = " ".join(found)
    for i in range(30):
        assert f"Line {i}: cable" in whole
        assert f"IDR {1_000 + i:,}" in whole
    assert whole.count("What for Quantity Amount") >= 2
    assert [f"{n} / {len(found)}" in page for n, page in enumerate(found, 1)] == [True] * len(found)
    assert whole.count("cable") == 900
    assert "Total IDR 30,435" in whole


def test_a_word_without_spaces_and_strange_letters_stay_on_the_page(customer: Customer) -> None:
    customer.name = "Ñguyễn Łukasz Δημήτρης Дмитрий" + "x" * 80
    customer.save()
    text = page_of(issued(customer))
    assert "Ñguyễn Łukasz Δημήτρης Дмитрий" in text
    assert text.replace(" ", "").count("x") >= 80


def drawn_modules(data: bytes, size: int) -> list[list[int]]:
    """The black rectangles of the page as a matrix again: what a camera would see."""
    content = PdfReader(io.BytesIO(data)).pages[0].get_contents()
    assert content is not None
    boxes = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (-?[\d.]+) re f", content.get_data())
    module = QR_SIZE * MM / size
    found = [[0] * size for _row in range(size)]
    black = [tuple(float(part) for part in box) for box in boxes if abs(abs(float(box[3])) - module) < 0.05]
    top = max(y for _x, y, _w, _h in black)
    for x, y, width, _height in black:
        row, column = round((top - y) / module), round((x - MARGIN * MM) / module)
        for i in range(round(width / module)):
            found[row][column + i] = 1
    return found


def test_the_code_leads_to_the_bills_own_page(customer: Customer) -> None:
    invoice = issued(customer)
    wanted = [
        list(row)
        for row in segno.make(pay_link(invoice.token), micro=False, error="m", boost_error=False, mask=0).matrix
    ]
    data = invoice_pdf(invoice)
    assert drawn_modules(data, len(wanted)) == wanted
    notes: Any = PdfReader(io.BytesIO(data)).pages[0]["/Annots"]
    links = [note.get_object()["/A"]["/URI"] for note in notes]
    assert set(links) == {pay_link(invoice.token)}


def test_the_file_brings_its_font_and_fetches_nothing(customer: Customer) -> None:
    data = invoice_pdf(issued(customer))
    resources: Any = PdfReader(io.BytesIO(data)).pages[0]["/Resources"]
    fonts = resources["/Font"]
    names = sorted(str(font.get_object()["/BaseFont"]) for font in fonts.values())
    assert [name.split("+")[1] for name in names] == ["DejaVuSansCondensed", "DejaVuSansCondensedBold"]
    assert len(data) < 60_000


def test_a_receipt(customer: Customer) -> None:
    receipt = Receipt(
        customer, "P7KX", Decimal(200_000), "Cash", NOW, "Budi", "Asia/Jakarta", [("INV/2026/000001", Decimal(150_000))],
        Decimal(50_000),
    )  # fmt: skip
    text = pages(receipt_pdf(receipt))[0]
    for words in (
        "Receipt Reference P7KX Received 22 Nov 2026 14.00 Paid by Cash Received by Budi", "Received from Bu Sri Wahyuni",
        "For INV/2026/000001 IDR 150,000 To your balance IDR 50,000 Received IDR 200,000",
    ):  # fmt: skip
        assert words in text


def test_a_credit_note_explains_itself_in_the_language_of_who_reads(customer: Customer) -> None:
    why = {"why": "paused", "from": "2026-11-25", "to": "2026-12-01", "days": 6, "of": 30}
    with override("en"):
        note = credit_note_issue(issued(customer), amount=30_000, reason="mudik", why=why, now=NOW, actor=None)
        silent = credit_note_issue(issued(customer, source="b"), reason="", why=why, now=NOW, actor=None)
    assert (note.note, silent.note) == ("mudik", "")
    assert "Paused 25 – 30 Nov 2026: 6 of 30 days credited. mudik" in page_of(note)
    assert "Cuti 25 – 30 Nov 2026: 6 dari 30 hari dikreditkan. mudik" in page_of(note, "id")
    assert note_of(silent) == "Paused 25 – 30 Nov 2026: 6 of 30 days credited"
    [row] = with_why(Invoice.objects.filter(pk=silent.pk))
    with override("id"):
        assert note_of(row) == "Cuti 25 – 30 Nov 2026: 6 dari 30 hari dikreditkan"
    with pytest.raises(DomainError):
        credit_note_issue(issued(customer, source="c"), reason="", now=NOW, actor=None)


def test_what_was_written_before_is_read_as_it_was_written(customer: Customer) -> None:
    sentence = "Paused 25 – 30 Nov 2026: 6 of 30 days credited"
    old = credit_note_issue(issued(customer), amount=30_000, reason=sentence, now=NOW, actor=None)
    assert sentence in page_of(old, "id")
    broken = {"why": {"why": "paused", "from": "soon", "to": "2026-12-01"}}
    assert (note_words("kept", broken), note_words("kept", {"why": "gone"}), note_words("kept", None)) == ("kept",) * 3


def test_an_add_on_that_ended_is_named_by_the_line_it_was_billed_with() -> None:
    span = {"from": "2026-12-12", "to": "2026-12-22"}
    for why, text in (
        ("addon_ended", "IP publik, ended, not used 12 – 21 Dec 2026"),
        ("addons_ended", "Add-ons, ended, not used 12 – 21 Dec 2026"),
        ("addons_paused", "Add-ons, paused 12 – 21 Dec 2026"),
    ):
        assert note_words("", {"why": {"why": why, **span}, "details": {"name": "IP publik"}}) == text
    for why in ("ended", "plan_change"):
        assert "10 of 30 days" in note_words("", {"why": {"why": why, **span, "days": 10, "of": 30}})


def test_the_papers_language_is_the_one_it_is_written_in(customer: Customer) -> None:
    invoice = issued(customer)
    for language in ("en", "id"):
        assert PdfReader(io.BytesIO(invoice_pdf(invoice, language))).root_object["/Lang"] == language

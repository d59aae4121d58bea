"""The public page of a bill: true in every state, in both languages, without anything of anybody else."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pypdf import PdfReader

from billing.choices import EntryKind
from billing.ledger import chart
from billing.models import Invoice
from billing.services.invoices import DraftLine, credit_note_issue, invoice_issue, invoice_void, write_off
from billing.services.settling import money_receive
from core.settings_registry import setting_change
from customers.models import Customer
from portal import limits
from tests.integration.billing.invoice_world import DAY, NOW, draft, issued, line, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = '<script>alert(1)</script>"&'


@pytest.fixture(autouse=True)
def company(monkeypatch: pytest.MonkeyPatch) -> None:
    setting_change("company.name", "Warung Net")
    setting_change("company.phone", "+62 812 3456")
    monkeypatch.setattr("portal.views.clock.now", lambda: NOW)


@pytest.fixture
def customer() -> Customer:
    return make_customer(language="en", phone="+62811000111", address="Gg. Mawar 2")


def get(invoice: Invoice, query: str = "", **headers: Any) -> tuple[Any, str]:
    """The answer, and its words without tags."""
    response = Client().get(f"/pay/{invoice.token}/{query}", **headers)
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return response, " ".join(text.split())


def pay(customer: Customer, amount: int, source: str = "p") -> None:
    money_receive(
        customer_id=customer.pk, amount=amount, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source=source, now=NOW,
        method="Cash",
    )  # fmt: skip


def test_an_open_bill(customer: Customer) -> None:
    response, text = get(issued(customer))
    assert response.status_code == 200
    for words in (
        "Bill INV/2026/000001", "IDR 150,000 to pay Please pay by 22 Nov 2026.", "For Bu Sri Issued 22 Nov 2026",
        "Internet IDR 150,000 Total IDR 150,000", "Pay IDR 150,000 in cash at our office.", "Warung Net", "+62 812 3456",
    ):  # fmt: skip
        assert words in text
    for private in ("+62811000111", "Gg. Mawar", "C1"):
        assert private not in text


def test_every_state_is_true(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    part = issued(customer, source="part")
    pay(customer, 50_000)
    text = get(part)[1]
    assert "IDR 100,000 to pay IDR 50,000 of IDR 150,000 is settled already. Please pay by" in text
    assert "Paid by Cash 22 Nov 2026 14.00 IDR 50,000" in text
    assert "Pay IDR 100,000 in cash" in text
    pay(customer, 100_000, "q")
    text = get(part)[1]
    assert "Paid. Thank you. Nothing more is to be paid" in text
    assert "How to pay" not in text

    credited, given_up, void = (issued(customer, source=name) for name in ("credited", "given up", "void"))
    credit_note_issue(credited, reason="x", now=NOW, actor=None)
    write_off(given_up, reason="secret reason", now=NOW, actor=None)
    invoice_void(void, reason="secret reason", now=NOW, actor=None)
    assert "Settled. Nothing more is to be paid" in get(credited)[1]
    text = get(given_up)[1]
    assert "Not asked any more" in text
    assert "secret" not in text
    text = get(void)[1]
    assert "This bill is void. Nothing is to be paid for it." in text
    assert "How to pay" not in text

    late = issued(customer, source="late")
    monkeypatch.setattr("portal.views.clock.now", lambda: NOW.replace(day=23))
    assert "IDR 150,000 to pay It was due on 22 Nov 2026." in get(late)[1]


def test_the_language_is_the_customers_or_the_one_chosen(customer: Customer) -> None:
    invoice = issued(customer)
    english, text = get(invoice, HTTP_ACCEPT_LANGUAGE="id")
    assert (english["Content-Language"], "IDR 150,000" in text) == ("en", True)
    chosen, text = get(invoice, "?lang=id")
    assert (chosen["Content-Language"], "Rp 150.000" in text) == ("id", True)
    assert f'/pay/{invoice.token}/pdf/?lang=id"' in chosen.content.decode()
    assert get(invoice, "?lang=xx")[0]["Content-Language"] == "en"
    Customer.objects.update(language="")
    assert get(invoice)[0]["Content-Language"] == settings.LANGUAGE_CODE.split("-")[0]


def test_headers_let_nothing_in_and_nothing_out(customer: Customer) -> None:
    invoice = issued(customer)
    for path in (f"/pay/{invoice.token}/", f"/pay/{invoice.token}/pdf/", "/pay/nothing-here/"):
        response = Client().get(path)
        assert response["Cache-Control"] == "no-store, private"
        assert response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert response["Referrer-Policy"] == "no-referrer"
        policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
        assert policy == {
            "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
            "form-action": "'none'", "frame-ancestors": "'none'",
        }  # fmt: skip
        assert not response.cookies
    assert Client().post(f"/pay/{invoice.token}/").status_code == 405


def test_it_needs_no_script_and_nothing_from_elsewhere(customer: Customer) -> None:
    html = get(issued(customer))[0].content.decode()
    assert not re.search(r"<script|\son\w+=|style=|https?://(?!www\.w3\.org/2000/svg)|javascript:", html)
    links = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert all(link.startswith(("/static/", "/pay/", "?lang=", "#")) for link in links)


def test_hostile_words_stay_text(customer: Customer) -> None:
    setting_change("company.name", HOSTILE)
    Customer.objects.update(name=HOSTILE)
    hostile = DraftLine("manual", line(5).amount, chart.INCOME_OTHER, text=HOSTILE)
    html = get(invoice_issue(draft(customer, "h", hostile), now=NOW)[0])[0].content.decode()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;") >= 4


@pytest.mark.parametrize("token", ["x", "A" * 22, "..", "%00", "a" * 300])
def test_an_unknown_link_is_a_plain_page(customer: Customer, token: str) -> None:
    issued(customer)
    response = Client().get(f"/pay/{token}/", HTTP_ACCEPT_LANGUAGE="en")
    assert response.status_code == 404
    if token not in {".."}:
        assert "There is no bill at this address" in response.content.decode()
    assert "INV/2026" not in response.content.decode()


def test_drafts_and_credit_notes_have_no_page(customer: Customer) -> None:
    note = credit_note_issue(issued(customer), reason="x", now=NOW, actor=None)
    unfinished = Invoice.objects.create(customer=customer, source="draft", currency="IDR")
    assert [get(row)[0].status_code for row in (note, unfinished)] == [404, 404]


def test_only_this_bill_is_shown(customer: Customer) -> None:
    mine = issued(customer, source="a")
    other = issued(customer, amount=77_777, source="b")
    text = get(mine)[1]
    assert str(other.number) not in text
    assert "77,777" not in text


def test_older_debt_and_the_balance_are_one_line_each(customer: Customer) -> None:
    older = issued(customer, amount=77_777, source="a")
    bill = issued(customer, source="b")
    issued(customer, amount=11_111, source="c")
    money_receive(
        customer_id=customer.pk, amount=20_000, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source="b", now=NOW,
        is_for_balance=True,
    )  # fmt: skip
    lines = ("Bills from before that are still to pay: IDR 77,777.", "Your balance with us: IDR 20,000.")
    text = get(bill)[1]
    paper = " ".join(
        PdfReader(io.BytesIO(Client().get(f"/pay/{bill.token}/pdf/").content)).pages[0].extract_text().split()
    )
    for shown in (text, paper):
        assert [line in shown for line in lines] == [True, True]
        assert "11,111" not in shown
    assert [line in get(older)[1] for line in lines] == [False, True]
    assert "Tagihan sebelumnya yang belum dibayar: Rp 77.777." in get(bill, "?lang=id")[1]
    winner = make_customer("C2", "Sri R")
    Customer.objects.filter(pk=customer.pk).update(merged_into=winner)
    of_both = issued(winner, source="d")
    assert "Bills from before that are still to pay: IDR 238,888." in get(of_both, "?lang=en")[1]
    invoice_void(bill, reason="x", now=NOW, actor=None)
    assert "from before" not in get(bill)[1]


def test_the_file_is_this_bill_in_the_chosen_language(customer: Customer) -> None:
    invoice = issued(customer)
    response = Client().get(f"/pay/{invoice.token}/pdf/?lang=id")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="INV-2026-000001.pdf"'
    assert "Rp 150.000" in PdfReader(io.BytesIO(response.content)).pages[0].extract_text()


def test_guessing_is_stopped_and_files_are_limited(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = issued(customer)
    monkeypatch.setattr(limits, "MISSES", "2/10m")
    monkeypatch.setattr(limits, "FILES", "1/10m")
    browser = Client(REMOTE_ADDR="10.1.1.1")
    codes = [browser.get(f"/pay/{invoice.token}/pdf/").status_code for _i in range(2)]
    assert codes == [200, 429]
    assert [browser.get(f"/pay/guess{i}/").status_code for i in range(4)] == [404, 404, 404, 429]
    stopped = browser.get(f"/pay/{invoice.token}/", HTTP_ACCEPT_LANGUAGE="en")
    assert (stopped.status_code, stopped["Retry-After"]) == (429, "600")
    assert "Please wait a little" in stopped.content.decode()
    assert Client(REMOTE_ADDR="10.1.1.2").get(f"/pay/{invoice.token}/").status_code == 200


def test_the_log_does_not_tell_the_link(customer: Customer, caplog: pytest.LogCaptureFixture) -> None:
    invoice = issued(customer)
    with caplog.at_level("INFO", logger="core.middleware"):
        get(invoice)
    assert "GET /pay/…/ 200" in caplog.text
    assert invoice.token not in caplog.text


def test_a_page_is_few_queries(customer: Customer, django_assert_max_num_queries: Any) -> None:
    invoice = issued(customer)
    with django_assert_max_num_queries(16):
        get(invoice)
    assert invoice.issued_on == DAY

"""The back office pages of bills: list, facts, corrections, a written bill and a bulk run, all without JavaScript."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.choices import Role
from accounts.services import roles_sync, user_create
from billing.models import BillingRun, Invoice, Subscription
from billing.services.invoices import bills_run
from core import clock
from core.formats import local
from customers.models import Customer
from locations.models import Location
from locations.services import location_member_add
from tests.integration.billing.invoice_world import issued, make_customer, make_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def roles() -> None:
    roles_sync()


def browser(role: str, *places: Location) -> Client:
    """Somebody of that role at work."""
    user = user_create(username=f"{role}-1", password="a-long-password-7", role=role, language="en", actor=None)
    for place in places:
        location_member_add(place, user)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    return browser(Role.ADMIN)


@pytest.fixture
def place() -> Location:
    return Location.objects.create(name="Pos 1", host="127.0.0.1", username="api")


@pytest.fixture
def customer(place: Location) -> Customer:
    return make_customer("C77", language="en", location=place)


def words(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def hidden(response: Any, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', response.content.decode())
    assert found
    return found[1]


def url(invoice: Invoice, page: str = "change") -> str:
    return reverse(f"admin:billing_invoice_{page}", args=[invoice.pk])


def test_the_list_finds_numbers_their_beginning_and_customers(boss: Client, customer: Customer) -> None:
    first, second = issued(customer, source="a"), issued(make_customer("C88", "Pak Budi"), source="b")
    listing = reverse("admin:billing_invoice_changelist")
    for query, found in (
        ("", [first, second]), ("?q=inv/2026/000001", [first]), ("?q=INV/2026", [first, second]), ("?q=c88", [second]),
        ("?q=nothing", []), ("?status__exact=paid", []), ("?due=late", [first, second]), ("?due=later", []),
    ):  # fmt: skip
        text = words(boss.get(listing + query))
        assert [str(row.number) in text for row in (first, second)] == [row in found for row in (first, second)], query


def test_the_page_explains_the_bill(boss: Client, customer: Customer) -> None:
    invoice = issued(customer)
    text = words(boss.get(url(invoice)))
    for part in (
        "INV/2026/000001", "Total IDR 150,000", "Still to pay IDR 150,000", "Bu Sri (C77)", "Internet", "Income: subscriptions",
        "Receivables IDR 150,000", "Nothing yet.", "Write a credit note", "Make void", "Write off",
    ):  # fmt: skip
        assert part in text
    paper = boss.get(url(invoice, "pdf"))
    assert "INV/2026/000001" in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()


def test_credit_void_and_write_off_are_asked_first(boss: Client, customer: Customer) -> None:
    credited, void, lost = (issued(customer, source=name) for name in "abc")
    asked = boss.get(url(credited, "credit"))
    assert "At most IDR 150,000 can still be credited." in words(asked)
    refused = boss.post(url(credited, "credit"), {"amount": "150001", "reason": "x", "request_key": "k1"})
    assert (refused.status_code, Invoice.objects.count()) == (422, 3)
    for _press in range(2):
        boss.post(url(credited, "credit"), {"amount": "50000", "reason": "cable", "request_key": "k2"})
    note = Invoice.objects.get(kind="credit_note")
    assert (note.total, note.note) == (50_000, "cable")
    assert "Credit note IDR 50,000" in re.sub(r"\d+ \w+ 20\d\d \d\d\.\d\d ", "", words(boss.get(url(credited))))

    assert boss.post(url(void, "void"), {"reason": ""}).status_code == 422
    boss.post(url(void, "void"), {"reason": "wrong"})
    boss.post(url(lost, "write_off"), {"reason": "moved"})
    states = {row.pk: row.status for row in Invoice.objects.all()}
    assert (states[void.pk], states[lost.pk]) == ("void", "paid")
    assert "Make void" not in words(boss.get(url(void)))
    assert boss.get(url(void, "void")).status_code == 302


def test_an_operator_looks_at_his_places_and_corrects_nothing(customer: Customer, place: Location) -> None:
    other = Location.objects.create(name="Pos 2", host="127.0.0.2", username="api")
    mine, theirs = issued(customer, source="a"), issued(customer, source="b", location_id=other.pk)
    operator = browser(Role.OPERATOR, place)
    text = words(operator.get(reverse("admin:billing_invoice_changelist")))
    assert (str(mine.number) in text, str(theirs.number) in text) == (True, False)
    assert "Make void" not in words(operator.get(url(mine)))
    for page in ("credit", "void", "write_off"):
        assert operator.post(url(mine, page), {"reason": "x"}).status_code == 403
        assert operator.post(url(theirs, page), {"reason": "x"}).status_code == 404
    assert operator.get(url(theirs, "pdf")).status_code == 404
    assert (
        "disabled"
        in re.findall(
            r"<input[^>]*is_draft[^>]*>", operator.get(reverse("admin:billing_invoice_add")).content.decode()
        )[0]
    )
    assert operator.get(reverse("admin:bulk_bills")).status_code == 403
    assert set(Invoice.objects.values_list("status", flat=True)) == {"open"}


def test_a_bill_is_written_in_a_plain_form(boss: Client, customer: Customer) -> None:
    add = reverse("admin:billing_invoice_add")
    form = boss.get(add + "?to=C77")
    assert 'value="C77"' in form.content.decode()
    data = {
        "to": "c77", "due_on": str(local(clock.now()).date()), "tax_mode": "none", "account": "income:other", "note": "",
        "request_key": hidden(form, "request_key"), "line_0_text": "Cable", "line_0_price": "2500", "line_0_quantity": "20",
        "line_2_text": "Friend", "line_2_price": "-5000",
    }  # fmt: skip
    wrong = boss.post(add, {**data, "to": "C77", "line_3_text": "no price"})
    assert "Write an amount of money." in words(wrong)
    assert 'value="Cable"' in wrong.content.decode()
    assert "No customer answers to this." in words(boss.post(add, {**data, "to": "zzz"}))
    assert "Not before today." in words(boss.post(add, {**data, "to": "C77", "due_on": "2020-01-01"}))
    assert not Invoice.objects.exists()
    for _press in range(2):
        done = boss.post(add, {**data, "to": "C77"})
    invoice = Invoice.objects.get()
    assert done["Location"] == url(invoice)
    assert (invoice.total, invoice.customer) == (45_000, customer)


def test_many_are_counted_ordered_watched_and_stopped(boss: Client, customer: Customer, place: Location) -> None:
    services = [make_service(make_customer(f"S{i}"), place) for i in range(60)]
    page = reverse("admin:bulk_bills")
    data = {
        "text": "New router", "amount": "20000", "tax_mode": "none", "due_on": str(local(clock.now()).date()),
        "location": "", "plan": "", "request_key": "k",
    }  # fmt: skip
    counted = boss.post(page, data)
    assert "Issue 60 bills of IDR 20,000 each for “New router”?" in words(counted)
    assert hidden(counted, "is_counted") == "60"
    Subscription.objects.filter(pk=services[0].pk).update(status="ended", ended_on=services[0].started_on)
    assert "Issue 59 bills" in words(boss.post(page, {**data, "is_counted": "60", "typed_count": "60"}))
    assert "Type 59 to confirm." in words(boss.post(page, {**data, "is_counted": "59", "typed_count": "5"}))
    assert not BillingRun.objects.exists()
    for _press in range(2):
        ordered = boss.post(page, {**data, "is_counted": "59", "typed_count": "59"})
    run = BillingRun.objects.get()
    assert ordered["Location"] == reverse("admin:bulk_bill", args=[run.pk])
    assert "0 of 59" in words(boss.get(ordered["Location"]))
    bills_run(run.pk)
    text = words(boss.get(ordered["Location"]))
    assert "59 of 59" in text
    assert "Bills issued 59" in text
    boss.post(reverse("admin:bulk_bill_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert (run.status, Invoice.objects.count()) == ("done", 59)
    assert "done" in words(boss.get(page))

"""Bills on small screens: the customer's page in every state and the back office, at every width, without violations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from billing.ledger import chart
from billing.models import Invoice
from billing.services.invoices import (
    DraftLine,
    InvoiceDraft,
    ManualLine,
    credit_note_issue,
    invoice_issue,
    invoice_void,
    invoice_write,
)
from core import clock
from core.settings_registry import setting_change
from customers.models import Customer
from tests.e2e.conftest import Open
from tests.e2e.test_screens import judge
from tests.integration.admin.world import LONG_NAME, World

pytestmark = pytest.mark.browser
LONG_TEXT = (
    "Perbaikan kabel serat optik sepanjang dua ratus meter di Kecamatan Karangpandan, termasuk tiang dan tenaga kerja"
)


def bills(world: World) -> dict[str, Invoice]:
    """Open and part credited, late, void, and paid for being of nothing."""
    setting_change("company.name", LONG_NAME)
    setting_change("company.address", "Jl. Raya Solo-Tawangmangu 12, Karangpandan, Karanganyar")
    setting_change("company.phone", "+62 812 3456 7890")
    customer = Customer.objects.create(number="C1", name=LONG_NAME, location=world.near, language="id")
    now = clock.now()

    def issue(source: str, amount: int, days: int) -> Invoice:
        lines = [DraftLine("manual", Decimal(amount), chart.INCOME_OTHER, text=LONG_TEXT) for _i in range(3)]
        day = now.date()
        due = day + timedelta(days=days)
        return invoice_issue(InvoiceDraft(customer.pk, lines, source, min(day, due), due), now=now)[0]

    found = {"open": issue("open", 12_345_678, 9), "late": issue("late", 5_000, -40), "void": issue("void", 9, 1)}
    found["free"] = issue("free", 0, 1)
    credit_note_issue(found["open"], amount=1_000_000, reason="x", now=now, actor=None)
    invoice_void(found["void"], reason="x", now=now, actor=None)
    return found


def test_the_customers_page_fits_every_screen(
    world: World, opened: Open, live_server: LiveServer, axe_source: str
) -> None:
    page = opened(None, 320).new_page()
    wrong = []
    for name, invoice in bills(world).items():
        page.goto(f"{live_server.url}/pay/{invoice.token}/")
        wrong += judge(page, name, axe_source)
    page.goto(f"{live_server.url}/pay/no-such-bill/")
    wrong += judge(page, "unknown", axe_source)
    assert wrong == []


def test_the_customers_page_works_without_javascript(world: World, opened: Open, live_server: LiveServer) -> None:
    invoice = bills(world)["open"]
    page = opened(None, 320, java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/pay/{invoice.token}/")
    assert "Rp 36.037.034" in page.inner_text("main")
    page.click("nav.languages a[lang=en]")
    page.get_by_text("IDR 36,037,034 to pay").first.wait_for()
    page.wait_for_load_state("load")
    heights = [link.bounding_box()["height"] for link in page.query_selector_all("a")]
    assert min(heights) >= 44


def test_the_back_office_pages_of_bills_fit_every_screen(
    world: World, opened: Open, live_server: LiveServer, axe_source: str
) -> None:
    invoice = bills(world)["open"]
    draft = invoice_write(
        customer=invoice.customer, lines=[ManualLine(LONG_TEXT, 5_000_000, 2)], due_on=clock.now().date() + timedelta(days=9),
        request_key="d", now=clock.now(), actor=world.boss, is_draft=True,
    )  # fmt: skip
    pages: dict[str, Any] = {
        **{name: reverse(f"admin:billing_invoice_{name}", args=[draft.pk]) for name in ("issue", "change_draft", "discard")},
        "draft": reverse("admin:billing_invoice_change", args=[draft.pk]),
        "service": reverse("admin:billing_subscription_add"),
        "list": reverse("admin:billing_invoice_changelist"), "bill": reverse("admin:billing_invoice_change", args=[invoice.pk]),
        "credit": reverse("admin:billing_invoice_credit", args=[invoice.pk]), "form": reverse("admin:billing_invoice_add"),
        "bulk": reverse("admin:bulk_bills"),
    }  # fmt: skip
    page = opened(world.boss, 320).new_page()
    wrong = []
    for name, address in pages.items():
        page.goto(live_server.url + address)
        wrong += judge(page, name, axe_source)
    assert wrong == []

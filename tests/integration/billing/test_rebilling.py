"""A wrong bill of a service is made void and its days are billed right: unpaid, the service is held back for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.services import roles_sync
from billing.models import Coupon, Invoice, Subscription
from billing.services.invoices import ManualLine, credit_note_issue, invoice_void, invoice_write
from billing.services.rebilling import can_bill_again, invoice_bill_again
from billing.services.subscriptions import subscription_activate, subscription_change, subscription_end
from billing.services.subscriptions_extras import addon_add, charge_add, coupon_use
from billing.services.subscriptions_plans import subscription_change_plan
from core import clock
from core.errors import DomainError, TransitionError
from tests.integration.billing.service_world import (
    at,
    bills,
    draft,
    kinds,
    lines,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
    state,
)
from tests.integration.payments.test_pages import person

pytestmark = pytest.mark.django_db
NOV_22, NOV_24, DEC_7 = date(2026, 11, 22), date(2026, 11, 24), date(2026, 12, 7)


def newest(row: Subscription) -> Invoice:
    return Invoice.objects.filter(subscription=row, kind="invoice").latest("pk")


def again(invoice: Invoice, on: date) -> Invoice | None:
    return invoice_bill_again(invoice, reason="harga salah", actor=None, now=at(on))


@pytest.mark.parametrize("is_void_already", [True, False])
def test_a_wrong_bill_is_billed_right_and_unpaid_it_isolates(is_void_already: bool) -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    wrong = newest(row)
    if is_void_already:
        invoice_void(wrong, reason="salah", actor=None, now=at(NOV_22))
    subscription_change(row, price=120_000, actor=None, now=at(NOV_22))
    made = again(wrong, NOV_24)
    assert made is not None
    assert made.source == f"sub:{row.pk}:2026-11-22:2"
    assert bills(row) == [
        ("2026-11-22", "2026-11-22", 150_000, "void"), ("2026-11-24", "2026-11-24", 120_000, "open"),
    ]  # fmt: skip
    assert (spans(row), money(row)) == ([("2026-11-22", "2026-12-22", 120_000)], (0, 120_000))
    assert row.periods.get().invoice == made
    night(pos, date(2026, 11, 28))
    row.refresh_from_db()
    assert state(row) == ("isolated", True)
    pay(row, 120_000, date(2026, 11, 28))
    row.refresh_from_db()
    assert (state(row), str(row.expiry_date)) == (("active", False), "2026-12-21")
    assert "billed_again" in kinds(row)
    sound()


def test_once_only_and_a_third_time_for_the_new_bill() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    first = newest(row)
    second = again(first, NOV_22)
    assert second is not None
    assert (can_bill_again(first), can_bill_again(second)) == (False, True)
    with pytest.raises(TransitionError) as refused:
        again(first, NOV_22)
    assert refused.value.code == "invoice.no_days"
    third = again(second, NOV_22)
    assert third is not None
    assert third.source.endswith(":3")
    assert money(row) == (0, 150_000)
    sound()


def test_charges_coupons_and_add_ons_come_again_and_none_twice() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    Coupon.objects.create(code="HEMAT", kind="percent", value=50, bills=1)
    coupon_use(row, code="HEMAT", actor=None, now=at(NOV_22))
    addon_add(row, name="IP publik", amount=30_000, actor=None, now=at(NOV_22))
    charge_add(customer=row.customer, subscription=row, name="Kabel", amount=20_000, actor=None, now=at(NOV_22))
    row = subscription_activate(row, actor=None, now=at(NOV_22))
    wrong = newest(row)
    addon_add(row, name="Router", amount=60_000, from_on=DEC_7, actor=None, now=at(NOV_24))
    assert money(row) == (0, 155_000)  # 75,000 + 30,000 + 20,000, and half of 60,000 on a bill of its own
    made = again(wrong, NOV_24)
    assert made is not None
    assert [(kind, amount) for kind, amount, _details in lines(made)] == [
        ("subscription", 150_000), ("addon", 30_000), ("discount", -75_000), ("charge", 20_000),
    ]  # fmt: skip
    assert (money(row), row.coupon_uses.get().bills_left) == ((0, 155_000), 0)
    sound()


def test_what_came_with_its_days_from_an_earlier_bill_stays_off() -> None:
    pos = place()
    row = draft(pos, plan(pos, price=300_000))
    Coupon.objects.create(code="HEMAT", kind="percent", value=50, bills=1)
    coupon_use(row, code="HEMAT", actor=None, now=at(NOV_22))
    row = subscription_activate(row, actor=None, now=at(NOV_22))
    subscription_change_plan(
        row, plan=plan(pos, name="Besar", price=900_000), is_at_once=True, actor=None, now=at(DEC_7)
    )
    wrong = newest(row)
    assert (wrong.total, wrong.settled_amount) == (225_000, 0)
    row.refresh_from_db()
    subscription_change(row, price=600_000, actor=None, now=at(DEC_7))
    made = again(wrong, DEC_7)
    assert made is not None
    assert made.total == 150_000
    assert spans(row)[1] == ("2026-12-07", "2026-12-22", 150_000)
    sound()


def test_days_that_cost_nothing_now_are_on_no_bill() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    subscription_change(row, price=0, actor=None, now=at(NOV_22))
    assert again(newest(row), NOV_24) is None
    assert (spans(row), money(row)) == ([("2026-11-22", "2026-12-22", 0)], (0, 0))
    sound()


def test_what_was_settled_or_is_no_bill_of_days_is_refused() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    bill = newest(row)
    credit_note_issue(bill, amount=1_000, reason="x", now=at(NOV_22), actor=None)
    bill.refresh_from_db()
    assert not can_bill_again(bill)
    with pytest.raises(TransitionError) as refused:
        again(bill, NOV_22)
    assert refused.value.code == "invoice.settled"
    charge_add(
        customer=row.customer,
        subscription=row,
        name="Kabel",
        amount=5_000,
        is_billed_now=True,
        actor=None,
        now=at(NOV_22),
    )
    with pytest.raises(TransitionError):
        again(newest(row), NOV_22)
    other = service(pos, plan(pos, name="Lain"), NOV_22)
    subscription_end(other, reason="pindah", actor=None, now=at(NOV_24))
    assert not can_bill_again(newest(other))
    sound()


# --- a bill written by hand for a service ---------------------------------------------------------------------------------


def written(row: Subscription, **fields: Any) -> Invoice:
    order = {"customer": row.customer, "subscription": row, "lines": [ManualLine("Perbaikan", 50_000)]} | fields
    return invoice_write(due_on=NOV_24, request_key="a", now=at(NOV_22), actor=None, **order)  # type: ignore[arg-type]


def test_a_bill_by_hand_for_a_service_isolates_it_unpaid() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    pay(row, 150_000, NOV_22)
    bill = written(row)
    assert (bill.subscription_id, bill.location_id) == (row.pk, pos.pk)
    night(pos, date(2026, 11, 28))
    row.refresh_from_db()
    assert (state(row), str(row.expiry_date)) == (("isolated", True), "2026-12-21")
    pay(row, 50_000, date(2026, 11, 28))
    row.refresh_from_db()
    assert state(row) == ("active", False)
    assert not can_bill_again(bill)
    sound()


def test_a_bill_by_hand_names_a_service_of_its_own_customer_only() -> None:
    pos = place()
    row, other = service(pos, plan(pos), NOV_22), service(pos, plan(pos, name="Lain"), NOV_22)
    with pytest.raises(DomainError) as refused:
        written(row, subscription=other)
    assert set(refused.value.fields) == {"subscription"}


def test_the_form_and_rest_take_a_service(client: Client) -> None:
    roles_sync()
    pos = place()
    row = service(pos, plan(pos), clock.now().date())
    boss = person("boss", Role.ADMIN)
    client.force_login(boss)
    due = clock.now().date() + timedelta(days=7)
    form = {
        "to": row.customer.number, "due_on": due.isoformat(), "tax_mode": "none", "account": "income:other",
        "line_0_text": "Perbaikan", "line_0_price": "50000", "request_key": "k1", "note": "",
    }  # fmt: skip
    url = reverse("admin:billing_invoice_add")
    assert "has no service with this user name" in client.post(url, form | {"service": "tidak-ada"}).content.decode()
    assert client.post(url, form | {"service": row.username}).status_code == 302
    assert (newest(row).total, newest(row).subscription) == (50_000, row)
    api = APIClient(HTTP_ACCEPT_LANGUAGE="en", HTTP_IDEMPOTENCY_KEY="bill-by-hand-0002")
    api.force_authenticate(boss)
    lines_in = [{"text": "Perbaikan", "price": "20000"}]
    body = {"customer": row.customer_id, "subscription": row.pk, "lines": lines_in, "due_on": due.isoformat()}
    assert api.post("/api/v1/invoices/", body, format="json").json()["subscription"] == row.pk


def test_over_rest_it_is_said_before() -> None:
    roles_sync()
    pos = place()
    row = service(pos, plan(pos), clock.now().date())
    subscription_change(row, price=120_000, actor=None)
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en")
    client.force_authenticate(person("boss", Role.ADMIN))
    path, body = f"/api/v1/invoices/{newest(row).pk}/bill-again", {"reason": "harga salah"}
    found: dict[str, Any] = client.post(f"{path}-preview/", body, format="json").json()
    assert ([bill["total"] for bill in found["bills"]], found["debt"]) == (["120000.00"], "120000.00")
    assert money(row) == (0, 150_000)
    made = client.post(f"{path}/", body, format="json").json()
    assert (made["total"], made["status"], money(row)) == ("120000.00", "open", (0, 120_000))

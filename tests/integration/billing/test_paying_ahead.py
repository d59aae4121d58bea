"""Months that are paid today and used later: one bill with their discount, said before, never twice."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.services import roles_sync
from billing.choices import BillingMode, FirstBill, PeriodMode
from billing.models import Plan, PrepayDiscount, Subscription
from billing.selectors_services import prepay_table
from billing.services.paying_ahead import pay_ahead_preview, prepay_discounts_put, subscription_pay_ahead
from core import clock
from core.errors import DomainError, TransitionError
from locations.models import Location
from tests.integration.billing.service_world import (
    at,
    bills,
    kinds,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
)
from tests.integration.payments.test_pages import person

pytestmark = pytest.mark.django_db
NOV_22, NOV_24, DEC_22 = date(2026, 11, 22), date(2026, 11, 24), date(2026, 12, 22)


def offer(pos: Location, **fields: Any) -> Plan:
    made = plan(pos, price=100_000, **fields)
    PrepayDiscount.objects.create(plan=made, months=6, percent=10)
    PrepayDiscount.objects.create(plan=made, months=12, percent=20)
    return made


def ahead(row: Subscription, months: int, on: date = NOV_24, **fields: Any) -> Any:
    return subscription_pay_ahead(row, months=months, actor=None, now=at(on), **fields)


def test_six_months_are_billed_with_their_discount_and_the_night_goes_on_after_them() -> None:
    pos = place()
    row = service(pos, offer(pos), NOV_22)
    pay(row, 640_000, NOV_24)
    preview = pay_ahead_preview(row, months=6, actor=None, now=at(NOV_24))
    assert ([bill.total for bill in preview.bills], preview.balance, preview.debt) == ([540_000], 0, 0)
    assert (bills(row)[1:], money(row)) == ([], (540_000, 0))
    made = ahead(row, 6)
    assert made.source == f"sub:{row.pk}:2026-12-22"
    assert bills(row)[1:] == [("2026-11-24", "2026-12-22", 540_000, "paid")]
    assert (spans(row)[1:], money(row)) == ([("2026-12-22", "2027-06-22", 540_000)], (0, 0))
    row.refresh_from_db()
    assert str(row.expiry_date) == "2027-06-21"
    assert "paid_ahead" in kinds(row)
    assert (night(pos, DEC_22), night(pos, date(2027, 6, 22))) == ({}, {"bills": 1})
    assert bills(row)[2:] == [("2027-06-22", "2027-06-22", 100_000, "open")]
    sound()


def test_the_services_own_discounts_hold_instead_of_the_plans() -> None:
    pos = place()
    row = service(pos, offer(pos), NOV_22)
    prepay_discounts_put(row, discounts={3: "7.5", 12: Decimal(25)}, actor=None)
    row.refresh_from_db()
    assert row.prepay_discounts == {"3": "7.5", "12": "25"}
    assert prepay_table(row) == {3: Decimal("7.5"), 12: Decimal(25)}
    assert ahead(row, 6).total == 555_000
    prepay_discounts_put(row, discounts=None, actor=None)
    row.refresh_from_db()
    assert ahead(row, 6).total == 540_000
    sound()


def test_a_part_of_a_month_that_waits_comes_with_them() -> None:
    pos = place()
    row = service(pos, offer(pos, period_mode=PeriodMode.FIXED_DAY, fixed_day=1, first_bill=FirstBill.MERGED), NOV_22)
    ahead(row, 2)
    # 9 of November's 30 days, December and January
    assert bills(row) == [("2026-11-24", "2026-11-24", 229_997, "open")]
    assert spans(row) == [("2026-11-22", "2027-02-01", 229_997)]
    sound()


@pytest.mark.parametrize("months", [0, 25])
def test_so_many_months_are_refused(months: int) -> None:
    pos = place()
    row = service(pos, offer(pos), NOV_22)
    with pytest.raises(DomainError) as refused:
        ahead(row, months)
    assert set(refused.value.fields) == {"months"}


def test_a_postpaid_service_three_years_and_a_second_request_are_refused() -> None:
    pos = place()
    row = service(pos, offer(pos), NOV_22)
    ahead(row, 24, from_on=DEC_22)
    with pytest.raises(TransitionError) as moved:
        ahead(row, 24, from_on=DEC_22)
    assert moved.value.code == "paying_ahead.moved"
    with pytest.raises(DomainError):
        ahead(row, 24)
    after = service(pos, plan(pos, name="Pasca", billing_mode=BillingMode.POSTPAID), NOV_22)
    with pytest.raises(DomainError):
        ahead(after, 2)
    assert (len(bills(row)), bills(after)) == (2, [])
    with pytest.raises(DomainError):
        prepay_discounts_put(row, discounts={1: 5}, actor=None)
    sound()


def test_the_page_says_it_first_and_writes_own_discounts(client: Client) -> None:
    roles_sync()
    pos = place()
    row = service(pos, offer(pos), clock.now().date())
    client.force_login(person("boss", Role.ADMIN))
    terms = reverse("admin:billing_subscription_prepay_terms", args=[row.pk])
    assert client.post(terms, {"months_0": "2", "percent_0": "50"}).status_code == 302
    url = reverse("admin:billing_subscription_pay_ahead", args=[row.pk])
    assert "2 months: 50 %" in client.get(url).content.decode()
    page = client.post(url, {"months": "2"}).content.decode()
    assert "A bill of IDR 100,000" in page
    assert len(bills(row)) == 1
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    assert client.post(url, {"months": "2", "seen": seen[1]}).status_code == 302
    # the button pressed twice: the amounts are others now, so they are shown, and nothing is billed
    assert client.post(url, {"months": "2", "seen": seen[1]}).status_code == 200
    assert [bill[2] for bill in bills(row)] == [100_000, 100_000]
    assert client.post(terms, {}).status_code == 302
    row.refresh_from_db()
    assert row.prepay_discounts is None


def test_over_rest() -> None:
    roles_sync()
    pos = place()
    row = service(pos, offer(pos), clock.now().date())
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en")
    client.force_authenticate(person("boss", Role.ADMIN))
    path = f"/api/v1/subscriptions/{row.pk}"
    row.refresh_from_db()
    discounts = {"discounts": [{"months": 6, "percent": "15.00"}]}
    made = client.post(f"{path}/prepay-discounts/", discounts, format="json").json()
    assert made["prepay_discounts"] == [{"months": 6, "percent": "15.00"}]
    body = {"months": 6, "from_on": row.billed_until.isoformat() if row.billed_until else ""}
    found = client.post(f"{path}/pay-ahead-preview/", body, format="json").json()
    assert [bill["total"] for bill in found["bills"]] == ["510000.00"]
    assert client.post(f"{path}/pay-ahead/", body, format="json").status_code == 200
    assert client.post(f"{path}/pay-ahead/", body, format="json").status_code == 409
    assert money(row) == (0, 610_000)

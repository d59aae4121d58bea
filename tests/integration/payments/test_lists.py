"""Lists of payments at any size: an index answers every filter, and more rows do not mean more queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from customers.models import Customer
from locations.models import LocationUser
from payments.api.filters import PaymentFilter
from payments.models import Payment
from payments.selectors import payments_visible_to
from payments.services import payment_receive_cash
from tests.integration.billing.money import NOW
from tests.integration.vouchers.world import make_location

pytestmark = pytest.mark.django_db


@pytest.fixture
def cashier() -> User:
    return user_create(username="siti", password="correct horse 7 battery", role=Role.OPERATOR, actor=None)


def take(cashier: User, count: int) -> None:
    place = make_location(f"Pos {count}")
    LocationUser.objects.create(location=place, user=cashier)
    for n in range(count):
        customer = Customer.objects.create(number=f"L{count}-{n}", name=f"Customer {n}", location=place)
        payment_receive_cash(customer=customer, amount=100, request_key=f"k{count}-{n}", now=NOW, actor=cashier)


def plan_of(rows: Any) -> str:
    sql, params = rows.order_by("-pk")[:51].query.sql_with_params()
    with connection.cursor() as cursor:
        # with the few rows of a test a scan is always cheaper: ask what the database could do, not what it prefers
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql, params)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "payments_payment_pkey"), ("status=confirmed", "payments_payment_status"),
        ("customer=1", "payments_payment_customer"), ("location=1", "payments_payment_place"),
        ("received_by=1", "payments_payment_by"), ("reference=PABC", "payments_payment_reference"),
        ("invoice=1", "payments_payment_invoice"),
    ],
)  # fmt: skip
def test_an_index_answers_every_filter(query: str, index: str) -> None:
    plan = plan_of(PaymentFilter(QueryDict(query), Payment.objects.all()).qs)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


def test_an_operators_payments_come_from_an_index(cashier: User) -> None:
    plan = plan_of(payments_visible_to(cashier))
    assert "Index" in plan, plan
    assert "Seq Scan on payments_payment" not in plan, plan


def test_more_rows_do_not_mean_more_queries(cashier: User) -> None:
    client, rest = Client(), APIClient()
    client.force_login(cashier)
    rest.force_authenticate(cashier)
    counts = []
    for number in (2, 20):
        take(cashier, number)
        for caller, url in (
            (client, reverse("admin:payments_payment_changelist")), (rest, "/api/v1/payments/"),
            (client, reverse("admin:billing_cashshift_changelist")),
        ):  # fmt: skip
            caller.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert caller.get(url).status_code == 200, url
            counts.append(len(queries))
    assert counts[:3] == counts[3:]

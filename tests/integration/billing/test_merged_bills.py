"""After a merge the bills of both are shown together: page of the service, list of bills, REST."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.api.tokens import tokens_issue
from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.models import Invoice
from billing.service_words import EVENTS
from core import clock
from customers.services import customers_merge
from tests.integration.billing.service_world import customer, place, plan, service

pytestmark = pytest.mark.django_db(transaction=True)
NOV_22 = date(2026, 11, 22)


@pytest.fixture
def boss() -> User:
    roles_sync()
    return user_create(username="boss", password="a-long-password-7", role=Role.ADMIN, language="en", actor=None)


def numbers_shown(boss: User, address: str) -> list[str]:
    client = Client()
    client.force_login(boss)
    return sorted(set(re.findall(r"INV/2026/\d+", client.get(address).content.decode())))


def test_bills_of_merged_customers_are_shown_together(boss: User) -> None:
    pos = place()
    of = plan(pos)
    winner, loser, other = customer("Bu Sri"), customer("Sri Rahayu", phone="0812-3456-7890"), customer("Pak Budi")
    moved, own, strange = (service(pos, of, NOV_22, who) for who in (loser, winner, other))
    customers_merge(winner, loser, actor=None, now=clock.now())
    bill = {row.pk: str(Invoice.objects.get(subscription=row).number) for row in (moved, own, strange)}
    both = sorted([bill[moved.pk], bill[own.pk]])

    page = reverse("admin:billing_subscription_change", args=[moved.pk])
    assert numbers_shown(boss, page) == [bill[moved.pk]]
    assert set(moved.events.values_list("kind", flat=True)) <= set(EVENTS)  # each in words, in every language
    listing = reverse("admin:billing_invoice_changelist")
    for text, found in (
        (winner.number, both), (winner.number.lower(), both), ("bu sri", both), ("rahayu", both), ("0812 3456", both),
        ("budi", [bill[strange.pk]]), (bill[moved.pk], [bill[moved.pk]]), ("nobody", []),
        ("INV/2026", sorted(bill.values())),
    ):  # fmt: skip
        assert numbers_shown(boss, f"{listing}?q={text}") == found, text

    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens_issue(boss)['access']}")
    rows = api.get(f"/api/v1/invoices/?customer={winner.pk}").json()["results"]
    assert sorted(row["number"] for row in rows) == both


def test_a_name_that_very_many_have_says_that_more_must_be_written(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.admin.invoices.MOST_CUSTOMERS", 1)
    pos = place()
    of = plan(pos)
    rows = [service(pos, of, NOV_22, customer(f"Sri {name}")) for name in ("Wati", "Lestari")]
    listing = reverse("admin:billing_invoice_changelist")
    assert numbers_shown(boss, f"{listing}?q=sri") == [Invoice.objects.get(subscription=rows[1]).number]
    client = Client()
    client.force_login(boss)
    assert "these are the bills of the newest 1." in client.get(f"{listing}?q=sri").content.decode()

"""Lists as files: all rows of what the list finds, amounts and days that a spreadsheet reads, formulas that it does not run."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.models import BillingRun, Invoice, JournalEntry, Plan, Posting
from customers.models import Customer
from locations.services import location_member_add
from tests.integration.billing.service_world import customer, place, plan, service

pytestmark = pytest.mark.django_db(transaction=True)
NOV_22 = date(2026, 11, 22)
HEADERS = {"accept-language": "en"}


@pytest.fixture
def boss() -> Client:
    roles_sync()
    return browser(person("boss", Role.ADMIN))


def person(name: str, role: str) -> User:
    return user_create(username=name, password="a-long-password-7", role=role, language="en", actor=None)


def browser(user: User) -> Client:
    client = Client(headers=HEADERS)
    client.force_login(user)
    return client


def file_of(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{reverse(f'admin:billing_{name}_changelist')}?{query}&format=csv")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def pos(boss: Client) -> Any:
    pos = place()
    of = plan(pos)
    service(pos, of, NOV_22, customer("=Bu Sri"), username="sri")
    service(pos, of, NOV_22, customer("Pak Budi"), username="budi", price=99_000)
    return pos


def test_bills_and_services(boss: Client, pos: Any) -> None:
    second = Invoice.objects.order_by("pk")[1]
    assert [list(row.values()) for row in file_of(boss, "invoice", "q=budi")] == [
        [
            second.number, "invoice", "open", second.customer.number, "Pak Budi", "budi", "Pos 1", "2026-11-22", "2026-11-22",
            "2026-11-22", "2026-12-21", "99000", "0", "99000", "0", "99000", "",
        ]
    ]  # fmt: skip
    assert [row["customer"] for row in file_of(boss, "invoice", "after=1")] == ["Pak Budi", "'=Bu Sri"]
    found = file_of(boss, "subscription", "status__exact=active")
    assert [(row["user name"], row["customer"], row["per month"], row["billed until"]) for row in found] == [
        ("budi", "Pak Budi", "99000", "2026-12-22"), ("sri", "'=Bu Sri", "150000", "2026-12-22"),
    ]  # fmt: skip
    assert "password" not in "".join(found[0]).lower()
    assert file_of(boss, "invoice", "status__exact=paid") == []


def test_journal_and_postings_add_up(boss: Client, pos: Any) -> None:
    first = JournalEntry.objects.order_by("pk")[0]
    entries = file_of(boss, "journalentry", "kind=invoice")
    assert [(row["ID"], row["source"], row["amount"]) for row in entries][-1] == (str(first.pk), first.source, "150000")
    rows = file_of(boss, "posting", "account=receivable")
    assert [(row["account"], row["customer"], row["debit"], row["credit"]) for row in rows] == [
        ("receivable", "Pak Budi", "99000", ""), ("receivable", "'=Bu Sri", "150000", ""),
    ]  # fmt: skip
    assert len(file_of(boss, "posting")) == Posting.objects.count()
    answer = boss.get(reverse("admin:billing_posting_changelist") + "?account=pocket&format=csv")
    assert (answer.status_code, answer.headers["Location"].endswith("?e=1")) == (302, True)


def test_runs(boss: Client, pos: Any) -> None:
    BillingRun.objects.create(
        kind="night", location=pos, day=NOV_22, outcome={"bills": 2, "billed": "249000"}, done=2, total=2
    )
    [row] = file_of(boss, "billingrun")
    assert (row["kind"], row["location"], row["day"], row["outcome"]) == (
        "Night", "Pos 1", "2026-11-22", "Bills: 2, Sum of the bills: IDR 249,000",
    )  # fmt: skip


def test_the_list_offers_its_file_and_a_stranger_gets_none(boss: Client, pos: Any) -> None:
    page = boss.get(reverse("admin:billing_invoice_changelist") + "?q=budi").content.decode()
    assert 'href="?q=budi&amp;format=csv"' in page
    other = person("lain", Role.OPERATOR)
    location_member_add(place("Pos 2"), other)
    assert file_of(browser(other), "invoice") == []
    assert file_of(browser(other), "subscription") == []
    agent = person("agen", Role.AGENT)
    assert browser(agent).get(reverse("admin:billing_invoice_changelist") + "?format=csv").status_code in {302, 403}


@pytest.mark.parametrize("name", ["invoice", "subscription", "journalentry", "posting"])
def test_a_file_asks_the_database_as_often_for_many_rows_as_for_few(boss: Client, pos: Any, name: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            file_of(boss, name)
        return len(found)

    queries()
    few = queries()
    for number in range(5):
        service(pos, Plan.objects.get(), NOV_22, customer(f"Pelanggan {number}"))
    assert queries() == few
    assert Customer.objects.count() == 7

"""Expenses and corrections over REST: the same services as in the admin, once per key, never across places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Adjustment, Expense, ExpenseCategory
from billing.services.cash import shift_open
from billing.services.drawers import account_amount, drawer_amount
from core import clock
from customers.models import Customer
from locations.models import Location
from tests.integration.billing.money import money_of
from tests.integration.payments.test_pages import person
from tests.integration.vouchers.test_selling import together
from tests.integration.vouchers.world import make_location

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    roles_sync()
    yield
    assert ledger_check().findings == {}


@pytest.fixture
def place() -> Location:
    return make_location()


@pytest.fixture
def admin() -> User:
    user = person("boss", Role.ADMIN)
    shift_open(counted=50_000, from_owner=50_000, now=clock.now(), actor=user)
    return user


def rest(user: User) -> APIClient:
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en")
    client.force_authenticate(user)
    return client


def send(client: APIClient, path: str, body: dict[str, Any], key: str = "") -> Any:
    extra = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post(f"/api/v1/{path}", body, format="json", **extra)


def test_an_expense_is_written_once_per_key_and_taken_back(admin: User, place: Location) -> None:
    client, fuel = rest(admin), ExpenseCategory.objects.create(code="fuel", name="Fuel")
    assert client.get("/api/v1/expense-categories/").json()["results"] == [
        {"id": fuel.pk, "code": "fuel", "name": "Fuel", "is_active": True}
    ]
    body = {
        "category": fuel.pk, "amount": "20000", "spent_on": "2026-01-05", "paid_from": "drawer", "location": place.pk,
        "note": "generator",
    }  # fmt: skip
    first, again = (send(client, "expenses/", body, "expense-0001") for _time in range(2))
    assert (first.status_code, again.json()["id"], first.json()["paid_from"]) == (
        201, first.json()["id"], f"cash:{admin.pk}",
    )  # fmt: skip
    assert (drawer_amount(admin.pk), account_amount(chart.expense("fuel"))) == (30_000, 20_000)
    for change in ({"amount": "20001"}, {"note": ""}, {"paid_from": "owner"}):
        other = send(client, "expenses/", body | change, "expense-0001")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    pk = first.json()["id"]
    assert [row["id"] for row in client.get("/api/v1/expenses/", {"category": fuel.pk}).json()["results"]] == [pk]
    assert client.get("/api/v1/expenses/", {"spent_from": "2026-01-06"}).json()["results"] == []
    assert client.get("/api/v1/expenses/", {"spent_until": "2026-01-04"}).json()["results"] == []
    assert send(client, f"expenses/{pk}/reverse/", {"reason": " "}).status_code == 400
    taken = send(client, f"expenses/{pk}/reverse/", {"reason": "typed twice"})
    assert (taken.status_code, taken.json()["reversed_at"] is not None) == (200, True)
    assert send(client, f"expenses/{pk}/reverse/", {"reason": "again"}).json()["code"] == "expense.reversed"
    assert (drawer_amount(admin.pk), account_amount(chart.expense("fuel"))) == (50_000, 0)


def test_what_is_refused_moves_no_money(admin: User, place: Location) -> None:
    client, fuel = rest(admin), ExpenseCategory.objects.create(code="fuel", name="Fuel")
    body = {"category": fuel.pk, "amount": "1000", "spent_on": "2026-01-05", "paid_from": "owner"}
    refused = [
        ({"amount": "0"}, "amount"), ({"amount": 1000}, "amount"), ({"amount": "60000", "paid_from": "drawer"}, "amount"),
        ({"paid_from": f"cash:{admin.pk + 1}"}, "paid_from"), ({"paid_from": "bank:BCA!"}, "paid_from"),
        ({"category": fuel.pk + 1}, "category"), ({"location": place.pk + 1}, "location"),
        ({"spent_on": "2199-01-01"}, "spent_on"), ({"spent_on": "soon"}, "spent_on"), ({"colour": "red"}, "colour"),
    ]  # fmt: skip
    for number, (change, field) in enumerate(refused):
        answer = send(client, "expenses/", body | change, f"expense-{number:04}")
        assert (answer.status_code // 100, list(answer.json()["fields"])) == (4, [field]), answer.json()
    assert send(client, "expenses/", body).status_code == 400, "no key"
    assert (Expense.objects.count(), account_amount(chart.OWNER)) == (0, -50_000)


def test_sixteen_times_the_same_is_one_expense_and_one_correction(admin: User, place: Location) -> None:
    fuel = ExpenseCategory.objects.create(code="fuel", name="Fuel")
    customer = Customer.objects.create(number="C1", name="Bu Sri", location=place)
    expense = {"category": fuel.pk, "amount": "700", "spent_on": "2026-01-05", "paid_from": "bank:bca"}
    fix = {"customer": customer.pk, "amount": "900", "reason": "outage"}

    def work(i: int) -> int:
        path, body = ("expenses/", expense) if i % 2 else ("adjustments/", fix)
        return int(send(rest(admin), path, body, f"same-{i % 2:04}").status_code)

    assert together(16, work) == [201] * 16
    assert (Expense.objects.count(), account_amount(chart.bank("bca")), money_of(customer)) == (1, -700, (900, 0))


def test_a_correction_up_to_the_limit_is_posted_at_once(admin: User, place: Location) -> None:
    customer = Customer.objects.create(number="C1", name="Bu Sri", location=place)
    client = rest(admin)
    for amount, key in (("5000", "fix-0001"), ("-8000", "fix-0002"), ("-8000", "fix-0002")):
        answer = send(client, "adjustments/", {"customer": customer.pk, "amount": amount, "reason": "outage"}, key)
        assert (answer.status_code, answer.json()["status"], answer.json()["decided_by"]) == (201, "posted", None)
    assert money_of(customer) == (0, 3_000)
    other = send(client, "adjustments/", {"customer": customer.pk, "amount": "-8001", "reason": "outage"}, "fix-0002")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    for change, field in (({"amount": "0"}, "amount"), ({"reason": ""}, "reason"), ({"customer": 999}, "customer")):
        body = {"customer": customer.pk, "amount": "1", "reason": "x"} | change
        answer = send(client, "adjustments/", body, "fix-0003")
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert money_of(customer) == (0, 3_000)


def test_above_the_limit_a_second_person_decides(admin: User, place: Location) -> None:
    customer = Customer.objects.create(number="C1", name="Bu Sri", location=place)
    first, second = rest(admin), rest(person("ben", Role.ADMIN))
    ids = [
        send(first, "adjustments/", {"customer": customer.pk, "amount": "600000", "reason": "outage"}, key).json()["id"]
        for key in ("fix-0001", "fix-0002")
    ]
    waiting = second.get("/api/v1/adjustments/", {"status": "waiting", "customer": customer.pk}).json()["results"]
    assert [row["id"] for row in waiting] == ids[::-1]
    own = send(first, f"adjustments/{ids[0]}/approve/", {})
    assert (own.status_code, own.json()["code"], money_of(customer)) == (403, "adjustment.same_person", (0, 0))
    done = send(second, f"adjustments/{ids[0]}/approve/", {})
    assert (done.status_code, done.json()["status"], money_of(customer)) == (200, "posted", (600_000, 0))
    refused = send(second, f"adjustments/{ids[1]}/reject/", {})
    assert (refused.json()["status"], refused.json()["decided_by"]) == ("rejected", User.objects.get(username="ben").pk)
    late = send(second, f"adjustments/{ids[1]}/approve/", {})
    assert (late.status_code, late.json()["code"], money_of(customer)) == (409, "adjustment.decided", (600_000, 0))


def test_an_operator_and_a_stranger_may_not(admin: User, place: Location) -> None:
    customer = Customer.objects.create(number="C1", name="Bu Sri", location=place)
    operator = rest(person("siti", Role.OPERATOR, place))
    body = {"customer": customer.pk, "amount": "1", "reason": "x"}
    for path in ("adjustments/", "expenses/", "expense-categories/"):
        assert operator.get(f"/api/v1/{path}").status_code == 403
    assert send(operator, "adjustments/", body, "fix-0001").status_code == 403
    assert Adjustment.objects.count() == 0


def test_a_merged_customers_correction_goes_to_the_one_that_stays(admin: User, place: Location) -> None:
    root = Customer.objects.create(number="C1", name="Bu Sri", location=place)
    gone = Customer.objects.create(number="C2", name="Bu Sri H.", location=place)
    Customer.objects.filter(pk=gone.pk).update(merged_into=root)
    answer = send(
        rest(admin), "adjustments/", {"customer": gone.pk, "amount": "500", "reason": "outage"}, "fix-0001"
    ).json()
    assert (answer["customer"], money_of(root)) == (root.pk, (500, 0))

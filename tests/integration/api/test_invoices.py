"""Bills over REST: what is written, credited, voided and refused; and what strangers are told."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from billing.models import Invoice
from core import clock
from core.formats import local
from customers.services import customer_create
from tests.integration.api.conftest import House, Login, add_invoice

pytestmark = pytest.mark.django_db
KEY: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "invoice-0001"}


@pytest.fixture(autouse=True)
def _bill(house: House) -> None:
    """The house's own bill is of nothing; here it is one that is owed."""
    house.invoice = add_invoice(house.here, house.customer, 150_000, "owed")


def body(house: House, **changes: Any) -> dict[str, Any]:
    return {
        "customer": house.invoice.customer_id, "due_on": str(local(clock.now()).date()),
        "lines": [{"text": "Cable", "price": "2500.00", "quantity": "20.5"}, {"text": "Friend", "price": "-1250.00"}],
    } | changes  # fmt: skip


def test_list_filters_and_detail(house: House, as_user: Login) -> None:
    second = add_invoice(house.there, customer_create(actor=None, name="Pak Budi", location=house.there), 5, "second")
    client, free = as_user(house.admin), Invoice.objects.get(source="walk")
    for query, found in (
        ("", [second.pk, house.invoice.pk, free.pk]), (f"?number={house.invoice.number}", [house.invoice.pk]),
        ("?number_prefix=INV/", [second.pk, house.invoice.pk, free.pk]), ("?status=paid", [free.pk]),
        (f"?customer={second.customer_id}", [second.pk]), (f"?location={house.here.pk}", [house.invoice.pk, free.pk]),
    ):  # fmt: skip
        rows = client.get(f"/api/v1/invoices/{query}").json()["results"]
        assert [row["id"] for row in rows] == found, query
    row = client.get(f"/api/v1/invoices/{house.invoice.pk}/").json()
    assert (row["total"], row["settled_amount"], row["status"]) == ("150000.00", "0.00", "open")
    assert [line["words"] for line in row["lines"]] == ["Internet"]
    assert row["pay_link"].endswith(f"/pay/{house.invoice.token}/")
    assert row["allocations"] == []


def test_a_bill_is_written_once_per_key(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    first = client.post("/api/v1/invoices/", body(house), format="json", **KEY)
    again = client.post("/api/v1/invoices/", body(house), format="json", **KEY)
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (first.json()["total"], first.json()["lines"][0]["quantity"]) == ("50000.00", "20.500")
    assert Invoice.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"text": "x", "price": "0.00"}]}, "line_0_price"),
        ({"lines": [{"text": "x", "price": 5}]}, "lines"),
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"customer": 999999}, "customer"),
        ({"tax": "x"}, "tax"),
    ],
)
def test_a_wrong_bill_names_the_field(house: House, as_user: Login, changes: dict[str, Any], field: str) -> None:
    answer = as_user(house.admin).post("/api/v1/invoices/", body(house, **changes), format="json", **KEY)
    assert answer.status_code == 400
    assert field in "".join(answer.json()["fields"])
    assert Invoice.objects.count() == 2


def test_corrections(house: House, as_user: Login) -> None:
    client, url = as_user(house.admin), f"/api/v1/invoices/{house.invoice.pk}"
    note = client.post(f"{url}/credit-note/", {"amount": "50000.00", "reason": "cable"}, format="json", **KEY).json()
    assert (note["kind"], note["total"], note["credits"]) == ("credit_note", "50000.00", house.invoice.pk)
    row = client.get(f"{url}/").json()
    assert [(part["kind"], part["amount"]) for part in row["allocations"]] == [("credit_note", "50000.00")]
    refused = client.post(f"{url}/void/", {"reason": "x"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "invoice.settled")
    done = client.post(f"{url}/write-off/", {"reason": "moved"}, format="json").json()
    assert (done["status"], done["settled_amount"]) == ("paid", "150000.00")
    fresh = add_invoice(house.here, house.customer, 5, "fresh")
    assert client.post(f"/api/v1/invoices/{fresh.pk}/void/", {"reason": "x"}, format="json").json()["status"] == "void"


def test_the_paper(house: House, as_user: Login) -> None:
    answer = as_user(house.operator).get(f"/api/v1/invoices/{house.invoice.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert str(house.invoice.number) in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


def test_strangers_are_told_nothing(house: House, as_user: Login) -> None:
    url = f"/api/v1/invoices/{house.invoice.pk}"
    outsider, operator = as_user(house.outsider), as_user(house.operator)
    assert outsider.get("/api/v1/invoices/").json()["results"] == []
    assert [outsider.get(f"{url}/{page}").status_code for page in ("", "pdf/")] == [404, 404]
    for page in ("void/", "write-off/", "credit-note/"):
        assert operator.post(f"{url}/{page}", {"reason": "x"}, format="json", **KEY).status_code == 403
    house.invoice.refresh_from_db()
    assert house.invoice.status == "open"

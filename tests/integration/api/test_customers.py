"""Customers over REST: strict input, scoped answers, every command once."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import ActivityLog
from customers.models import Consent, Contact, Customer
from customers.services import customer_create, customers_merge
from tests.integration.api.conftest import MADE_AT, House, Login

URL = "/api/v1/customers/"


@pytest.fixture
def operator(house: House, as_user: Login) -> APIClient:
    return as_user(house.operator)


@pytest.fixture
def admin(house: House, as_user: Login) -> APIClient:
    return as_user(house.admin)


def post(client: APIClient, url: str, data: dict[str, Any], key: str = "key-00000001") -> Any:
    return client.post(url, data, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_a_customer_is_added_once_per_key(house: House, operator: APIClient) -> None:
    body = {"name": "Pak Joko", "phone": "0813-0000-1111", "tags": ["Baru"], "latitude": "-7.5", "longitude": "110.8"}
    answers = [post(operator, URL, body) for _i in range(2)]
    row = Customer.objects.get(name="Pak Joko")
    assert [(answer.status_code, answer.json()["id"]) for answer in answers] == [(201, row.pk)] * 2
    told = answers[0].json()
    assert {name: told[name] for name in ("number", "phone", "phone_typed", "location", "tags", "balance", "debt")} == {
        "number": "C000002", "phone": "+6281300001111", "phone_typed": "0813-0000-1111", "location": house.here.pk,
        "tags": ["baru"], "balance": "0.00", "debt": "0.00",
    }  # fmt: skip
    other = post(operator, URL, {"name": "Bu Ani"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    assert operator.post(URL, body, format="json").json()["fields"].keys() == {"Idempotency-Key"}
    assert Customer.objects.count() == 2


def test_wrong_input_is_named_and_nothing_is_added(operator: APIClient, house: House) -> None:
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"name"}),
        ({"name": "x", "phone": "12"}, {"phone"}),
        ({"name": "x", "phone": 812}, {"phone"}),
        ({"name": "x", "email": "a@"}, {"email"}),
        ({"name": "x", "latitude": "91", "longitude": "0"}, {"latitude"}),
        ({"name": "x", "latitude": "9"}, {"longitude"}),
        ({"name": "x", "balance": "5.00"}, {"balance"}),
        ({"name": "x", "location": house.there.pk}, {"location"}),
        ({"name": "x", "location": None, "language": "fr"}, {"language"}),
        ({"name": "x", "number": "C 1"}, {"number"}),
        ({"name": "x" * 121}, {"name"}),
        ({"name": "x", "tags": ["t"] * 21}, {"tags"}),
    ]
    for body, fields in cases:
        answer = post(operator, URL, body)
        assert (answer.status_code, set(answer.json()["fields"])) == (400, fields), body
    assert Customer.objects.count() == 1


def test_lists_are_searched_filtered_and_scoped(
    house: House, operator: APIClient, admin: APIClient, as_user: Login
) -> None:
    other = customer_create(actor=None, name="Sri Lain", phone="0812-3456-7891", location=house.there, tags=["x"])
    merged = customer_create(actor=None, name="Rahayu", location=house.here)
    customers_merge(house.customer, merged, actor=None, now=MADE_AT)

    def found(client: APIClient, query: str) -> list[str]:
        return [row["name"] for row in client.get(URL + query).json()["results"]]

    assert found(admin, "") == ["Sri Lain", "Bu Sri"]
    assert found(operator, "?search=sri") == ["Bu Sri"]
    assert found(admin, "?search=sri") == ["Sri Lain", "Bu Sri"]
    for query in (
        "?search=0812 3456 7890", "?phone=62812-3456-7890", "?number=c000001", "?search=rahayu", "?search=C000003",
        f"?location={house.here.pk}", "?search=bu s",
    ):  # fmt: skip
        assert found(admin, query) == ["Bu Sri"], query
    assert (found(admin, "?tag=X"), found(admin, "?owing=true"), found(admin, "?in_credit=true")) == (
        ["Sri Lain"],
        [],
        [],
    )
    assert found(admin, "?is_active=false") == []
    assert admin.get(URL + "?phone=12").status_code == 400
    assert admin.get(URL + "?nmae=x").status_code == 400
    detail = operator.get(f"{URL}{merged.pk}/").json()
    assert (detail["merged_into"], operator.get(f"{URL}{house.customer.pk}/").json()["merged"]) == (
        house.customer.pk, [{"id": merged.pk, "number": "C000003"}],
    )  # fmt: skip
    for client in (as_user(house.outsider),):
        assert client.get(f"{URL}{house.customer.pk}/").status_code == 404
        assert client.get(f"{URL}{other.pk}/").status_code == 200


def test_changes_notes_contacts_and_consents(house: House, operator: APIClient, admin: APIClient) -> None:
    mine = f"{URL}{house.customer.pk}/"
    told = operator.patch(mine, {"address": "Jl. Mawar", "phone": ""}, format="json").json()
    assert (told["address"], told["phone"], told["phone_typed"], told["name"]) == ("Jl. Mawar", "", "", "Bu Sri")
    assert operator.patch(mine, {"number": ""}, format="json").status_code == 400
    assert operator.post(mine + "note/", {"text": "galak"}, format="json").json()["notes"].endswith("budi: galak")
    contact = operator.post(mine + "contacts/", {"name": "Kakak", "phone": "0813 0000 2222"}, format="json")
    assert (contact.status_code, contact.json()["phone"]) == (201, "+6281300002222")
    url = f"/api/v1/contacts/{contact.json()['id']}/"
    assert operator.patch(url, {"role": "billing"}, format="json").json()["role"] == "billing"
    assert [row["name"] for row in operator.get(mine + "contacts/").json()["results"]] == ["Kakak", "Adik"]
    assert [row["name"] for row in operator.get("/api/v1/contacts/?phone=081300002222").json()["results"]] == ["Kakak"]
    assert (operator.delete(url).status_code, admin.delete(url).status_code) == (403, 204)
    assert Contact.objects.count() == 1
    body = {"channel": "email", "kind": "service", "is_granted": True, "source": "form"}
    assert operator.post(mine + "consents/", body, format="json").status_code == 201
    assert operator.post(mine + "consents/", {**body, "is_granted": "yes"}, format="json").status_code == 400
    (told,) = operator.get(mine + "consents/").json()["results"]
    assert (told["is_granted"], told["actor"], Consent.objects.count()) == (True, house.operator.pk, 1)
    (document,) = operator.get(mine + "documents/").json()["results"]
    assert (document["id"], document["title"], "file" in document) == (house.document.pk, "KTP", False)
    kinds = [row["kind"] for row in operator.get(mine + "events/").json()["results"]]
    assert kinds == [
        "consent",
        "contact_removed",
        "contact_changed",
        "contact_added",
        "noted",
        "changed",
        "contact_added",
        "created",
    ]


def test_merge_dry_run_merge_undo_and_erase(house: House, admin: APIClient, operator: APIClient) -> None:
    loser = customer_create(actor=None, name="Sri R", location=house.here)
    mine, other = f"{URL}{house.customer.pk}/", f"{URL}{loser.pk}/"
    before = Customer.objects.order_by("pk").values_list("pk", "merged_into")
    dry = admin.post(mine + "merge/", {"loser": loser.pk, "is_dry_run": True}, format="json").json()
    assert dry == {
        "merge": None, "winner": house.customer.pk, "loser": loser.pk, "moved": {}, "balance": "0.00", "debt": "0.00",
    }  # fmt: skip
    assert list(before) == [(house.customer.pk, None), (loser.pk, None)]
    assert admin.post(other + "merge-undo/", {}, format="json").json()["code"] == "merge.none"
    assert admin.post(mine + "merge/", {"loser": 999999}, format="json").json()["fields"].keys() == {"loser"}
    assert admin.post(mine + "merge/", {"loser": house.customer.pk}, format="json").json()["code"] == "merge.same"
    done = admin.post(mine + "merge/", {"loser": loser.pk}, format="json").json()
    assert done["merge"] is not None
    assert admin.post(other + "merge/", {"loser": house.customer.pk}, format="json").json()["code"] == "merge.merged"
    assert operator.patch(other, {"name": "x"}, format="json").json()["code"] == "customer.merged"
    told = admin.post(other + "merge-undo/", {}, format="json").json()
    assert (told["id"], told["merged_into"]) == (loser.pk, None)
    wrong = admin.post(other + "erase/", {"number": "C000001"}, format="json")
    assert (wrong.status_code, wrong.json()["fields"].keys()) == (400, {"number"})
    told = admin.post(other + "erase/", {"number": loser.number}, format="json").json()
    assert (told["name"], told["erased_at"] is not None, told["number"]) == ("–", True, loser.number)
    actions = set(ActivityLog.objects.filter(user=house.admin).values_list("action", flat=True))
    assert actions == {"customer.merged", "customer.merge_undone", "customer.erased"}

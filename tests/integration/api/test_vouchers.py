"""Vouchers and batches over REST: exact answers, one sale per key, the truth about every router."""

from __future__ import annotations

from base64 import urlsafe_b64encode as b64encode
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import Sum

from accounts.models import ActivityLog
from billing.services import plan_publish
from core.clock import now
from locations.models import AccessAccount, RouterState
from tests.integration.api.conftest import House, Login, add_batch, add_voucher
from vouchers.models import Voucher, VoucherBatch, VoucherEvent, VoucherSale

LIST = "/api/v1/vouchers/"
BATCHES = "/api/v1/batches/"
KEY = {"HTTP_IDEMPOTENCY_KEY": "order-0001"}


def _order(house: House, **changes: Any) -> dict[str, Any]:
    return {"plan": house.plan.pk, "locations": [house.here.pk], "quantity": 5, **changes}


def _path(house: House, command: str = "") -> str:
    return f"{LIST}{house.voucher.pk}/" + (f"{command}/" if command else "")


# --- reading ------------------------------------------------------------------------------------------------------


def test_a_row_of_the_list(house: House, as_user: Login) -> None:
    (row,) = as_user(house.operator).get(LIST).json()["results"]
    assert row == {
        "id": house.voucher.pk, "code": "HKJM2345", "status": "new", "batch": house.batch.pk,
        "plan": house.plan.pk, "plan_name": "Harian", "created_at": "2026-11-01T03:00:00Z", "sold_at": None,
        "used_at": None, "valid_until": None, "ended_at": None,
    }  # fmt: skip


def test_a_voucher_says_per_router_what_is_true(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    body = client.get(_path(house)).json()
    assert (body["price"], body["password"]) == ("5000.00", None)
    (place,) = body["places"]
    assert {name: place[name] for name in ("location", "location_name", "router", "wanted", "truth")} == {
        "location": house.here.pk, "location_name": "Pos 1", "router": "unknown", "wanted": "present",
        "truth": "waiting",
    }  # fmt: skip
    assert (place["is_confirmed"], place["confirmed_at"], place["hold"]) == (False, None, "")

    AccessAccount.objects.update(applied_revision=1, applied_at=now())
    RouterState.objects.update(reach="online")
    (place,) = client.get(_path(house)).json()["places"]
    assert (place["router"], place["truth"], place["is_confirmed"]) == ("online", "on_router", True)

    AccessAccount.objects.update(revision=2, hold="refused", router_words="failure: no space left")
    (place,) = client.get(_path(house)).json()["places"]
    assert (place["truth"], place["router_words"]) == ("held", "failure: no space left")

    AccessAccount.objects.update(hold="", presence="absent")
    assert client.get(_path(house)).json()["places"][0]["truth"] == "leaving"


def test_filters(house: House, as_user: Login) -> None:
    other = add_batch(house.plan, house.here, "Second")
    sold = add_voucher(other, "HKZZ2222")
    Voucher.objects.filter(pk=sold.pk).update(status="sold", sold_at=now())
    client = as_user(house.operator)

    def codes(**query: Any) -> list[str]:
        answer = client.get(LIST, query)
        assert answer.status_code == 200, answer.content
        return [row["code"] for row in answer.json()["results"]]

    assert codes(code="hkjm2345 ") == ["HKJM2345"]
    assert codes(code="HKJM") == []
    assert codes(code_prefix="hk") == ["HKZZ2222", "HKJM2345"]
    assert codes(code_prefix="HK%") == []
    assert codes(status="sold") == ["HKZZ2222"]
    assert codes(batch=house.batch.pk) == ["HKJM2345"]
    assert codes(batch=other.pk, status="new") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status"), ({"batch": "x"}, "batch"), ({"batch": "0"}, "batch"),
        ({"batch": "1.5"}, "batch"), ({"batch": str(2**63)}, "batch"), ({"code": "x" * 41}, "code"),
        ({"code": "a\x00"}, "code"), ({"code_prefix": "H"}, "code_prefix"),
    ],
)  # fmt: skip
def test_bad_filter_values(house: House, as_user: Login, query: dict[str, str], field: str) -> None:
    answer = as_user(house.operator).get(LIST, query)
    assert (answer.status_code, answer.json()["code"]) == (400, "input.invalid")
    assert list(answer.json()["fields"]) == [field]


# --- scope --------------------------------------------------------------------------------------------------------


def test_other_places_do_not_exist(house: House, as_user: Login) -> None:
    client = as_user(house.outsider)
    for path in (LIST, BATCHES, "/api/v1/accounts/"):
        assert client.get(path).json()["results"] == [], path
    assert client.get(LIST, {"code": "HKJM2345"}).json()["results"] == []
    answer = client.post(_path(house, "sell"), {}, format="json", **KEY)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert VoucherSale.objects.count() == 0
    assert client.get(f"{BATCHES}{house.batch.pk}/csv/").status_code == 404


def test_an_order_for_another_place_is_refused_by_field(house: House, as_user: Login) -> None:
    body = _order(house, locations=[house.here.pk, house.there.pk])
    answer = as_user(house.operator).post(BATCHES, body, format="json", **KEY)
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"locations": f"No such location: {house.there.pk}."}
    assert VoucherBatch.objects.count() == 1


# --- selling ------------------------------------------------------------------------------------------------------


def test_selling_twice_with_one_key_sells_once(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    first = client.post(_path(house, "sell"), {}, format="json", **KEY)
    again = client.post(_path(house, "sell"), {}, format="json", **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    sale = VoucherSale.objects.get()
    assert first.json() == {
        "id": sale.pk, "voucher": house.voucher.pk, "amount": "5000.00", "seller": house.operator.pk,
        "sold_at": first.json()["sold_at"], "reverses": None,
    }  # fmt: skip
    other = client.post(_path(house, "sell"), {}, format="json", HTTP_IDEMPOTENCY_KEY="order-0002")
    assert (other.status_code, other.json()["code"]) == (409, "voucher.not_sellable")
    assert VoucherSale.objects.count() == 1
    assert ActivityLog.objects.filter(action="voucher.sold", user=house.operator).count() == 1
    assert client.get(_path(house)).json()["status"] == "sold"


def test_a_key_belongs_to_one_voucher_and_one_person(house: House, as_user: Login) -> None:
    second = add_voucher(house.batch, "SECOND22")
    assert as_user(house.operator).post(_path(house, "sell"), {}, format="json", **KEY).status_code == 201
    reused = as_user(house.operator).post(f"{LIST}{second.pk}/sell/", {}, format="json", **KEY)
    assert (reused.status_code, reused.json()["code"]) == (409, "voucher.request_key_reused")
    another = as_user(house.admin).post(f"{LIST}{second.pk}/sell/", {}, format="json", **KEY)
    assert another.status_code == 201
    assert VoucherSale.objects.count() == 2


@pytest.mark.parametrize("key", [None, "", "short", "x" * 41, "with space", "umläut-key"])
def test_a_sale_needs_a_key(house: House, as_user: Login, key: str | None) -> None:
    extra = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    answer = as_user(house.operator).post(_path(house, "sell"), {}, format="json", **extra)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["Idempotency-Key"]
    assert VoucherSale.objects.count() == 0


@pytest.mark.parametrize("amount", ["-1", 4000, "x", "1e3", None])
def test_amounts_of_a_sale(house: House, as_user: Login, amount: object) -> None:
    answer = as_user(house.operator).post(_path(house, "sell"), {"amount": amount}, format="json", **KEY)
    if amount == "1e3":
        assert answer.json()["amount"] == "1000.00"
        return
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["amount"])
    assert VoucherSale.objects.count() == 0


def test_undo_within_a_minute_and_not_after(house: House, as_user: Login) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        client = as_user(house.operator)
        nothing = client.post(_path(house, "undo"), {}, format="json")
        assert (nothing.status_code, nothing.json()["code"]) == (409, "voucher.not_sold")
        sale = client.post(_path(house, "sell"), {}, format="json", **KEY).json()
        clock.shift(timedelta(seconds=60))
        undone = client.post(_path(house, "undo"), {}, format="json")
        assert (undone.status_code, undone.json()["reverses"]) == (200, sale["id"])
        assert undone.json()["amount"] == "-5000.00"
        assert client.get(_path(house)).json()["status"] == "new"

        client.post(_path(house, "sell"), {}, format="json", HTTP_IDEMPOTENCY_KEY="order-0002")
        clock.shift(timedelta(seconds=61))
        late = client.post(_path(house, "undo"), {}, format="json")
        assert (late.status_code, late.json()["code"]) == (409, "sale.too_late")
    assert VoucherSale.objects.aggregate(total=Sum("amount"))["total"] == 5000


# --- a voucher's life ---------------------------------------------------------------------------------------------


def test_void_extend_move_and_the_timeline(house: House, as_user: Login) -> None:
    plan_publish(house.plan, [house.there], actor=None)
    client = as_user(house.admin)
    moved = client.post(_path(house, "move"), {"location": house.there.pk}, format="json")
    assert moved.status_code == 200, moved.content
    assert [(p["location_name"], p["truth"]) for p in moved.json()["places"]] == [
        ("Pos 1", "leaving"), ("Pos 2", "waiting"),
    ]  # fmt: skip
    early = client.post(_path(house, "extend"), {"seconds": 3600}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "voucher.not_extendable")
    voided = client.post(_path(house, "void"), {"reason": "misprint"}, format="json")
    assert (voided.status_code, voided.json()["status"]) == (200, "void")
    assert {p["truth"] for p in voided.json()["places"]} == {"leaving"}
    again = client.post(_path(house, "void"), {"reason": "misprint"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "voucher.not_voidable")
    events = client.get(_path(house, "events")).json()["results"]
    assert [(e["kind"], e["actor"]) for e in events] == [
        ("voided", house.admin.pk), ("moved", house.admin.pk), ("created", None),
    ]  # fmt: skip  # nobody: this batch was made by the system


def test_the_timeline_begins_with_who_made_the_voucher_once_over_all_pages(house: House, as_user: Login) -> None:
    VoucherBatch.objects.filter(pk=house.batch.pk).update(created_by=house.operator)
    client = as_user(house.admin)
    made = {
        "id": None, "kind": "created", "at": "2026-11-01T03:00:00Z", "actor": house.operator.pk, "details": {},
    }  # fmt: skip
    assert client.get(_path(house, "events")).json() == {"next": None, "previous": None, "results": [made]}
    client.post(_path(house, "sell"), {}, format="json", **KEY)
    client.post(_path(house, "void"), {"reason": "misprint"}, format="json")
    first = client.get(_path(house, "events"), {"limit": "1"}).json()
    assert [e["kind"] for e in first["results"]] == ["voided"]
    second = client.get(first["next"]).json()
    assert [e["kind"] for e in second["results"]] == ["sold", "created"]
    assert (second["next"], second["results"][1]) == (None, made)
    newest = client.get(second["previous"]).json()
    assert [e["kind"] for e in newest["results"]] == ["voided"]
    nothing_newer = b64encode(f"n{2**62}".encode()).decode()
    assert client.get(_path(house, "events"), {"cursor": nothing_newer}).json()["results"] == []


@pytest.mark.parametrize(
    ("command", "body", "field"),
    [
        ("void", {}, "reason"), ("void", {"reason": " "}, "reason"), ("void", {"reason": "x" * 201}, "reason"),
        ("extend", {"seconds": 59}, "seconds"), ("extend", {"seconds": "60"}, "seconds"),
        ("extend", {"seconds": 10**12}, "seconds"), ("move", {"location": 999999}, "location"),
        ("move", {"location": "1"}, "location"), ("undo", {"force": True}, "force"),
    ],
)  # fmt: skip
def test_commands_check_their_input(
    house: House, as_user: Login, command: str, body: dict[str, Any], field: str
) -> None:
    answer = as_user(house.admin).post(_path(house, command), body, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert VoucherEvent.objects.count() == 0


# --- batches ------------------------------------------------------------------------------------------------------


def test_ordering_twice_with_one_key_orders_once(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    body = _order(house, name="Event", prefix="EV-", price="4500.00", note="for the fair")
    first = client.post(BATCHES, body, format="json", **KEY)
    assert first.status_code == 201, first.content
    again = client.post(BATCHES, body, format="json", **KEY)
    assert (again.status_code, again.json()) == (201, first.json())
    batch = VoucherBatch.objects.get(name="Event")
    assert first.json() == {
        "id": batch.pk, "name": "Event", "plan": house.plan.pk, "plan_name": "Harian",
        "locations": [house.here.pk], "quantity": 5, "prefix": "EV-", "length": 8, "charset": "unambiguous",
        "mode": "same", "push_at": "creation", "price": "4500.00", "price_cost": "0.00", "status": "queued",
        "progress": 0, "error": "", "note": "for the fair", "created_at": first.json()["created_at"],
        "finished_at": None, "warnings": [],
        "sync": {"generated": 0, "wanted": 0, "confirmed": 0, "waiting": 0, "held": 0},
    }  # fmt: skip
    other = client.post(BATCHES, {**body, "quantity": 6}, format="json", **KEY)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    assert VoucherBatch.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "quantity"), ({"quantity": 100_001}, "quantity"), ({"quantity": 1.5}, "quantity"),
        ({"length": 3}, "length"), ({"length": 21}, "length"), ({"prefix": "ev-"}, "prefix"),
        ({"prefix": "X" * 11}, "prefix"), ({"charset": "emoji"}, "charset"), ({"plan": 999999}, "plan"),
        ({"locations": []}, "locations"), ({"locations": "all"}, "locations"), ({"price": "-0.01"}, "price"),
        ({"name": "x" * 81}, "name"), ({"note": "x" * 201}, "note"), ({"quantitiy": 5}, "quantitiy"),
        ({"request_key": "mine"}, "request_key"), ({"status": "ready"}, "status"),
    ],
)  # fmt: skip
def test_orders_check_their_input(house: House, as_user: Login, change: dict[str, Any], field: str) -> None:
    answer = as_user(house.operator).post(BATCHES, _order(house, **change), format="json", **KEY)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert VoucherBatch.objects.count() == 1


def test_the_same_place_twice(house: House, as_user: Login) -> None:
    body = _order(house, locations=[house.here.pk, house.here.pk])
    answer = as_user(house.operator).post(BATCHES, body, format="json", **KEY)
    assert answer.json()["fields"] == {"locations": "The same location twice."}


def test_cancelling(house: House, as_user: Login) -> None:
    batch_id = as_user(house.operator).post(BATCHES, _order(house), format="json", **KEY).json()["id"]
    assert as_user(house.operator).post(f"{BATCHES}{batch_id}/cancel/", {}, format="json").status_code == 403
    answer = as_user(house.admin).post(f"{BATCHES}{batch_id}/cancel/", {}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    late = as_user(house.admin).post(f"{BATCHES}{house.batch.pk}/cancel/", {}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "batch.finished")


def test_batch_filters(house: House, as_user: Login) -> None:
    other = add_batch(house.plan, house.there, "Elsewhere")
    client = as_user(house.admin)

    def ids(**query: Any) -> list[int]:
        return [row["id"] for row in client.get(BATCHES, query).json()["results"]]

    assert ids() == [other.pk, house.batch.pk]
    assert ids(location=house.there.pk) == [other.pk]
    assert ids(status="queued") == []
    assert ids(status="ready", plan=house.plan.pk) == [other.pk, house.batch.pk]


def test_a_batch_as_csv(house: House, as_user: Login) -> None:
    answer = as_user(house.operator).get(f"{BATCHES}{house.batch.pk}/csv/", HTTP_ACCEPT="text/csv")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="vouchers-{house.batch.pk}.csv"'
    text = answer.getvalue().decode()
    assert len(text.strip().splitlines()) == 2
    assert "HKJM2345" in text
    assert ActivityLog.objects.get(action="batch.exported").user == house.operator
    missing = as_user(house.operator).get(f"{BATCHES}999999/csv/", HTTP_ACCEPT="text/csv")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")

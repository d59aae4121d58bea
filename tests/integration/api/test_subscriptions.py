"""Services over REST: made once per key, every step, filters, scope, and a night before it happens."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from billing.models import Coupon, Invoice, Subscription
from billing.services import plan_create, plan_publish
from core.clock import local_date, now
from locations.selectors import choice_for
from locations.services import group_put
from tests.integration.api.conftest import House, Login

pytestmark = pytest.mark.django_db
URL = "/api/v1/subscriptions/"


@pytest.fixture
def plan_id(house: House) -> int:
    plan = plan_create(actor=None, name="Rumah 10M", type="pppoe", price_sell=150_000)
    plan_publish(plan, [house.here, house.there], actor=None)
    return plan.pk


def make(client: APIClient, house: House, plan_id: int, key: str = "key-00001", **fields: Any) -> Any:
    body = {"customer": house.customer.pk, "plan": plan_id, "location": house.here.pk} | fields
    return client.post(URL, body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_made_once_per_key_and_started(house: House, as_user: Login, plan_id: int) -> None:
    client = as_user(house.operator)
    answers = [make(client, house, plan_id, grace_days=5, price="120000.00") for _n in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    first, second = (answer.json() for answer in answers)
    assert first["id"] == second["id"]
    assert (first["status"], first["grace_days"], first["login"], first["next_bill"]) == ("draft", 5, None, None)
    assert "password" not in first
    answer = client.post(f"{URL}{first['id']}/activate/", {}, format="json").json()
    today = local_date(house.here.timezone, now())
    assert (answer["status"], answer["started_on"]) == ("active", today.isoformat())
    assert answer["login"]["is_confirmed"] is False
    assert answer["next_bill"]["amount"] == "120000.00"
    assert Invoice.objects.get(subscription=first["id"]).total == 120_000
    kinds = [row["kind"] for row in client.get(f"{URL}{first['id']}/events/").json()["results"]]
    assert kinds == ["activated", "created"]


def test_a_group_chooses_the_location(house: House, as_user: Login, plan_id: int) -> None:
    group = group_put(None, name="Kota", strategy="least_users", locations=[house.here, house.there], actor=None)
    client = as_user(house.admin)
    body = {"customer": house.customer.pk, "plan": plan_id}
    for wrong in ({}, {"group": group.pk, "location": house.here.pk}):
        assert client.post(URL, {**body, **wrong}, format="json", HTTP_IDEMPOTENCY_KEY="key-00001").json()[
            "fields"
        ].keys() == {"location"}
    made = client.post(URL, {**body, "group": group.pk}, format="json", HTTP_IDEMPOTENCY_KEY="key-00001")
    assert made.status_code == 201
    choice = choice_for(f"subscription:{made.json()['id']}")
    assert choice is not None
    assert made.json()["location"] == choice.location_id


def test_steps_and_refusals(house: House, as_user: Login, plan_id: int) -> None:
    client = as_user(house.admin)
    pk = make(client, house, plan_id).json()["id"]

    def post(step: str, **body: Any) -> Any:
        return client.post(f"{URL}{pk}/{step}/", body, format="json")

    assert post("pause").json()["code"] == "subscription.state"
    assert post("activate").status_code == 200
    assert post("promise", until_on=date.today().isoformat()).json()["code"] == "promise.not_overdue"  # noqa: DTZ011  # any day
    assert post("change-login", username="busri").json()["username"] == "busri"
    assert post("addon", name="IP publik", amount="50000").status_code == 200
    assert post("charge", name="Kabel", amount="20000").status_code == 200
    assert post("coupon", code="NONE").json()["fields"].keys() == {"code"}
    assert post("pause", reason="mudik").json()["status"] == "paused"
    assert post("resume").json()["status"] == "active"
    assert post("cancel-plan-change").json()["code"] == "plan_change.none"
    assert client.patch(f"{URL}{pk}/", {"due_days": 4}, format="json").json()["due_days"] == 4
    assert client.patch(f"{URL}{pk}/", {"fixed_day": 30}, format="json").json()["fields"].keys() == {"fixed_day"}
    assert post("move", location=house.there.pk).json()["location"] == house.there.pk
    assert post("isolate", reason="x").json()["code"] == "isolate.paid"
    assert post("end", reason="pindah").json()["status"] == "ended"


def test_what_comes_on_the_bills_is_ended(house: House, as_user: Login, plan_id: int) -> None:
    Coupon.objects.create(code="HEMAT", kind="percent", value=10, bills=3)
    client = as_user(house.admin)
    pk = make(client, house, plan_id).json()["id"]

    def post(step: str, **body: Any) -> Any:
        return client.post(f"{URL}{pk}/{step}/", body, format="json")

    post("addon", name="IP publik", amount="50000")
    for name in ("Kabel", "Instalasi"):
        post("charge", name=name, amount="20000")
    body = post("coupon", code="hemat").json()
    assert body["coupons"] == [{"code": "HEMAT", "bills_left": 3}]
    ((addon,), (drop, bill)) = body["addons"], sorted(body["charges"], key=lambda charge: charge["id"])
    assert (addon["name"], addon["amount"], addon["until_on"]) == ("IP publik", "50000.00", None)
    assert post("end-addon", addon=addon["id"]).json()["addons"] == []
    assert post("end-addon", addon=addon["id"]).json()["code"] == "addon.ended"
    assert post("end-addon", addon=addon["id"] + 1).json()["code"] == "addon.none"
    assert [row["name"] for row in post("drop-charge", charge=drop["id"]).json()["charges"]] == ["Instalasi"]
    assert post("drop-charge", charge=drop["id"]).json()["code"] == "charge.gone"
    assert post("bill-charge", charge=bill["id"]).json()["charges"] == []
    assert post("bill-charge", charge=bill["id"] + 1).json()["code"] == "charge.none"
    assert Invoice.objects.get(subscription=pk).total == 20_000
    assert post("end-coupon", code="hemat").json()["coupons"] == []
    assert post("end-coupon", code="hemat").json()["code"] == "coupon.ended"
    assert post("end-coupon", code="LAIN").json()["code"] == "coupon.none"


def test_filters_and_scope(house: House, as_user: Login, plan_id: int) -> None:
    client = as_user(house.admin)
    row = make(client, house, plan_id, username="busri").json()
    for query in ("username=busri", "username_prefix=bus", "status=draft&type=pppoe", f"plan={plan_id}"):
        found = [item["id"] for item in client.get(f"{URL}?{query}").json()["results"]]
        assert found == [row["id"]], query
    assert client.get(f"{URL}?username=nobody").json()["results"] == []
    stranger = as_user(house.outsider)
    assert stranger.get(f"{URL}{row['id']}/").status_code == 404
    assert stranger.get(URL).json()["results"] == []
    assert make(stranger, house, plan_id, key="key-00002").status_code == 400


def test_tonight_says_what_would_happen_and_does_nothing(house: House, as_user: Login, plan_id: int) -> None:
    client = as_user(house.admin)
    pk = make(client, house, plan_id).json()["id"]
    client.post(f"{URL}{pk}/activate/", {}, format="json")
    row = Subscription.objects.get(pk=pk)
    assert row.billed_until is not None
    day = row.billed_until + timedelta(days=0)
    body = {"location": house.here.pk, "day": day.isoformat()}
    answer = client.post("/api/v1/runs/tonight/", body, format="json").json()
    assert answer["counts"]["bills"] == 1
    assert answer["rows"][0]["subscription"] == pk
    assert answer["billed"] == "150000.00"
    assert Invoice.objects.filter(subscription=pk).count() == 1
    assert as_user(house.operator).post("/api/v1/runs/tonight/", body, format="json").status_code == 403

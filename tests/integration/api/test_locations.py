"""Locations, logins on routers and plans over REST."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from accounts.models import ActivityLog
from billing.models import Plan, PlanLocation
from core.clock import now
from locations.models import AccessAccount, Location, RouterSession, RouterState
from tests.integration.api.conftest import House, Login

LOCATIONS, ACCOUNTS, PLANS = "/api/v1/locations/", "/api/v1/accounts/", "/api/v1/plans/"


def _new(**changes: Any) -> dict[str, Any]:
    return {"name": "Pos 3", "host": "10.0.0.3", "username": "billing", "password": "s3cret-router", **changes}


def test_the_password_goes_in_and_never_out(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    made = client.post(LOCATIONS, _new(), format="json")
    assert made.status_code == 201, made.content
    location = Location.objects.get(name="Pos 3")
    assert location.password == "s3cret-router"
    detail = client.get(f"{LOCATIONS}{location.pk}/")
    assert made.json() == detail.json()
    assert detail.json()["connection"] == {
        "host": "10.0.0.3", "port": 8728, "username": "billing", "has_password": True, "tls_mode": "none",
        "tls_fingerprint": "",
    }  # fmt: skip
    for answer in (made, detail, client.get(LOCATIONS)):
        assert b"s3cret" not in answer.content
        assert b"gAAAA" not in answer.content
    log = ActivityLog.objects.get(action="location.added", user=house.admin)
    assert "s3cret" not in str(log.details)
    assert log.ip_address == "127.0.0.1"


def test_patch_changes_only_what_is_sent(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    answer = client.patch(f"{LOCATIONS}{house.here.pk}/", {"name": "Pos A"}, format="json")
    assert (answer.status_code, answer.json()["name"]) == (200, "Pos A")
    house.here.refresh_from_db()
    assert (house.here.host, house.here.password) == ("10.0.0.1", "router-secret-1")
    empty = client.patch(f"{LOCATIONS}{house.here.pk}/", {}, format="json")
    assert (empty.status_code, empty.json()["message"]) == (400, "Send at least one field to change.")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x" * 81}, "name"), ({"name": "Pos 1"}, "name"), ({"host": "169.254.169.254"}, "host"),
        ({"host": "http://10.0.0.1"}, "host"), ({"host": "x" * 256}, "host"), ({"port": 0}, "port"),
        ({"port": 65536}, "port"), ({"port": "8728"}, "port"), ({"username": "x" * 65}, "username"),
        ({"password": "x" * 129}, "password"), ({"tls_mode": "ssl3"}, "tls_mode"),
        ({"tls_fingerprint": "abc"}, "tls_fingerprint"), ({"timezone": "Mars/Base"}, "timezone"),
        ({"latitude": "90.000001"}, "latitude"), ({"longitude": "-181"}, "longitude"),
        ({"settings": {}}, "settings"), ({"id": 7}, "id"),
    ],
)  # fmt: skip
def test_locations_check_their_input(house: House, as_user: Login, change: dict[str, Any], field: str) -> None:
    answer = as_user(house.admin).post(LOCATIONS, _new(**change), format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Location.objects.count() == 2


def test_an_operator_sees_his_place_without_its_keys(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    assert [row["name"] for row in client.get(LOCATIONS).json()["results"]] == ["Pos 1"]
    body = client.get(f"{LOCATIONS}{house.here.pk}/").json()
    assert body["connection"] is None
    assert body["sync"] == {"wanted": 1, "confirmed": 0, "waiting": 1, "held": 0, "leaving": 0}
    assert body["router"]["identity"] == ""
    assert client.patch(f"{LOCATIONS}{house.here.pk}/", {"name": "Mine"}, format="json").status_code == 403
    assert client.get(f"{LOCATIONS}{house.there.pk}/").status_code == 404


def test_retry_releases_what_the_router_refused(house: House, as_user: Login) -> None:
    AccessAccount.objects.update(hold="refused", router_words="failure: full")
    answer = as_user(house.admin).post(f"{LOCATIONS}{house.here.pk}/retry/", {}, format="json")
    assert (answer.status_code, answer.json()) == (200, {"released": 1})
    house.account.refresh_from_db()
    assert (house.account.hold, house.account.router_words) == ("", "")


def test_accepting_another_router(house: House, as_user: Login) -> None:
    path = f"{LOCATIONS}{house.here.pk}/accept-router/"
    same = as_user(house.admin).post(path, {}, format="json")
    assert (same.status_code, same.json()["code"]) == (409, "location.same_router")
    RouterState.objects.filter(pk=house.here.pk).update(reach="wrong_router", serial="A1", other_serial="B2")
    answer = as_user(house.admin).post(path, {}, format="json")
    assert answer.status_code == 200
    router = answer.json()["router"]
    assert (router["serial"], router["other_serial"], answer.json()["reach"]) == ("B2", "", "unknown")


@pytest.mark.django_db(transaction=True)
def test_testing_a_router_says_what_is_wrong(house: House, as_user: Login) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    Location.objects.filter(pk=house.here.pk).update(host="127.0.0.1", port=port)
    answer = as_user(house.admin).post(f"{LOCATIONS}{house.here.pk}/test/", {}, format="json")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["ok"], body["problem"]) == (False, "refused")
    assert body["sentence"] == (
        "The address answers, but not on this port. Is the API service switched on (IP, Services)?"
    )


def test_who_is_online(house: House, as_user: Login) -> None:
    RouterSession.objects.create(
        location=house.here, kind="hotspot", router_id="*A", name="HKJM2345", account=house.account,
        mac_address="AA:BB:CC:00:11:22", address="10.5.0.9", uptime_seconds=61, bytes=2048, started_at=now(),
        seen_at=now(),
    )  # fmt: skip
    (row,) = as_user(house.operator).get(f"{LOCATIONS}{house.here.pk}/sessions/").json()["results"]
    assert (row["name"], row["account"], row["uptime_seconds"], row["bytes"]) == (
        "HKJM2345", house.account.pk, 61, 2048,
    )  # fmt: skip
    assert as_user(house.outsider).get(f"{LOCATIONS}{house.here.pk}/sessions/").status_code == 404


def test_accounts_without_their_passwords(house: House, as_user: Login) -> None:
    AccessAccount.objects.update(password="pppoe-secret")
    client = as_user(house.operator)
    body = client.get(f"{ACCOUNTS}{house.account.pk}/")
    assert body.status_code == 200
    assert b"pppoe-secret" not in body.content
    assert "password" not in body.json()
    assert (body.json()["name"], body.json()["truth"], body.json()["is_synced"]) == ("HKJM2345", "waiting", False)


def test_account_filters(house: House, as_user: Login) -> None:
    client = as_user(house.operator)

    def names(**query: Any) -> list[str]:
        answer = client.get(ACCOUNTS, query)
        assert answer.status_code == 200, answer.content
        return [row["name"] for row in answer.json()["results"]]

    for query in (
        {"location": house.here.pk}, {"name": "HKJM2345"}, {"name_prefix": "HK"}, {"kind": "hotspot"},
        {"waiting": "true"}, {"held": "false"},
    ):  # fmt: skip
        assert names(**query) == ["HKJM2345"], query
    for query in (
        {"location": house.there.pk}, {"name": "HKJM"}, {"name_prefix": "KJ"}, {"kind": "ppp"},
        {"waiting": "false"}, {"held": "true"},
    ):  # fmt: skip
        assert names(**query) == [], query


def test_commands_on_a_login(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    for command, field, value in (("disable", "is_disabled", True), ("enable", "is_disabled", False)):
        answer = client.post(f"{ACCOUNTS}{house.account.pk}/{command}/", {}, format="json")
        assert (answer.status_code, answer.json()[field]) == (200, value)
    answer = client.post(f"{ACCOUNTS}{house.account.pk}/kick/", {}, format="json")
    assert answer.status_code == 200
    house.account.refresh_from_db()
    assert (house.account.revision, house.account.is_kick_due) == (4, True)
    actions = list(ActivityLog.objects.filter(user=house.operator).values_list("action", flat=True))
    assert actions == ["account.kicked", "account.enabled", "account.disabled"]
    assert client.post(f"{ACCOUNTS}{house.account.pk}/adopt/", {}, format="json").status_code == 403
    none = as_user(house.admin).post(f"{ACCOUNTS}{house.account.pk}/adopt/", {}, format="json")
    assert (none.status_code, none.json()["code"]) == (409, "account.no_conflict")


def test_a_plan_from_first_draft_to_sale(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    body = {"name": "Mingguan", "price_sell": "20000", "duration_seconds": 604800, "rate_limit": "2M/10M"}
    made = client.post(PLANS, body, format="json")
    assert made.status_code == 201, made.content
    plan = Plan.objects.get(name="Mingguan")
    assert made.json()["price_sell"] == "20000.00"
    assert made.json()["publications"] == []
    published = client.post(f"{PLANS}{plan.pk}/publish/", {"locations": [house.there.pk]}, format="json")
    assert published.status_code == 200, published.content
    (row,) = published.json()["publications"]
    assert (row["location"], row["location_name"], row["is_on_router"]) == (house.there.pk, "Pos 2", False)
    # an operator sees it where it is on sale
    assert as_user(house.operator).get(f"{PLANS}{plan.pk}/").status_code == 404
    assert as_user(house.outsider).get(f"{PLANS}{plan.pk}/").json()["publications"] == [row]
    patched = client.patch(f"{PLANS}{plan.pk}/", {"price_sell": "21000.00"}, format="json")
    assert (patched.json()["price_sell"], patched.json()["duration_seconds"]) == ("21000.00", 604800)
    bad = client.patch(f"{PLANS}{plan.pk}/", {"rate_limit": "fast"}, format="json")
    assert (bad.status_code, list(bad.json()["fields"])) == (400, ["rate_limit"])
    gone = client.post(f"{PLANS}{plan.pk}/unpublish/", {"locations": [house.there.pk]}, format="json")
    assert (gone.status_code, gone.json()["publications"]) == (200, [])
    assert not PlanLocation.objects.filter(plan=plan).exists()


def test_plan_filters(house: House, as_user: Login) -> None:
    client = as_user(house.operator)
    assert len(client.get(PLANS, {"type": "hotspot", "is_active": "true"}).json()["results"]) == 1
    assert client.get(PLANS, {"type": "pppoe"}).json()["results"] == []


def test_health_of_what_one_may_see(house: House, as_user: Login) -> None:
    body = as_user(house.operator).get("/api/v1/health/").json()
    assert body["routers"] == {
        "unknown": 1,
        "online": 0,
        "offline": 0,
        "refused": 0,
        "wrong_router": 0,
        "certificate": 0,
    }
    assert (body["waiting"], body["held"], body["errors"], body["jobs"]) == (1, 0, None, None)
    assert (body["epoch"], body["is_quarantined"]) == (1, False)
    assert as_user(house.admin).get("/api/v1/health/").json()["jobs"] is None
    everything = as_user(house.super_admin).get("/api/v1/health/").json()
    assert everything["routers"]["unknown"] == 2
    assert (everything["errors"], everything["jobs"]) == (0, [])
    assert as_user(house.outsider).get("/api/v1/health/").json()["waiting"] == 0

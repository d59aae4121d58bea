"""A new router over REST, as through the pages: from nothing to online, behind NAT, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import ActivityLog
from core.settings_registry import setting_change
from locations.choices import Reach, TlsMode
from locations.models import Location, RouterLogin, RouterState, RouterTunnel
from locations.services.tunnels import key_pair
from locations.sync.writer import location_run
from locations.tunnel_settings import ENDPOINT
from tests.certificates import self_signed
from tests.integration.api.conftest import House, Login
from tests.integration.locations.test_access import paste
from tests.routers import PASSWORD, emulated

pytestmark = pytest.mark.django_db(transaction=True)
CONNECT = "/api/v1/locations/connect/"


def post(client: APIClient, name: str, location: int, **body: object) -> Any:
    return client.post(reverse(f"location-{name}", args=[location]), body, format="json")


def test_from_nothing_to_online(house: House, as_user: Login, tmp_path: Path) -> None:
    client = as_user(house.admin)
    cert, key, parsed = self_signed(tmp_path, "router")
    fingerprint = hashlib.sha256(parsed.public_bytes(Encoding.DER)).hexdigest()
    with emulated(tls=(cert, key)) as router:
        made = client.post(CONNECT, {"name": "Pos Baru", "host": "127.0.0.1"}, format="json")
        assert (made.status_code, made.json()["is_active"]) == (201, False)
        pk = made.json()["id"]
        assert made.json()["connection"] | {"username": ""} == {
            "host": "127.0.0.1", "port": 8729, "username": "", "has_password": False, "tls_mode": "pinned",
            "tls_fingerprint": "",
        }  # fmt: skip
        Location.objects.filter(pk=pk).update(port=router.tls_port)
        prepared = post(client, "prepare-access", pk, features=["reboot"])
        assert prepared.status_code == 200, prepared.content
        assert prepared["Cache-Control"] == "no-store"
        login = RouterLogin.objects.get()
        assert {key: prepared.json()[key] for key in ("username", "features", "allowed_from", "ros_version")} == {
            "username": login.username, "features": ["reboot"], "allowed_from": "127.0.0.1/32", "ros_version": "7",
        }  # fmt: skip
        password = login.password
        assert password in prepared.json()["script"]
        assert password.encode() not in client.get(reverse("location-detail", args=[pk])).content
        assert password not in json.dumps(list(ActivityLog.objects.values_list("details")))
        paste(router, prepared.json()["script"])

        unconfirmed = post(client, "check-access", pk)
        assert (unconfirmed.status_code, unconfirmed.json()["code"]) == (409, "router.unconfirmed")
        assert post(client, "certificate", pk).json()["seen"] == fingerprint
        assert post(client, "trust-certificate", pk, fingerprint=fingerprint).status_code == 200
        checked = post(client, "check-access", pk).json()
        assert (checked["is_ok"], [row["key"] for row in checked["features"] if row["is_chosen"]][-1]) == (
            True,
            "reboot",
        )
        detail = reverse("location-detail", args=[pk])
        assert client.patch(detail, {"is_active": True}, format="json").json()["is_active"] is True
        assert location_run(pk).problem == ""
        assert RouterState.objects.get(location=pk).reach == Reach.ONLINE
        assert {row["name"] for row in router.rows("/user/active")} == {login.username}


def test_a_router_behind_nat(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    made = client.post(CONNECT, {"name": "Pos NAT", "tunnel": "wireguard"}, format="json").json()
    pk = made["id"]
    assert (made["connection"]["host"], made["is_active"]) == ("10.213.0.2", False)
    unset = post(client, "issue-tunnel", pk, kind="wireguard")
    assert (unset.status_code, unset.json()["code"]) == (400, "tunnel.endpoint")
    setting_change(ENDPOINT, "vpn.example.net")
    issued = post(client, "issue-tunnel", pk, kind="wireguard")
    assert (issued.status_code, issued["Cache-Control"]) == (200, "no-store")
    secret = RouterTunnel.objects.get().secret
    assert secret in issued.json()["script"]
    assert issued.json()["server"] == ""
    again = post(client, "issue-tunnel", pk, kind="wireguard")
    assert (again.status_code, again.json()["code"], RouterTunnel.objects.get().secret) == (409, "tunnel.sure", secret)
    wrong = post(client, "tunnel-key", pk, public_key="abc")
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["public_key"])
    key = key_pair()[1]
    assert f"wg set mb0 peer {key}" in post(client, "tunnel-key", pk, public_key=key).json()["command"]
    state = client.get(reverse("location-tunnel", args=[pk]))
    assert secret.encode() not in state.content
    assert state.json() == {
        "endpoint": "vpn.example.net", "server_address": "10.213.0.1",
        "tunnel": {
            "kind": "wireguard", "address": "10.213.0.2", "public_key": key,
            "issued_at": issued.json()["tunnel"]["issued_at"], "is_used": True,
        },
    }  # fmt: skip
    assert post(client, "prepare-access", pk).json()["allowed_from"] == "10.213.0.1/32"
    assert post(client, "issue-tunnel", pk, kind="wireguard", is_sure=True).status_code == 200
    assert RouterTunnel.objects.get().secret != secret
    Location.objects.filter(pk=pk).update(is_active=True)
    in_use = post(client, "remove-tunnel", pk)
    assert (in_use.status_code, in_use.json()["code"], RouterTunnel.objects.count()) == (409, "tunnel.in_use", 1)
    Location.objects.filter(pk=pk).update(is_active=False)
    assert post(client, "remove-tunnel", pk).json()["tunnel"] is None
    for name in ("check-tunnel", "use-tunnel"):
        none = post(client, name, pk)
        assert (none.status_code, none.json()["code"]) == (409, "tunnel.none")


def test_an_existing_place_moves_into_its_tunnel_and_the_check_tells(house: House, as_user: Login) -> None:
    setting_change(ENDPOINT, "vpn.example.net")
    client = as_user(house.admin)
    with emulated(version="6.49.17") as router:
        here = house.here
        Location.objects.filter(pk=here.pk).update(port=router.port, username="billing", password=PASSWORD)
        paste(router, post(client, "issue-tunnel", here.pk, kind="sstp").json()["script"])
        RouterTunnel.objects.update(address="127.0.0.1")  # as if it ended on loopback
        report = post(client, "check-tunnel", here.pk).json()
        assert (report["is_ok"], report["problem"], report["version"]) == (True, "", "6.49.17")
        used = post(client, "use-tunnel", here.pk).json()["tunnel"]
        assert (used["address"], used["is_used"]) == ("127.0.0.1", True)
        here.refresh_from_db()
        assert here.host == "127.0.0.1"
        router.set_fault("down")
        silent = post(client, "check-tunnel", here.pk).json()
        assert (silent["is_ok"], silent["connect_ms"]) == (False, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Pos 3"}, "host"), ({"name": "Pos 3", "host": "169.254.169.254"}, "host"),
        ({"name": "Pos 1", "host": "10.0.0.3"}, "name"), ({"name": "Pos 3", "tunnel": "pigeon"}, "tunnel"),
        ({"name": "Pos 3", "host": "10.0.0.3", "port": 1}, "port"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_made(
    house: House, as_user: Login, body: dict[str, Any], field: str
) -> None:
    answer = as_user(house.admin).post(CONNECT, body, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert (Location.objects.count(), RouterTunnel.objects.count()) == (2, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"allowed_from": "anywhere"}, "allowed_from"), ({"ros_version": "5"}, "ros_version"),
        ({"features": ["root"]}, "features"), ({"closes_plain": True}, "closes_plain"),
    ],
)  # fmt: skip
def test_commands_that_would_be_wrong_are_not_made(
    house: House, as_user: Login, body: dict[str, Any], field: str
) -> None:
    assert house.here.tls_mode == TlsMode.NONE
    answer = post(as_user(house.admin), "prepare-access", house.here.pk, **body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert RouterLogin.objects.count() == 0

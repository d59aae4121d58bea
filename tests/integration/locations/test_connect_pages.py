"""A new router from nothing to online, through the pages alone and over TLS: prepare, paste, compare, check, switch on."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.services import roles_sync, user_create
from locations.choices import Reach, TlsMode
from locations.emulator.router import EmulatedRouter
from locations.models import Location, RouterLogin, RouterState
from locations.sync.writer import location_run
from tests.certificates import self_signed
from tests.integration.locations.test_access import paste
from tests.routers import emulated

pytestmark = pytest.mark.django_db(transaction=True)
STAFF_PASSWORD = "correct horse 7 battery"


def client_of(role: str) -> Client:
    roles_sync()
    user = user_create(username=role, password=STAFF_PASSWORD, role=role, actor=None)
    user.language = "en"
    user.save()
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    return client


def script_on(page: str) -> str:
    found = re.search(r'<pre class="mb-script" id="mb-script"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def page_of(location: Location, name: str) -> str:
    return reverse(f"admin:locations_location_{name}", args=[location.pk])


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, Path, str]:
    cert, key, parsed = self_signed(tmp_path, "router")
    return cert, key, hashlib.sha256(parsed.public_bytes(Encoding.DER)).hexdigest()


def connected(client: Client, router: EmulatedRouter) -> Location:
    client.post(reverse("admin:router_connect"), {"name": "Pos Baru", "host": "127.0.0.1"})
    location = Location.objects.get(name="Pos Baru")
    assert (location.is_active, location.tls_mode, location.port) == (False, TlsMode.PINNED, 8729)
    Location.objects.update(port=router.tls_port)
    location.refresh_from_db()
    return location


def test_from_nothing_to_online(tls: tuple[Path, Path, str]) -> None:
    client = client_of(Role.ADMIN)
    with emulated(tls=tls[:2]) as router:
        location = connected(client, router)
        access, certificate = page_of(location, "access"), page_of(location, "certificate")
        assert "127.0.0.1" in client.get(access).content.decode()  # suggested as this server's address
        asked = {"do": "script", "ros_version": "7", "allowed_from": "127.0.0.1", "features": ["reboot"]}
        shown = client.post(access, asked)
        assert "no-store" in shown["Cache-Control"]
        password = RouterLogin.objects.get().password
        assert password in shown.content.decode()
        assert password not in client.get(access).content.decode()
        paste(router, script_on(shown.content.decode()).replace("port=8729", f"port={router.tls_port}"))

        refused = client.post(access, {"do": "check"}).content.decode()
        assert "nobody confirmed yet" in html.unescape(refused)
        looked = client.post(certificate, {"do": "look"}).content.decode()
        assert " ".join(re.findall("....", tls[2])) in looked
        client.post(certificate, {"do": "trust", "fingerprint": tls[2]})

        checked = html.unescape(client.post(access, {"do": "check"}).content.decode())
        assert "Works: Reboot the router from here" in checked
        assert "Not chosen: Scripts and schedulers on the router" in checked
        assert "From now on this login is used." in checked
        assert "Switch the location on" in checked
        client.post(access, {"do": "switch_on"})
        assert location_run(location.pk).problem == ""
        assert RouterState.objects.get().reach == Reach.ONLINE
        assert {row["name"] for row in router.rows("/user/active")} == {Location.objects.get().username}


def test_what_is_wrong_with_the_form_is_said_and_nothing_is_made() -> None:
    client = client_of(Role.ADMIN)
    answer = client.post(reverse("admin:router_connect"), {"name": "Pos", "host": "169.254.169.254"})
    assert (answer.status_code, Location.objects.count()) == (422, 0)
    assert "This address cannot be a router." in answer.content.decode()
    client.post(reverse("admin:router_connect"), {"name": "Pos", "host": "192.0.2.7"})
    location = Location.objects.get()
    answer = client.post(page_of(location, "access"), {"do": "script", "ros_version": "7", "allowed_from": "anywhere"})
    assert (answer.status_code, RouterLogin.objects.count()) == (422, 0)
    assert "Write IP addresses or networks with commas" in answer.content.decode()
    answer = client.post(page_of(location, "access"), {"do": "script", "ros_version": "5", "features": ["x"]})
    assert (answer.status_code, RouterLogin.objects.count()) == (422, 0)


def test_the_first_step_of_an_empty_house_leads_here() -> None:
    client = client_of(Role.ADMIN)
    assert reverse("admin:router_connect") in client.get(reverse("admin:index")).content.decode()


def test_an_operator_prepares_nothing() -> None:
    location = Location.objects.create(name="Pos", host="192.0.2.7", username="b")
    RouterState.objects.create(location=location)
    client = client_of(Role.OPERATOR)
    assert client.get(reverse("admin:router_connect")).status_code == 403
    assert client.post(page_of(location, "access"), {"do": "script"}).status_code in {403, 404}
    assert RouterLogin.objects.count() == 0

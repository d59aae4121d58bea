"""Hosts that are never a router: refused when saved, and once more on the address that is connected to."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from core.errors import DomainError
from locations import services
from locations.models import Location, RouterState
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import HostRefused
from locations.sync.writer import location_run
from tests.routers import emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
ITSELF = ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "localhost", "LocalHost.", "::1", "::ffff:127.0.0.1"]
IMPOSSIBLE = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fd00:ec2::254", "100.100.100.200",
              "64:ff9b::a9fe:a9fe", "0xA9FEA9FE"]  # fmt: skip


@pytest.fixture(autouse=True)
def real_installation(settings: Settings) -> None:
    settings.ROUTER_LOOPBACK_ALLOWED = False
    translation.activate("en")


def add(host: str) -> Location:
    return services.location_add(actor=None, name="Pos 1", host=host, username="billing", password="x")


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        *((host, "This address is this server itself.") for host in ITSELF),
        *((host, "This address cannot be a router.") for host in IMPOSSIBLE),
    ],
)
def test_they_are_not_saved(host: str, sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        add(host)
    assert refused.value.fields == {"host": sentence}
    assert Location.objects.count() == 0


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "192.168.88.1", "100.64.1.2", "203.0.113.9", "fd12::1", "router.example", "r.lan"]
)
def test_these_are(host: str) -> None:
    assert add(host).host == host


def answers(*addresses: str) -> Any:
    """A name service that says so."""

    def getaddrinfo(host: str, port: Any, *_args: Any, **_options: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
        ]  # fmt: skip

    return getaddrinfo


def test_a_name_that_leads_to_this_server_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved while it led elsewhere (DNS rebinding)."""
    with emulated() as router:
        location = location_of(router)
        Location.objects.update(host="rebound.example")
        monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.1"))
        before = router.write_count()
        result = location_run(location.pk)
        assert result.problem == "host"
        assert RouterState.objects.get().last_error == "host: 127.0.0.1"
        tested = services.location_test(Location.objects.get())
        assert (tested.ok, tested.problem) == (False, "host")
        assert "127.0.0.1" in tested.sentence
        assert router.write_count() == before
        assert router.rows("/user/active") == []


def test_a_bad_address_among_good_ones_is_left_out(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with emulated() as router:
        settings.ROUTER_LOOPBACK_ALLOWED = True
        monkeypatch.setattr(socket, "getaddrinfo", answers("169.254.169.254", "127.0.0.1"))
        client = RouterClient(
            RouterTarget("router.example", router.port, "billing", router.password), timeout=5, connect_timeout=5
        )
        client.connect()
        assert client.print("/system/identity")
        client.close()
        settings.ROUTER_LOOPBACK_ALLOWED = False
        with pytest.raises(HostRefused):
            client.connect()

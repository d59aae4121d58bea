"""Hosts that are never a router: refused when saved, and once more on the address that is connected to."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from core.errors import DomainError
from locations import services
from locations.models import Location, RouterState
from locations.routeros import addresses
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import HostRefused, RouterUnreachable
from locations.sync.writer import location_run
from tests.routers import emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)
ITSELF = ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "017700000001", "localhost", "LocalHost.", "::1", "[::1]",
          "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:7f00:1", "2002:7f00:1::", "64:ff9b:1::7f00:1",
          "2001:0:4136:e378:8000:63bf:80ff:fffe", "１２７.0.0.1", "127。0。0。1"]  # fmt: skip
IMPOSSIBLE = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fd00:ec2::254", "100.100.100.200",
              "64:ff9b::a9fe:a9fe", "0xA9FEA9FE", "fd20:ce::254", "168.63.129.16", "::", "[fe80::1%lo]", "ff02::1",
              "::ffff:169.254.169.254", "2002:a9fe:a9fe::1", "0", "240.0.0.1", "::ffff:0:0:0"]  # fmt: skip


@pytest.fixture(autouse=True)
def real_installation(settings: Settings) -> None:
    settings.ROUTER_LOOPBACK_ALLOWED = False


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


def own_address() -> str:
    """An address of this machine that is not loopback, or one it pretends to have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def test_the_addresses_of_this_machine_are_not_a_router(monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_address()
    if not own or own.startswith("127."):  # a machine without a network: let one interface have this one
        own = "192.0.2.77"
        monkeypatch.setattr(addresses, "_is_ours", lambda address: str(address) == own)
    with pytest.raises(DomainError) as refused:
        add(own)
    assert refused.value.fields == {"host": "This address is this server itself."}
    assert add("192.0.2.78").host == "192.0.2.78"


def test_the_database_and_redis_are_not_a_router(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(addresses, "_service_hosts", lambda: ("10.9.8.7",))
    with pytest.raises(DomainError):
        add("10.9.8.7")
    assert add("10.9.8.6").host == "10.9.8.6"
    settings.ROUTER_LOOPBACK_ALLOWED = True
    assert addresses.numeric_problem("10.9.8.7") == ""


def test_only_hosts_that_are_other_machines_count_as_services(monkeypatch: pytest.MonkeyPatch) -> None:
    def hosts(database: str, redis: str) -> tuple[str, ...]:
        fake = SimpleNamespace(DATABASES={"default": {"HOST": database}}, REDIS_URL=redis)
        monkeypatch.setattr(addresses, "settings", fake)
        return addresses._service_hosts()

    assert hosts("/run/postgresql", "unix:///run/redis.sock") == ()
    assert hosts("db", "redis://:pw@cache:6379/0") == ("db", "cache")


def test_the_name_is_asked_once_and_what_was_judged_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name service that answers well first and then with this server: there is no second question."""
    asked = []

    def first_well_then_here(host: str, port: Any, *_args: Any, **_options: Any) -> list[Any]:
        asked.append(host)
        address = "203.0.113.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected = []
    monkeypatch.setattr(socket, "getaddrinfo", first_well_then_here)
    monkeypatch.setattr(addresses, "_service_hosts", tuple)
    monkeypatch.setattr(socket.socket, "connect", lambda _self, sockaddr: connected.append(sockaddr))
    addresses.open_connection("rebinding.example", 8728, 1.0).close()
    assert (asked, connected) == (["rebinding.example"], [("203.0.113.9", 8728)])


def test_a_name_with_many_addresses_does_not_hold_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(_self: socket.socket, sockaddr: Any) -> None:
        tried.append(sockaddr)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", answers(*(f"203.0.113.{n}" for n in range(50))))
    monkeypatch.setattr(addresses, "_service_hosts", tuple)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(RouterUnreachable, match="no answer"):
        addresses.dial("many.example", 8728, 1.0)
    assert len(tried) == addresses.MOST_ADDRESSES


@pytest.mark.parametrize("host", ["a" * 300, "x\0y", "é" * 70 + ".example", "..", "%"])
def test_names_that_are_none_are_an_answer_not_a_crash(host: str) -> None:
    with pytest.raises(RouterUnreachable):
        addresses.dial(host, 8728, 1.0)
    assert addresses.source_towards(host) == ""

"""Our client on the wire: values that break others, TLS modes, plain words for every way a connection can fail."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from locations import services
from locations.choices import Kind, TlsMode
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import CertificateChanged, LoginRefused, NotRouterOs, RouterTrap
from locations.sync.health import clock_reading
from locations.sync.writer import location_run
from tests.certificates import self_signed
from tests.routers import BOTH, PASSWORD, emulated, hotspot_users, location_of

VALUES = ["a=b==c", "emoji 🙂 ñ", "quo\"te' $x \\ ;", "x" * 8192, "=", "!done", ".tag=1", "line\nbreak"]


def client_of(port: int, **target: object) -> RouterClient:
    values = {"host": "127.0.0.1", "port": port, "username": "billing", "password": PASSWORD, **target}
    return RouterClient(RouterTarget(**values), timeout=5, connect_timeout=5)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("value", VALUES)
def test_values_come_back_as_they_went(value: str, version: str) -> None:
    """T6."""
    with emulated(version=version) as router:
        client = client_of(router.port)
        client.connect()
        client.call("/ip/hotspot/user/add", {"name": "u1", "comment": value, "password": value[:60]})
        (row,) = client.print("/ip/hotspot/user", ("name", "comment"), ["name=u1"])
        client.close()
        assert row["comment"] == value
        assert router.rows("/ip/hotspot/user", name="u1")[0]["password"] == value[:60]


def test_what_winbox_stored_in_another_code_page_can_be_read() -> None:
    with emulated() as router:
        client = client_of(router.port)
        client.connect()
        client.call("/ip/hotspot/user/add", {"name": "u1", "comment": "Café".encode("latin-1")})
        (row,) = client.print("/ip/hotspot/user", (), ["name=u1"])
        client.close()
        assert row["comment"] == "Café"


def test_a_trap_carries_the_routers_words_and_no_password() -> None:
    with emulated() as router:
        client = client_of(router.port)
        client.connect()
        with pytest.raises(RouterTrap) as trap:
            client.call("/ip/hotspot/user/add", {"name": "u1", "password": "tell-nobody", "profile": "nope"})
        client.close()
        assert trap.value.words == "input does not match any value of profile"
        assert "tell-nobody" not in repr(trap.value)
        assert trap.value.__cause__ is None
        assert PASSWORD not in repr(client.target)


@pytest.mark.parametrize("version", ["6.42.1", "6.49.17", "7.9", "7.18"])
def test_both_logins(version: str) -> None:
    with emulated(version=version) as router:
        client = client_of(router.port)
        client.connect()
        assert client.print("/system/identity") == [{"name": "MikroTik"}]
        client.close()
        with pytest.raises(LoginRefused):
            client_of(router.port, password="wrong").connect()


@contextmanager
def hostile(answer: bytes) -> Iterator[int]:
    """A server that answers everything with the same bytes; with none it hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            peer, _address = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(answer)
                if answer:
                    peer.recv(1000)
        except OSError:
            return  # the client was faster at hanging up

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xff\xff\xff", b"\x05!done\x06.tag=9\x00", b"\x04huh?\x00",
        b"\xf0\xff\xff\xff\xff", b"\x05!trap\x06.tag=1\x00\x05!done\x06.tag=1\x00",
    ],
)  # fmt: skip
def test_what_is_not_a_router_is_an_error_not_a_crash(answer: bytes) -> None:
    with hostile(answer) as port:
        client = client_of(port)
        client.timeout = 0.5
        with pytest.raises((NotRouterOs, LoginRefused)):
            client.connect()
        assert not client.is_open


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key, parsed = self_signed(folder, "router")
    return cert, key, hashlib.sha256(parsed.public_bytes(Encoding.DER)).hexdigest()


def test_a_pinned_certificate_is_checked_before_the_password_is_sent(certificate: tuple[Path, Path, str]) -> None:
    cert, key, fingerprint = certificate
    with emulated(tls=(cert, key)) as router:
        good = client_of(router.tls_port, tls_mode=TlsMode.PINNED, fingerprint=fingerprint)
        good.connect()
        assert good.fingerprint == fingerprint
        good.close()
        router.clear_op_log()
        with pytest.raises(CertificateChanged) as changed:
            client_of(router.tls_port, tls_mode=TlsMode.PINNED, fingerprint="0" * 64).connect()
        assert changed.value.fingerprint == fingerprint
        assert router.op_counts() == {}


def test_anonymous_tls_works_where_it_was_chosen() -> None:
    with emulated(tls="anonymous") as router:
        client = client_of(router.tls_port, tls_mode=TlsMode.ANONYMOUS)
        client.connect()
        assert client.print("/system/identity") == [{"name": "MikroTik"}]
        client.close()


def test_an_unknown_authority_is_refused(certificate: tuple[Path, Path, str]) -> None:
    cert, key, _fingerprint = certificate
    with emulated(tls=(cert, key)) as router, pytest.raises(Exception) as refused:  # noqa: PT011
        client_of(router.tls_port, tls_mode=TlsMode.CA).connect()
    assert getattr(refused.value, "problem", "") == "tls"
    assert isinstance(ssl.create_default_context(), ssl.SSLContext)


@pytest.mark.django_db(transaction=True)
def test_missing_rights_are_the_locations_problem_not_the_rows() -> None:
    with emulated(policies=("api", "read")) as router:
        location = location_of(router)
        profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
        account = services.account_put(profile=profile, name="ABCD2345", password=None, tag="a")
        assert location_run(location.pk).problem == "policy"
        account.refresh_from_db()
        assert (account.hold, account.is_synced) == ("", False)
        assert hotspot_users(router) == {}


@pytest.mark.parametrize(
    ("day", "time", "read"),
    [
        ("jan/02/2026", "10:00:00", datetime(2026, 1, 2, 10, tzinfo=UTC)),
        ("2026-01-02", "10:00:00", datetime(2026, 1, 2, 10, tzinfo=UTC)),
        ("feb/29/2028", "23:59:59", datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("jan/01/1970", "00:00:10", datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)),
    ],
)
def test_dates_of_both_router_generations(day: str, time: str, read: datetime) -> None:
    """T7."""
    assert clock_reading(day, time).replace(tzinfo=UTC) == read


@pytest.mark.django_db(transaction=True)
@BOTH
def test_a_router_clock_at_1970_changes_no_validity(version: str) -> None:
    """T7: nothing we count is read off the router's calendar."""
    with emulated(version=version) as router:
        router.set_clock(skew_seconds=-56 * 365 * 86400)
        location = location_of(router)
        profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
        account = services.account_put(profile=profile, name="ABCD2345", password=None, tag="a")
        location_run(location.pk)
        router.hotspot_login("ABCD2345", "ABCD2345", "02:00:00:00:00:01")
        router.advance(10)
        result = location_run(location.pk, is_forced=True)
        account.refresh_from_db()
        assert result.problem == ""
        assert account.first_login_at is not None
        assert account.first_login_at.year == account.created_at.year

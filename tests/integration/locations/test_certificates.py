"""No byte of the password goes to a router whose certificate nobody confirmed, and all work waits for the person."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import ActivityLog
from core import events
from core.clock import now as real_now
from core.errors import DomainError
from locations import services
from locations.admin.overview import certificate_tiles
from locations.choices import Kind, Reach, TlsMode
from locations.events import RouterCertificateChanged
from locations.models import AccessAccount, Location, RouterState
from locations.monitoring import certificates_check
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import CertificateUnconfirmed, RouterTlsError
from locations.services.certificates import fingerprint_clean
from locations.sync import connections, writer
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from locations.words_connection import encryption_words, fingerprint_words
from tests.certificates import self_signed
from tests.routers import PASSWORD, Clock, emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)
Files = tuple[Path, Path, str]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[Files]:
    made = []
    for name in ("first", "second"):
        cert, key, parsed = self_signed(tmp_path_factory.mktemp(name), "router")
        made.append((cert, key, hashlib.sha256(parsed.public_bytes(Encoding.DER)).hexdigest()))
    return made


@contextmanager
def eavesdropper(files: Files) -> Iterator[tuple[int, bytearray]]:
    """A TLS server that keeps everything it is told after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[0], files[1])
    listener, heard = socket.create_server(("127.0.0.1", 0)), bytearray()

    def serve() -> None:
        while True:
            try:
                peer, _address = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(peer, server_side=True) as secured:
                    secured.settimeout(5)
                    while data := secured.recv(4096):
                        heard.extend(data)
                        secured.sendall(b"\x05!done\x06.tag=1\x00")
            except OSError:
                continue  # he hung up

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heard
    listener.close()
    thread.join(5)


@pytest.mark.parametrize("fingerprint", ["", "0" * 64])
def test_no_byte_reaches_a_server_with_another_certificate(certificates: list[Files], fingerprint: str) -> None:
    """Never confirmed, or another one confirmed: writer, test and look send nothing but the handshake."""
    with eavesdropper(certificates[0]) as (port, heard):
        location = Location.objects.create(
            name="Pos 1", host="127.0.0.1", port=port, username="billing", password=PASSWORD,
            tls_mode=TlsMode.PINNED, tls_fingerprint=fingerprint,
        )  # fmt: skip
        RouterState.objects.create(location=location)
        problem = "certificate" if fingerprint else "unconfirmed"
        assert location_run(location.pk).problem == problem
        tested = services.location_test(location)
        assert (tested.ok, tested.problem, tested.fingerprint) == (False, problem, certificates[0][2])
        assert services.certificate_look(location).fingerprint == certificates[0][2]
        assert bytes(heard) == b""
        services.certificate_trust(location, fingerprint=certificates[0][2], actor=None)
        location_run(location.pk)
        assert PASSWORD.encode() in bytes(heard)  # so it would have heard it before


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[RouterCertificateChanged]:
    seen: list[RouterCertificateChanged] = []
    changed = [
        *events._subscriptions,
        events.Subscription(RouterCertificateChanged, seen.append, is_critical=True, order=1),
    ]
    monkeypatch.setattr(events, "_subscriptions", changed)
    return seen


def account_at(location: Location, name: str) -> AccessAccount:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
    return services.account_put(profile=profile, name=name, password=None, tag="b1")


def test_first_contact_waits_for_a_person_and_goes_on_at_once_after(certificates: list[Files]) -> None:
    with emulated(tls=certificates[0][:2]) as router:
        location = location_of(router, port=router.tls_port, tls_mode=TlsMode.PINNED)
        account_at(location, "ABCD2345")
        for _attempt in range(3):
            location_run(location.pk, is_forced=True)
        state = RouterState.objects.get()
        assert (state.reach, state.other_fingerprint) == (Reach.CERTIFICATE, certificates[0][2])
        assert router.op_counts() == {}
        assert hotspot_users(router) == {}
        spaced = fingerprint_words(certificates[0][2]).upper().replace(" ", ":")
        services.certificate_trust(location, fingerprint=spaced, actor=None)
        assert location_run(location.pk).problem == ""
        assert sorted(hotspot_users(router)) == ["ABCD2345"]
        assert RouterState.objects.get().reach == Reach.ONLINE


def test_a_changed_certificate_stops_all_work_until_it_is_confirmed(
    certificates: list[Files], told: list[RouterCertificateChanged]
) -> None:
    clock = Clock(real_now())
    with emulated(tls=certificates[0][:2], serial="SAME0001") as router:
        port = router.tls_port
        location = location_of(router, port=port, tls_mode=TlsMode.PINNED, tls_fingerprint=certificates[0][2])
        account_at(location, "ABCD2345")
        assert location_run(location.pk, now=clock).problem == ""
    with emulated(tls=certificates[1][:2], tls_port=port, serial="SAME0001") as router:
        waiting = account_at(location, "EFGH2345")
        for _attempt in range(4):
            clock.at += timedelta(minutes=20)
            location_run(location.pk, is_forced=True, now=clock)
        state = RouterState.objects.get()
        assert (state.reach, state.other_fingerprint) == (Reach.CERTIFICATE, certificates[1][2])
        assert router.op_counts() == {}
        assert [event.location_ids for event in told] == [[location.pk]]
        assert ActivityLog.objects.filter(action="location.certificate_changed").count() == 1
        assert locations_due(clock.at + timedelta(days=1)) == []
        assert location_run(location.pk, now=clock).was_free is False
        waiting.refresh_from_db()
        assert not waiting.is_synced

        services.certificate_trust(location, fingerprint=certificates[1][2], actor=None)
        details = ActivityLog.objects.get(action="location.certificate_trusted").details
        assert (details["before"], details["after"]) == (certificates[0][2], certificates[1][2])
        assert [pk for pk, _failures in locations_due(clock.at + timedelta(minutes=1))] == [location.pk]
        location_run(location.pk, now=clock)
        assert RouterState.objects.get().reach == Reach.ONLINE
        assert "EFGH2345" in hotspot_users(router)


def test_screens_name_old_and_new_fingerprint(certificates: list[Files]) -> None:
    old, new = "ab" * 32, certificates[1][2]
    with emulated(tls=certificates[1][:2]) as router:
        location = location_of(router, port=router.tls_port, tls_mode=TlsMode.PINNED, tls_fingerprint=old)
        location_run(location.pk)
    check = certificates_check()
    assert (check.is_ok, fingerprint_words(new, groups=4) in check.sentence) == (False, True)
    assert "Pos 1: abab abab abab abab … was confirmed" in check.sentence
    (tile,) = certificate_tiles(None)
    assert (tile.value, "abab abab" in str(tile.hint)) == ("Pos 1", True)
    RouterState.objects.update(other_fingerprint="")
    assert certificates_check().is_ok
    assert location.pk


def test_the_confirmed_certificate_back_again_ends_the_stop(certificates: list[Files]) -> None:
    with emulated(tls=certificates[0][:2]) as router:
        location = location_of(
            router, port=router.tls_port, tls_mode=TlsMode.PINNED, tls_fingerprint=certificates[0][2]
        )
        RouterState.objects.update(reach=Reach.CERTIFICATE, other_fingerprint="0" * 64)
        assert location_run(location.pk, is_forced=True).was_free is False
        services.certificate_look(location)
        assert RouterState.objects.get().other_fingerprint == ""
        assert location_run(location.pk).problem == ""
        assert RouterState.objects.get().reach == Reach.ONLINE


def test_a_kept_connection_does_not_hide_the_stop(certificates: list[Files]) -> None:
    """A person's test met another certificate while the writer's old connection still lives."""
    with emulated(tls=certificates[0][:2]) as router:
        location = location_of(
            router, port=router.tls_port, tls_mode=TlsMode.PINNED, tls_fingerprint=certificates[0][2]
        )
        location_run(location.pk)
        RouterState.objects.update(reach=Reach.CERTIFICATE, other_fingerprint="0" * 64)
        router.clear_op_log()
        location_run(location.pk, is_forced=True)
        assert router.op_counts() == {}


def test_the_stop_ends_a_run_that_is_under_way(certificates: list[Files], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's test meets another certificate while the writer is between two batches on its old connection."""
    with emulated() as router:
        location = location_of(router)
        profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
        location_run(location.pk)
        before = writer._Run._urgent

        def then_it_is_met(run: writer._Run, client: RouterClient) -> bool:
            did = before(run, client)
            RouterState.objects.update(reach=Reach.CERTIFICATE, other_fingerprint=certificates[1][2])
            return did

        monkeypatch.setattr(writer._Run, "_urgent", then_it_is_met)
        services.account_put(profile=profile, name="ABCD2345", password=None, tag="b1")
        services.profile_put(location=location, kind=Kind.HOTSPOT, name="another")
        location_run(location.pk)
        assert hotspot_users(router) == {}
        assert {row["name"] for row in router.rows("/ip/hotspot/user/profile")} == {"default", "paket"}
        assert RouterState.objects.get().reach == Reach.CERTIFICATE


def test_another_address_is_another_question(certificates: list[Files]) -> None:
    with emulated(tls=certificates[1][:2]) as router:
        location = location_of(router, port=router.tls_port, tls_mode=TlsMode.PINNED, tls_fingerprint="0" * 64)
        location_run(location.pk)
        assert RouterState.objects.get().other_fingerprint == certificates[1][2]
        services.location_change(location, actor=None, tls_fingerprint=certificates[1][2].upper())
        assert RouterState.objects.get().other_fingerprint == ""
        assert location_run(location.pk).problem == ""


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "ab" * 31, "ab" * 33])
def test_what_is_no_fingerprint_changes_nothing(text: str) -> None:
    location = Location.objects.create(name="P", host="192.0.2.1", username="b", tls_mode=TlsMode.PINNED)
    RouterState.objects.create(location=location)
    with pytest.raises(DomainError):
        services.certificate_trust(location, fingerprint=text, actor=None)
    assert Location.objects.get().tls_fingerprint == ""
    assert fingerprint_clean("SHA256: " + "AB:" * 31 + "AB") == "ab" * 32


def test_a_location_that_does_not_pin_has_nothing_to_confirm() -> None:
    location = Location.objects.create(name="P", host="192.0.2.1", username="b", tls_mode=TlsMode.CA)
    RouterState.objects.create(location=location)
    with pytest.raises(DomainError):
        services.certificate_trust(location, fingerprint="ab" * 32, actor=None)


def test_own_authorities_are_believed_and_names_must_fit(
    certificates: list[Files], settings: pytest.FixtureRequest
) -> None:
    """A self-signed certificate is its own authority; the one here names another host."""
    settings.ROUTER_CA_FILE = str(certificates[0][0])  # type: ignore[attr-defined]
    with emulated(tls=certificates[0][:2]) as router:
        target = RouterTarget("127.0.0.1", router.tls_port, "billing", PASSWORD, TlsMode.CA)
        with pytest.raises(RouterTlsError) as refused:
            RouterClient(target, timeout=5).connect()
        assert not isinstance(refused.value, CertificateUnconfirmed)
        assert router.op_counts() == {}
    settings.ROUTER_CA_FILE = "/nonexistent/ca.pem"  # type: ignore[attr-defined]
    with emulated(tls=certificates[0][:2]) as router, pytest.raises(RouterTlsError):
        RouterClient(RouterTarget("127.0.0.1", router.tls_port, "b", "p", TlsMode.CA), timeout=5).connect()
    connections.close_all()


@pytest.mark.parametrize(
    ("mode", "has_fingerprint", "tone"),
    [
        (TlsMode.NONE, False, "bad"), (TlsMode.ANONYMOUS, False, "bad"), (TlsMode.CA, False, "good"),
        (TlsMode.PINNED, True, "good"), (TlsMode.PINNED, False, "waiting"),
    ],
)  # fmt: skip
def test_every_way_is_called_what_it_is(mode: str, has_fingerprint: bool, tone: str) -> None:
    assert encryption_words(mode, has_fingerprint=has_fingerprint).tone.value == tone

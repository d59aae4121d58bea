"""The connection test: who answered, or exactly what went wrong, in the sentence that a person reads."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC
from pathlib import Path

import pytest
from django.utils import translation

from locations import services
from locations.choices import TlsMode
from locations.models import Location, RouterState
from locations.services import location_test
from locations.sync.health import clock_reading
from tests.certificates import self_signed
from tests.integration.locations.test_client import hostile
from tests.routers import BOTH, Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT_SECONDS = 1.0  # for those who never answer
REACHED = "The router cannot be reached: %s. Check address, port, cable, firewall and VPN."


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("locations.services.testing.TEST_SECONDS", TIMEOUT_SECONDS)
    with translation.override("en"):
        yield


def failed(problem: str, sentence: str) -> services.TestResult:
    return services.TestResult(False, problem, sentence)


@contextmanager
def blackhole() -> Iterator[int]:
    """A port that drops whatever comes, as a firewall does: its queue of one is full and nobody takes from it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _filler in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    """Bound, so that nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize(
    ("version", "model", "licence_limit", "skew"),
    [
        ("6.49.17", "RB750Gr3", 200, 754), ("6.49.17", "CCR2116-12G-4S+", None, 0),
        ("7.16.1", "RB4011iGS+", 500, -56 * 365 * 86400), ("7.16.1", "CHR", None, -61),
    ],
)  # fmt: skip
def test_it_says_who_answers(
    version: str, model: str, licence_limit: int | None, skew: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulated(version=version, model=model, identity="Pos Utama", clock="manual") as router:
        (true,) = router.rows("/system/clock")
        at = clock_reading(true["date"], true["time"]).replace(tzinfo=UTC)
        monkeypatch.setattr("locations.services.testing.clock_now", Clock(at))
        router.set_clock(skew_seconds=skew)
        licence = on_router(router, "/system/license")[0]
        location = location_of(router)
        sentence = f"Pos Utama answers: {model}, RouterOS {version}."
        serial = licence["system-id"] if model == "CHR" else router.serial
        assert location_test(location) == services.TestResult(
            True, "", sentence, "Pos Utama", model, version, serial, skew, licence_limit
        )
        state = RouterState.objects.get(pk=location.pk)
        assert (state.identity, state.model, state.version, state.clock_skew_seconds) == (
            "Pos Utama", model, version, skew,
        )  # fmt: skip
        assert router.write_count() == 0


def test_nobody_listens_on_a_closed_port() -> None:
    refused = failed(
        "refused", "The address answers, but not on this port. Is the API service switched on (IP, Services)?"
    )
    with emulated() as router:
        location = location_of(router)
        router.set_fault("down")
        assert location_test(location) == refused
    with closed_port() as port:
        assert location_test(Location(pk=location.pk, host="127.0.0.1", port=port, username="billing")) == refused


def test_who_says_nothing_is_not_reached() -> None:
    """Neither is called "not a RouterOS": nothing was heard that could prove it."""
    with emulated() as router:
        location = location_of(router)
        router.set_fault("silent")
        assert location_test(location) == failed("unreachable", REACHED % "connected, but no answer to the login")
    with blackhole() as port:
        location.port = port
        assert location_test(location) == failed("unreachable", REACHED % "no answer")


def test_who_answers_and_then_stops_is_too_slow() -> None:
    with emulated() as router:
        location = location_of(router)
        router.set_fault("stall", pattern="/system/identity/print")
        assert location_test(location) == failed("timeout", "No answer in time. Check address, firewall and VPN.")


@BOTH
def test_a_wrong_password_and_missing_rights(version: str) -> None:
    with emulated(version=version, policies=("api", "read")) as router:
        location = location_of(router)
        result = location_test(location)
        assert (result.ok, result.problem, result.missing_policies) == (False, "policy", ["write", "test"])
        assert result.sentence == "Login works, but the router user lacks rights: write, test."
        assert RouterState.objects.get(pk=location.pk).model == ""
        location.password = "wrong"
        assert location_test(location) == failed(
            "login", "The router refused user name or password: invalid user name or password (6)."
        )
        assert router.write_count() == 0


def test_another_router_is_named_by_its_serial() -> None:
    with emulated() as router:
        location = location_of(router)
        RouterState.objects.filter(pk=location.pk).update(serial="OTHER")
        result = location_test(location)
        assert (result.ok, result.problem) == (False, "wrong_router")
        assert result.sentence == f"Another router answers at this address ({router.serial})."
        assert RouterState.objects.get(pk=location.pk).model == ""


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_router_is_said_to_be_none(answer: bytes) -> None:
    location = Location.objects.create(name="Pos 1", host="127.0.0.1", username="billing", password="x")
    with hostile(answer) as port:
        location.port = port
        assert location_test(location) == failed(
            "not_routeros", "Something answers, but it is not the RouterOS API: an answer that is not RouterOS API."
        )


def test_tls_that_does_not_fit(tmp_path: Path) -> None:
    cert, key, _parsed = self_signed(tmp_path, "router")
    words = "Encryption failed: %s. Does the chosen mode fit the router's api-ssl service?"
    with emulated(tls=(cert, key)) as router:
        location = location_of(router, tls_mode=TlsMode.PINNED)  # on the port without TLS
        assert location_test(location).problem == "tls"  # the greeting is random bytes: what they mean there is chance
        location.port, location.tls_mode = router.tls_port, TlsMode.CA
        assert location_test(location) == failed("tls", words % "no authority vouches for its certificate")
        assert router.op_counts() == {}
    handshake_failure = bytes([21, 3, 3, 0, 2, 2, 40])  # a TLS record: alert, fatal
    for answer, meaning in (
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the other side does not encrypt"),
        (handshake_failure, "the other side wants another kind of encryption"),
        (b"", "the other side hung up"),
    ):
        with hostile(answer) as port:
            location.port = port
            assert location_test(location) == failed("tls", words % meaning)
    with socket.create_server(("127.0.0.1", 0)) as nobody_takes:
        location.port = nobody_takes.getsockname()[1]
        assert location_test(location) == failed("tls", words % "no answer to the handshake")


def test_a_certificate_that_nobody_confirmed(tmp_path: Path) -> None:
    cert, key, _parsed = self_signed(tmp_path, "router")
    with emulated(tls=(cert, key)) as router:
        location = location_of(router, port=router.tls_port, tls_mode=TlsMode.PINNED)
        result = location_test(location)
        assert (result.problem, len(result.fingerprint)) == ("unconfirmed", 64)
        assert result.sentence == (
            "The router shows a certificate that nobody confirmed yet. The password was not sent. Compare it first."
        )
        location.tls_fingerprint = "0" * 64
        assert location_test(location) == services.TestResult(
            False, "certificate",
            "Another certificate than the confirmed one answers. Nothing was sent. Check before you trust it.",
            fingerprint=result.fingerprint,
        )  # fmt: skip
        assert router.op_counts() == {}


def test_the_sentence_is_read_in_the_language_of_the_person() -> None:
    with emulated() as router, translation.override("id"):
        location = location_of(router)
        router.set_fault("silent")
        assert location_test(location).sentence == (
            "Router tidak bisa dihubungi: tersambung, tetapi login tidak dijawab. "
            "Periksa alamat, port, kabel, firewall, dan VPN."
        )
        router.clear_fault()
        location.password = "wrong"
        assert location_test(location).sentence == (
            "Router menolak user atau kata sandi: invalid user name or password (6)."
        )

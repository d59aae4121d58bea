"""The pace of a push against real sockets: full buffers, small routers, busy CPUs, connections that died."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from locations import services
from locations.choices import Kind, PaceReason, TlsMode
from locations.emulator.wire import SentenceReader, encode_sentence
from locations.models import AccessAccount, RouterState
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import RouterTimeout
from locations.routeros.pace import Pace
from locations.sync import connections, pacing
from locations.sync.pipeline import pipelined
from locations.sync.writer import location_run
from locations.words import pace_words
from tests.certificates import self_signed
from tests.routers import PASSWORD, emulated, hotspot_users, location_of

ROWS = 300
BIG = "x" * 20_000


@contextmanager
def router_that_reads_only_when_read(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[int]]]:
    """Takes one command, then answers it with a big row and does nothing else until that answer has been taken.

    Its buffers are small. Yields its port and how many commands it took.
    """
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.settimeout(20)
    taken: list[int] = []

    def serve() -> None:
        line, _ = server.accept()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        line.settimeout(20)
        if context is not None:
            line = context.wrap_socket(line, server_side=True)
        reader = SentenceReader(1 << 30)
        with line:
            while True:
                while (words := reader.next_sentence()) is None:
                    data = line.recv(2048)
                    if not data:
                        return
                    reader.feed(data)
                tag = next(word for word in words if word.startswith(b".tag="))
                taken.append(len(words))
                row = encode_sentence([b"!re", tag, b"=comment=" + BIG.encode()]) if words[0] != b"/login" else b""
                line.sendall(row + encode_sentence([b"!done", tag]))

    def quietly() -> None:
        try:
            serve()
        except OSError:
            return

    thread = threading.Thread(target=quietly)
    thread.start()
    try:
        yield server.getsockname()[1], taken
    finally:
        server.close()
        thread.join(30)
        assert not thread.is_alive()


def push(port: int, tls_mode: str = TlsMode.NONE, fingerprint: str = "") -> list[str]:
    """300 big commands, as many at once as ever; the comments that came back."""
    target = RouterTarget("127.0.0.1", port, "billing", PASSWORD, tls_mode, fingerprint)
    client = RouterClient(target, timeout=3)
    client.connect()
    assert client._raw is not None
    client._raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client.pace.window.size = 500
    answers = pipelined(client, range(ROWS), lambda n: ("/x/print", {"comment": BIG}, ()))
    found = [answer.rows[0]["comment"] for _n, answer in answers]  # type: ignore[union-attr]
    client.close()
    return found


def test_a_router_that_takes_nothing_before_its_answers_are_taken() -> None:
    """Both socket buffers full, six megabytes on their way in each direction, and no window small enough to help."""
    with router_that_reads_only_when_read() as (port, taken):
        assert push(port) == [BIG] * ROWS
        assert len(taken) == ROWS + 1


def test_the_same_with_tls(tmp_path: Path) -> None:
    certificate, key, _parsed = self_signed(tmp_path, "router")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(certificate).read_text())).hexdigest()
    with router_that_reads_only_when_read(context) as (port, taken):
        assert push(port, TlsMode.PINNED, seen) == [BIG] * ROWS
        assert len(taken) == ROWS + 1


def test_who_takes_nothing_at_all_is_given_up() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peers: list[socket.socket] = []

    def serve() -> None:
        peer, _ = listener.accept()
        peers.append(peer)
        peer.recv(1000)
        peer.sendall(encode_sentence([b"!done", b".tag=1"]))

    thread = threading.Thread(target=serve)
    thread.start()
    client = RouterClient(RouterTarget("127.0.0.1", listener.getsockname()[1], "billing", PASSWORD), timeout=0.5)
    client.connect()
    thread.join(10)
    with pytest.raises(RouterTimeout):
        list(pipelined(client, range(500), lambda n: ("/x/add", {"comment": BIG * 10}, ())))
    assert not client.is_open
    peers[0].close()
    listener.close()


def test_a_small_router_is_given_less_at_once() -> None:
    with emulated() as router:
        router.set_fault("busy", ms=10)
        client = RouterClient(RouterTarget("127.0.0.1", router.port, "billing", PASSWORD), timeout=10)
        client.connect()
        words = lambda n: ("/ip/hotspot/user/add", {"name": f"u{n}"}, ())  # noqa: E731
        answers = list(pipelined(client, range(200), words))
        client.close()
        assert len(answers) == 200
        assert router.count("/ip/hotspot/user") == 201
        assert client.pace.window.size < 60


def accounts(location: Any, count: int) -> None:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket")
    location_run(location.pk)
    for number in range(count):
        services.account_put(profile=profile, name=f"G{number:04}", password=None, tag="a")


@pytest.mark.django_db(transaction=True)
def test_the_rate_of_the_location_holds_and_is_shown() -> None:
    with emulated() as router:
        location = location_of(router, writes_per_second=50)
        accounts(location, 60)
        router.clear_op_log()
        location_run(location.pk)
        assert len(hotspot_users(router)) == 60
        moments = [entry["at"] for entry in router.op_log("/ip/hotspot/user/add")]
        assert moments[-1] - moments[0] > 59 / 50 * 0.9
        state = RouterState.objects.get(pk=location.pk)
        assert (state.push_limit, state.push_reason) == (50, PaceReason.SETTING)
        assert state.push_rate is not None
        assert state.push_rate <= 55
        assert pace_words(state, state.push_at).endswith("this location allows 50")


@pytest.mark.django_db(transaction=True)
def test_a_busy_cpu_slows_a_long_push_and_air_lets_it_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LOOK_SECONDS", 0.0)  # before every batch
    seen: list[float | None] = []
    judged = Pace.cpu_seen

    def note(pace: Pace, load: int) -> None:
        judged(pace, load)
        seen.append(pace.limit)

    monkeypatch.setattr(Pace, "cpu_seen", note)
    with emulated() as router:
        location = location_of(router)
        accounts(location, 250)
        router.set_cpu_load(97)
        location_run(location.pk)
        state = RouterState.objects.get(pk=location.pk)
        assert (state.cpu_load, state.push_reason) == (97, PaceReason.CPU)
        limits = [limit for limit in seen if limit is not None]
        assert len(limits) >= 2
        assert limits == sorted(limits, reverse=True)
        assert pace_words(state, state.push_at).endswith("because the router's CPU was busy")
        router.set_cpu_load(3)
        services.accounts_remove(AccessAccount.objects.filter(location=location))
        while location_run(location.pk).more:
            pass
        assert seen[-1] is None or seen[-1] > limits[-1]
        assert hotspot_users(router) == {}
        connections.close_all()

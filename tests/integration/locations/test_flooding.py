"""A router whose answer to a poll never ends takes a bounded part of the worker's memory, and only its own location."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from locations.emulator.wire import SentenceReader, encode_sentence
from locations.models import Observation, RouterState
from locations.routeros import client as wire
from locations.sync import identity, poll
from locations.sync.writer import location_run
from tests.integration.locations.test_lease import account_at
from tests.integration.locations.test_lying_router import HONEST, at
from tests.routers import emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)
ROW = {".id": "*A1", "user": "ABCD", "uptime": "1m", "mac-address": "02:00:00:00:00:01", "address": "10.0.0.9"}
MIB = 1024 * 1024


@contextmanager
def flooding(menu: str) -> Iterator[int]:
    """A port that answers as a router does, but `menu` (or the login) without end, as fast as it is taken."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reader = SentenceReader(1 << 30)
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    reader.feed(data)
                    while (sentence := reader.next_sentence()) is not None:
                        self.answer(sentence)

        def answer(self, sentence: list[bytes]) -> None:
            tags = [word for word in sentence if word.startswith(b".tag=")]
            path = sentence[0].decode().removesuffix("/print")
            counts = any(word.startswith(b"=count-only") for word in sentence)

            def said(kind: bytes, words: dict[str, str]) -> bytes:
                return encode_sentence([kind, *tags, *(f"={key}={value}".encode() for key, value in words.items())])

            while path == menu and not counts:
                self.request.sendall(said(b"!re", ROW) * 500)
            rows = b"".join(said(b"!re", row) for row in HONEST.get(path, []))
            self.request.sendall(rows + said(b"!done", {"ret": "0"} if counts else {}))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(20)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most bytes (as counted by the client, with what a word takes beside them) and rows held for one answer."""
    most = [0, 0]
    receive = wire._Connection.receive_sentence

    def counted(self: Any) -> list[bytes]:
        rows = self.rows + 1 if self.received else 1
        try:
            return receive(self)
        finally:
            self.rows = rows
            most[:] = [max(most[0], self.received), max(most[1], rows)]

    monkeypatch.setattr(wire._Connection, "rows", 0, raising=False)
    monkeypatch.setattr(wire._Connection, "receive_sentence", counted)
    return most


@pytest.mark.parametrize(
    ("menu", "limit"),
    [
        ("/login", wire.LOGIN_BYTES), ("/system/resource", identity.IDENTITY_BYTES),
        ("/ip/hotspot/active", poll.REPLY_BYTES), ("/interface", poll.REPLY_BYTES), ("/ip/hotspot/user", poll.REPLY_BYTES),
    ],
)  # fmt: skip
def test_an_answer_without_end_is_cut_at_its_limit(menu: str, limit: int, kept: list[int]) -> None:
    with flooding(menu) as port, emulated() as router:
        bad, good = at(port), location_of(router, "Pos 2")
        account_at(good)
        assert location_run(bad.pk, is_forced=True).problem == "not_routeros"
        assert limit < kept[0] < limit + 1024
        assert kept[1] < limit // 256
        state = RouterState.objects.get(pk=bad.pk)
        assert state.last_error == f"not_routeros: an answer of more than {limit >> 10} KiB"
        assert Observation.objects.filter(location=bad).count() == 0
        assert location_run(good.pk).problem == ""
        assert list(hotspot_users(router)) == ["ABCD2345"]


def test_the_sweep_over_all_counters_may_be_as_long_as_we_know_it_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []
    with emulated() as router:
        location = location_of(router)
        for number in range(3):
            account_at(location, f"CODE{number:04}")
        asked = wire.RouterClient.print

        def noted(self: wire.RouterClient, menu: str, *rest: Any) -> Any:
            if menu == "/ip/hotspot/user" and ">uptime=0s" in rest[-1]:
                limits.append(self.reply_limit)
            return asked(self, menu, *rest)

        monkeypatch.setattr(wire.RouterClient, "print", noted)
        monkeypatch.setattr(poll, "USER_BYTES", 100 * MIB)
        assert location_run(location.pk).problem == ""
        assert limits[:1] == [wire.MAX_REPLY_BYTES]  # 300 MiB are asked for: never more than any router holds

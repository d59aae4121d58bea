"""A router that logs in and then lies: its run ends in a true state, and the other locations go on."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pytest

from core.models import ErrorRecord
from locations import services
from locations.choices import Kind, Reach
from locations.emulator.wire import SentenceReader, encode_sentence
from locations.models import InterfaceTraffic, Location, Observation, RouterProfile, RouterSession, RouterState
from locations.routeros.values import MOST
from locations.sync.writer import location_run
from tests.routers import PASSWORD, emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)

Rows = list[dict[str, str]]
HONEST: dict[str, Rows] = {
    "/system/resource": [{"uptime": "1h", "version": "7.16.1 (stable)", "board-name": "CHR", "cpu-load": "5"}],
    "/system/license": [{"system-id": "lie"}],
    "/system/identity": [{"name": "pos"}],
    "/system/clock": [{"date": "2026-01-02", "time": "10:00:00"}],
    "/interface": [{".id": "*1", "name": "ether1", "running": "true", "rx-byte": "10", "tx-byte": "20"}],
}
ACTIVE = {".id": "*A1", "user": "ABCD", "uptime": "1m", "mac-address": "02:00:00:00:00:01", "address": "10.0.0.9"}


@contextmanager
def lying(lies: Mapping[str, Rows] = MappingProxyType({}), count: str = "0", made: str = "*1") -> Iterator[int]:
    """A port where every menu is answered with its rows (`lies` before `HONEST`, else none)."""

    def answer(sentence: list[bytes]) -> bytes:
        tags = [word for word in sentence if word.startswith(b".tag=")]
        menu, _slash, verb = sentence[0].decode().rpartition("/")
        done = (
            {"ret": made}
            if verb == "add"
            else {"ret": count}
            if any(word.startswith(b"=count-only") for word in sentence)
            else {}
        )
        rows = [] if verb != "print" or done else lies.get(menu, HONEST.get(menu, []))
        replies = [(b"!re", row) for row in rows] + [(b"!done", done)]
        return b"".join(
            encode_sentence([kind, *tags, *(f"={key}={value}".encode() for key, value in words.items())])
            for kind, words in replies
        )

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            reader = SentenceReader(1 << 30)
            with contextlib.suppress(OSError):
                while data := self.request.recv(65536):
                    reader.feed(data)
                    while (sentence := reader.next_sentence()) is not None:
                        self.request.sendall(answer(sentence))

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


def at(port: int) -> Location:
    location = Location.objects.create(name="Liar", host="127.0.0.1", port=port, username="billing", password=PASSWORD)
    RouterState.objects.create(location=location)
    return location


def lie(**words: str) -> Rows:
    return [{**ACTIVE, **{key.replace("_", "-"): value for key, value in words.items()}}]


BAD: dict[str, dict[str, Any]] = {
    "a session without id": {"lies": {"/ip/hotspot/active": [{"user": "ABCD", "uptime": "1m"}]}},
    "an id that is none": {"lies": {"/ip/hotspot/active": [{**ACTIVE, ".id": "*" + "A" * 40}]}},
    "no uptime": {"lies": {"/system/resource": [{"uptime": "999999999999999w"}]}},
    "no identity": {"lies": {"/system/identity": []}},
    "a count of rows that no column holds": {"count": "9" * 30},
    "a count below nothing": {"count": "-1"},
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_an_answer_that_is_none_is_a_problem_of_that_location_only(name: str) -> None:
    with lying(**BAD[name]) as port, emulated() as router:
        liar, honest = at(port), location_of(router)
        assert location_run(liar.pk).problem == "not_routeros"
        assert location_run(liar.pk, is_forced=True).problem == "not_routeros"
        assert location_run(honest.pk).problem == ""
    state = RouterState.objects.get(pk=liar.pk)
    assert (state.reach, state.failures, state.lease_token) == (Reach.OFFLINE, 2, None)
    assert state.last_error.startswith("not_routeros: ")
    assert RouterState.objects.get(pk=honest.pk).reach == Reach.ONLINE
    assert not ErrorRecord.objects.exists()


def test_nonsense_in_words_is_not_known_and_the_rest_is_taken_in() -> None:
    huge = "9" * 5000
    lies = {
        "/system/identity": [{"name": "po\0s" + "x" * 500}],
        "/system/routerboard": [{"model": "m\0" * 500, "serial-number": "s\0" * 500}],
        "/ip/hotspot/active": lie(user="A\0BCD" + "x" * 500, uptime=huge + "w", bytes_in="²", bytes_out="-7"),
        "/ip/hotspot/user": [{".id": "*1", "name": "n\0" * 500, "uptime": huge, "bytes-in": huge}],
        "/interface": [{".id": "*1", "name": "e\0" * 500, "rx-byte": "9" * 20, "tx-byte": huge}],
        "/ppp/active": [{".id": "*2", "name": "p", "uptime": "99999999999d", "caller-id": "c\0" * 90}],
    }
    with lying(lies) as port:
        location = at(port)
        assert (location_run(location.pk).problem, RouterState.objects.get(pk=location.pk).last_error) == ("", "")
    state = RouterState.objects.get(pk=location.pk)
    assert (state.reach, state.lease_token) == (Reach.ONLINE, None)
    assert (state.identity, state.serial) == (("pos" + "x" * 500)[:128], "s" * 64)
    assert Observation.objects.get().processed_at is not None
    hotspot = RouterSession.objects.get(kind=Kind.HOTSPOT)
    assert (hotspot.name, hotspot.uptime_seconds) == (("ABCD" + "x" * 500)[:128], 0)
    assert (hotspot.bytes_in, hotspot.bytes_out) == (0, 0)
    assert RouterSession.objects.get(kind=Kind.PPP).uptime_seconds == 0
    traffic = InterfaceTraffic.objects.get()
    assert (traffic.name, traffic.rx_bytes, traffic.tx_bytes) == ("e" * 160, MOST, 0)
    assert not ErrorRecord.objects.exists()


def test_an_id_of_a_new_entry_that_is_none_is_not_kept() -> None:
    with lying({}, made="*" + "F" * 300) as port:
        location = at(port)
        profile = RouterProfile.objects.create(location=location, kind=Kind.HOTSPOT, name="paket")
        account = services.account_put(profile=profile, name="ABCD", password=None, tag="a")
        assert (location_run(location.pk).problem, RouterState.objects.get(pk=location.pk).last_error) == ("", "")
    account.refresh_from_db()
    assert account.router_id == ""
    assert not ErrorRecord.objects.exists()

"""Whatever answers at a router's address, our client ends with one of its own errors: no hang, no swelling, no leak."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locations.emulator.wire import SentenceReader, encode_sentence, encode_word
from locations.routeros import client as client_module
from locations.routeros.client import Reply, RouterClient, RouterTarget
from locations.routeros.errors import NotRouterOs, RouterError, RouterUnreachable
from locations.routeros.values import MOST, MOST_SECONDS, duration_seconds, whole

USUAL = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
SECRET = "never-to-be-shown"
TIMEOUT = 0.3  # of the client: a router that says nothing more costs each example so much

REPLY_WORDS = st.sampled_from([b"!re", b"!done", b"!trap", b"!fatal", b"!empty", b"!what", b"re", b"", b"!"])
WORDS = st.one_of(
    st.sampled_from(
        [b".tag=1", b".tag=2", b".tag=", b".tag=99", b".tag=\xff", b"=ret=zz", b"=ret=" + b"0" * 32, b"=ret="]
    ),
    st.sampled_from(
        [b"=message=boom", b"=message=\xe9", b"=category=x", b"=", b"==", b"=a", b"=.id=*1", b"=name=\x00"]
    ),
    st.binary(min_size=1, max_size=12),
)
SENTENCES = st.lists(
    st.tuples(REPLY_WORDS, st.lists(WORDS, max_size=4)).map(
        lambda pair: b"".join(encode_word(word) for word in (pair[0], *pair[1]) if word) + b"\0"
    ),
    max_size=6,
).map(b"".join)


@contextmanager
def router_that_says(*parts: bytes) -> Iterator[int]:
    """A port where each received sentence is answered with the next part; after the last one the line is closed."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with line:
            line.settimeout(10)
            reader = SentenceReader(1 << 30)
            for part in parts:
                try:
                    while reader.next_sentence() is None:
                        data = line.recv(65536)
                        if not data:
                            return
                        reader.feed(data)
                    line.sendall(part)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        thread.join(20)
        assert not thread.is_alive()


def ask(port: int) -> Reply | RouterError:
    """Log in and print; returns what came of it. Nothing but a RouterError may come out."""
    client = RouterClient(RouterTarget("127.0.0.1", port, "billing", SECRET), timeout=TIMEOUT)
    came: Reply | RouterError
    try:
        client.connect()
        came = client.call("/ip/hotspot/user/print", {"password": SECRET})
    except RouterError as error:
        came = error
    is_open = client.is_open
    client.close()
    assert SECRET not in repr(came)
    assert not (isinstance(came, RouterUnreachable) and is_open)
    return came


LOGGED_IN = encode_sentence([b"!done", b".tag=1"])


@USUAL
@given(first=st.one_of(st.binary(max_size=64), SENTENCES))
def test_any_answer_to_the_login(first: bytes) -> None:
    with router_that_says(first) as port:
        ask(port)


@USUAL
@given(second=st.one_of(st.binary(max_size=64), SENTENCES))
def test_any_answer_to_a_command(second: bytes) -> None:
    with router_that_says(LOGGED_IN, second) as port:
        ask(port)


def test_a_challenge_that_is_none() -> None:
    with router_that_says(encode_sentence([b"!done", b".tag=1", b"=ret=xyz"])) as port:
        assert isinstance(ask(port), NotRouterOs)


@pytest.mark.parametrize("length", [b"\xf0\xff\xff\xff\xff", b"\xef\xff\xff\xff", b"\xf8", b"\xff"])
def test_a_word_of_gigabytes_is_not_waited_for(length: bytes) -> None:
    with router_that_says(LOGGED_IN, length + b"x" * 1000) as port:
        assert isinstance(ask(port), NotRouterOs)


def test_a_sentence_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_SENTENCE_BYTES", 100_000)
    with router_that_says(LOGGED_IN, b"".join(encode_word(b"=a=%d" % n) for n in range(100_000))) as port:
        assert isinstance(ask(port), NotRouterOs)


def test_rows_without_end_and_rows_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_REPLY_BYTES", 1_000_000)
    row = encode_sentence([b"!re", b".tag=2", b"=comment=" + b"x" * 1000])
    with router_that_says(LOGGED_IN, row * 2000) as port:
        assert isinstance(ask(port), NotRouterOs)
    monkeypatch.setattr(client_module, "MAX_ROWS", 100)
    with router_that_says(LOGGED_IN, encode_sentence([b"!re", b".tag=2"]) * 2000) as port:
        assert isinstance(ask(port), NotRouterOs)


def test_an_honest_answer_is_still_understood() -> None:
    rows = encode_sentence([b"!re", b".tag=2", b"=name=caf\xe9", b"=a=b=c"]) + encode_sentence([b"!done", b".tag=2"])
    with router_that_says(LOGGED_IN, rows) as port:
        assert ask(port) == Reply([{"name": "café", "a": "b=c"}], {})


@USUAL
@given(
    st.one_of(
        st.text(max_size=30),
        st.from_regex(r"-?[0-9²٣]{0,25}[wdhms:]?[0-9]{0,25}s?", fullmatch=True),
        st.sampled_from(["9" * 5000, "9" * 5000 + "w", "²", "-1", "1" * 20, "99999999999d", "4294967297"]),
    )
)
def test_a_number_of_a_router_always_fits(value: str) -> None:
    assert 0 <= whole(value) <= MOST
    try:
        seconds = duration_seconds(value)
    except ValueError:
        return
    assert 0 <= seconds <= MOST_SECONDS
    assert datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=seconds) < datetime(2026, 1, 2, tzinfo=UTC)


def test_numbers_that_are_numbers_are_still_read() -> None:
    assert (whole("0"), whole("18446744073709551615"), whole("12345")) == (0, MOST, 12345)
    assert duration_seconds("1w2d3h4m5s") == 788645


def answer_of(*words: bytes) -> Reply | RouterError:
    rows = encode_sentence([b"!re", b".tag=2", *words]) + encode_sentence([b"!done", b".tag=2", b"=ret=*" + b"F" * 40])
    with router_that_says(LOGGED_IN, rows) as port:
        return ask(port)


def test_zero_bytes_are_left_out() -> None:
    came = answer_of(b"=na\0me=a\0b", b"=.id=*B0200C0A")
    assert isinstance(came, Reply)
    assert came.rows == [{"name": "ab", ".id": "*B0200C0A"}]


@pytest.mark.parametrize("row_id", [b"", b"*", b"1", b"*G", b"*" + b"A" * 16, b"*1\n", b"*1;x"])
def test_an_id_that_is_none_is_no_answer(row_id: bytes) -> None:
    assert isinstance(answer_of(b"=.id=" + row_id), NotRouterOs)


def test_a_row_without_the_word_that_is_needed() -> None:
    came = answer_of(b"=name=a")
    assert isinstance(came, Reply)
    assert came.made_id == ""
    assert came.rows[0].get(".id", "") == ""
    with pytest.raises(NotRouterOs, match=r"a row without \.id"):
        came.rows[0][".id"]

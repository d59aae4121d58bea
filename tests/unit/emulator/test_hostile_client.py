"""Whatever a client sends, the emulator answers in the protocol or closes; it does not crash, hang or swell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locations.emulator.connection import LONGEST_TAG, MOST_RUNNING, ApiConnection
from locations.emulator.core import RouterCore
from locations.emulator.schema import all_menus
from locations.emulator.wire import AFTER_LOGIN_LIMIT, SentenceReader, encode_sentence, encode_word

USUAL = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
LOGIN = encode_sentence([b"/login", b"=name=u", b"=password=p"])
VERSIONS = ("6.42.12", "6.49.17", "7.9.2", "7.16.1", "7.21.3", "7.24")
MENUS = all_menus()
COMMANDS = sorted(
    {f"/{path}/{command}" for path, menu in MENUS.items() for command in menu.commands | {"export"}}
    | {
        "/cancel",
        "/quit",
        "/login",
        "/ping",
        "/import",
        "/execute",
        "/export",
        "/",
        "//",
        "",
        "/x",
        "/ip",
        "/interface",
    }
)
ENDING = {"/system/reboot", "/system/backup/load"}
_OTHER = (
    ".id numbers number .proplist count-only value-name destination place-before copy-from interval once follow "
    "follow-only file file-name script tag count address chunk-size"
)
NAMES = [*sorted({prop.name for menu in MENUS.values() for prop in menu.props}), *_OTHER.split()]
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "*0",
            "*1",
            "*1,*2",
            "0",
            "0,1,2",
            "yes",
            "no",
            "1M/2M",
            "10.0.0.1",
            "10.0.0.0/8",
            "1d",
            "0.5",
            "-1",
            "none",
        ]
    ),
    st.sampled_from(
        ["default", "bridge", "ether1", "all", "*FFFFFFFE", "*", "*-1", "*zz", "²", "1" * 5000, "9" * 400 + "d"]
    ),
    st.sampled_from(
        ["0.0.0.0/0", "::/0", "1.1.1.1-255.255.255.255", "00:00:00:00:00:00", "\n", "a" * 3000, "1us", "x=y=z"]
    ),
    st.sampled_from(
        [
            "/ip hotspot user add name=a\nadd name=b\n",
            "/system script run a\n" * 50,
            ":do {/system script run a} on-error={}\n" * 30,
            "/ip pool add name=[ find",
            'add "',
            "/ip hotspot user remove [find name=a]",
        ]
    ),
    st.text(st.characters(max_codepoint=255), max_size=12),
)
WORDS = st.one_of(
    st.tuples(st.sampled_from(NAMES), VALUES).map(lambda pair: f"={pair[0]}={pair[1]}"),
    st.tuples(st.sampled_from(NAMES), VALUES).map(lambda pair: f"?{pair[0]}={pair[1]}"),
    st.tuples(st.sampled_from("<>-="), st.sampled_from(NAMES), VALUES).map(lambda t: f"?{t[0]}{t[1]}={t[2]}"),
    st.text("!&|.0123456789", max_size=6).map(lambda text: f"?#{text}"),
    st.sampled_from(NAMES).map(lambda name: f"=!{name}="),
    st.sampled_from(NAMES).map(lambda name: f"={name}"),
    st.sampled_from(["1", "2", "x"]).map(lambda tag: f".tag={tag}"),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=1, max_size=8),
)
COMMAND = st.one_of(st.sampled_from(COMMANDS), st.text(st.characters(max_codepoint=255), min_size=1, max_size=12))
SENTENCE = st.tuples(COMMAND, st.lists(WORDS, max_size=6)).map(
    lambda pair: [word.encode("latin-1") for word in (pair[0], *pair[1]) if word]
)


class Pipe(asyncio.Transport):
    """The client's end: keeps what the emulator writes; may stop reading."""

    def __init__(self, connection: ApiConnection, *, reads: bool = True) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_closed = False
        self._connection, self._reads = connection, reads

    def write(self, data: Any) -> None:
        self.written += data
        if not self._reads and len(self.written) > 65536:
            self._connection.pause_writing()

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._connection.connection_lost(None)

    abort = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class Bench:
    """A router without ports and one client's connection to it."""

    def __init__(self, version: str = "7.21.3", *, reads: bool = True) -> None:
        self.loop = asyncio.new_event_loop()
        self.core = RouterCore(version=version, model="hEX", user="u", password="p", group="full", manual_clock=True)
        self.core.loop = self.loop
        self.connect(reads=reads)

    def connect(self, *, reads: bool = True) -> None:
        self.connection = ApiConnection(self.core, "api")
        self.pipe = Pipe(self.connection, reads=reads)
        self.connection.connection_made(self.pipe)

    def send(self, data: bytes, turns: int = 5) -> None:
        self.connection.data_received(data)
        self.turn(turns)

    def turn(self, turns: int = 5) -> None:
        for _ in range(turns):
            self.loop.run_until_complete(asyncio.sleep(0))

    def answers(self) -> list[list[bytes]]:
        """All whole sentences written so far; the rest must be nothing."""
        reader = SentenceReader(1 << 30)
        reader.feed(bytes(self.pipe.written))
        found = list(iter(reader.next_sentence, None))
        assert reader.pending == 0
        return found

    def close(self) -> None:
        self.pipe.close()
        self.turn(20)
        assert not self.core.connections
        assert [task for task in asyncio.all_tasks(self.loop) if not task.done()] == []
        self.loop.close()


@contextmanager
def bench(caplog: pytest.LogCaptureFixture, version: str = "7.21.3", *, reads: bool = True) -> Iterator[Bench]:
    """Afterwards nothing of the connection is left and the emulator has not complained about itself."""
    caplog.clear()
    made = Bench(version, reads=reads)
    with caplog.at_level(logging.ERROR):
        yield made
        made.close()
    assert [record.getMessage() for record in caplog.records] == []


@USUAL
@given(chunks=st.lists(st.binary(max_size=200), max_size=8), logged_in=st.booleans())
def test_any_bytes(caplog: pytest.LogCaptureFixture, chunks: list[bytes], logged_in: bool) -> None:
    with bench(caplog) as made:
        if logged_in:
            made.send(LOGIN)
        for chunk in chunks:
            made.send(chunk)
        made.answers()


@USUAL
@given(sentences=st.lists(SENTENCE, min_size=1, max_size=12), version=st.sampled_from(VERSIONS), cut=st.integers(1, 50))
def test_any_sentences(caplog: pytest.LogCaptureFixture, sentences: list[list[bytes]], version: str, cut: int) -> None:
    """Each command gets its one end, or still runs, or the connection is over."""
    with bench(caplog, version) as made:
        made.send(LOGIN)
        if not made.core.device.version >= (6, 43, 0):
            made.connection._caller = made.connection._caller or _somebody(made)
        sent = [words for words in sentences if words and words[0].decode("latin-1") not in ENDING]
        data = b"".join(map(encode_sentence, sent))
        for start in range(0, len(data), cut * 7):
            made.send(data[start : start + cut * 7], turns=1)
        made.turn(50)
        made.core.advance(1)
        replies = made.answers()
        assert {reply[0] for reply in replies} <= {b"!re", b"!done", b"!trap", b"!fatal", b"!empty"}
        ends = sum(1 for reply in replies if reply[0] == b"!done") - 1
        if not made.pipe.is_closed:
            assert ends + len(made.connection._running) == len(sent)


def _somebody(made: Bench) -> Any:
    from locations.emulator.sentence import LOCAL

    return LOCAL


def test_before_login_little_is_kept_and_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    for data in (b"\xf0\xff\xff\xff\xff", b"\xe0\x10\x00\x00" + b"x" * 100_000, encode_word(b"a") * 10_000, b"\xf8"):
        with bench(caplog) as made:
            made.send(data)
            assert made.pipe.is_closed
            assert made.pipe.written == b""
            assert made.connection._reader.pending <= len(data)


def test_a_million_small_words_are_not_a_small_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog) as made:
        made.send(LOGIN)
        made.send(encode_word(b"/x") + encode_word(b"y") * 1_000_000)
        assert made.pipe.is_closed


def test_commands_without_end_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog) as made:
        made.send(LOGIN)
        made.send(
            b"".join(encode_sentence([b"/log/listen", b".tag=%d" % n]) for n in range(MOST_RUNNING + 50)), turns=20
        )
        assert len(made.connection._running) == MOST_RUNNING
        assert len(made.core.device.tables["log"].watchers) == MOST_RUNNING
        refused = [reply for reply in made.answers() if b"=message=failure: too many commands" in reply]
        assert len(refused) == 50
    assert made.core.device.tables["log"].watchers == []


def test_who_does_not_read_makes_nothing_pile_up(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog, reads=False) as made:
        made.core.seed(20_000)
        made.send(LOGIN)
        made.send(encode_sentence([b"/ip/hotspot/user/listen", b".tag=l"]))
        made.send(b"".join(encode_sentence([b"/ip/hotspot/user/print", b".tag=%d" % n]) for n in range(500)), turns=50)
        for number in range(30_000):
            made.core.command("/ip/hotspot/user/set", {".id": "*1", "comment": str(number)})
        made.turn(50)
        assert len(made.pipe.written) < 32 * 1024 * 1024
        assert made.connection._reader.pending < 1024 * 1024
        (listening,) = [s for s in made.connection._running if s.tag == "l"]
        assert listening.command == "/ip/hotspot/user/listen"


def test_a_slow_line_holds_back_the_producer(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog) as made:
        made.core.seed(100_000)
        made.core.set_rtt(3_600_000)
        made.connection._caller = _somebody(made)
        made.send(b"".join(encode_sentence([b"/ip/hotspot/user/print", b".tag=%d" % n]) for n in range(50)), turns=400)
        assert made.connection.line._waiting_bytes < 64 * 1024 * 1024
        assert made.pipe.written == b""


def test_stored_things_end_with_the_memory_of_the_board(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog) as made:
        made.send(LOGIN)
        big = b"x" * (1024 * 1024)
        for number in range(200):
            made.send(encode_sentence([b"/system/script/add", b"=name=%d" % number, b"=source=" + big]), turns=1)
        made.send(encode_sentence([b"/ip/hotspot/user/add", b"=name=a"]))
        assert made.answers()[-2:] == [[b"!trap", b"=message=failure: out of memory"], [b"!done"]]
        assert made.core.device.meter.bytes < 160 * 1024 * 1024
        made.send(encode_sentence([b"/system/script/print", b"=.proplist=name"]), turns=20)
        made.send(encode_sentence([b"/ip/hotspot/user/disable", b"=.id=*0"]))
        assert made.answers()[-1] == [b"!done"]


def test_scripts_that_call_each_other_come_to_an_end(caplog: pytest.LogCaptureFixture) -> None:
    with bench(caplog) as made:
        made.send(LOGIN)
        calls = b":do {/system script run s} on-error={}\n" * 1000
        made.send(encode_sentence([b"/system/script/add", b"=name=s", b"=source=" + calls]))
        made.send(encode_sentence([b"/system/script/run", b"=number=s", b".tag=r"]))
        last = made.answers()[-2]
        assert last[0] == b"!trap"
        assert last[-1].startswith(b"=message=failure: script is too long")


@pytest.mark.parametrize(
    "words",
    [
        [b"/ip/hotspot/user/print", b"=.proplist=" + b"name," * 400_000],
        [b"/ip/hotspot/user/set", b"=numbers=" + b"0," * 400_000 + b"0", b"=comment=x"],
        [b"/ip/hotspot/user/print", *[b"?name=a"] * 300_000],
        [b"/ip/hotspot/user/print", b"?name=a", b"?#" + b"!" * 1_000_000],
        [b"/ip/hotspot/user/print", b"?name=a", b"?#" + b"9" * 1_000_000 + b"."],
        [b"/ip/hotspot/user/print", b"=interval=0"],
        [b"/interface/monitor-traffic", b"=interface=" + b"ether1," * 200_000 + b"ether1", b"=interval=1us"],
        [b"/ping", b"=address=10.0.0.1", b"=count=" + b"9" * 5000],
        [b"/ip/pool/add", b"=name=p", b"=ranges=" + b"1.1.1.1-2.2.2.2," * 60_000 + b"3.3.3.3"],
        [b"/user/group/set", b"=.id=write", b"=policy=" + b"read," * 300_000 + b"read"],
        [b"/system/identity/set", b"=name=" + b"n" * 4_000_000],
        [b"/system/identity/print", b".tag=" + b"t" * (LONGEST_TAG + 1)],
        [b"/execute", b"=script=:do {" + b"} on-error={" * 100_000],
        [b"/execute", b"=script=/ip hotspot user set [find " + b"a=b " * 200_000],
        [b"/cancel", b"=tag=" + b"x" * 100_000],
        [b"/login", b"=name=" + b"u" * 1_000_000, b"=response=00" + b"z" * 1_000_000],
        [b"/ip/hotspot/user/print"] + [b"=%d=" % n for n in range(100_000)],
    ],
    ids=lambda words: words[0].decode() + "-" + words[1][:12].decode("latin-1"),
)
def test_words_made_to_cost_much(caplog: pytest.LogCaptureFixture, words: list[bytes]) -> None:
    """Each is answered or ends the connection; the next client is served."""
    with bench(caplog) as made:
        made.core.seed(1000)
        made.send(LOGIN)
        assert sum(map(len, words)) < AFTER_LOGIN_LIMIT
        made.send(encode_sentence(words), turns=20)
        made.answers()
        made.pipe.close()
        made.connect()
        made.send(LOGIN)
        made.send(encode_sentence([b"/ip/hotspot/user/print", b"?name=seed000001", b"=.proplist=.id"]))
        assert made.answers() == [[b"!done"], [b"!re", b"=.id=*1"], [b"!done"]]

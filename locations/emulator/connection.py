"""One API connection: sentences in, replies out, concurrent tagged commands, /cancel, the faults of the
line."""

from __future__ import annotations

import asyncio
import collections
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .errors import SilentClose, Trap
from .faults import Held
from .line import ReplyLine
from .login import LoginState, login, open_session
from .oplog import is_write
from .sentence import Caller, Done, Live, Outcome, Rows, Sentence, encode_attributes, parse_sentence
from .table import Row
from .wire import AFTER_LOGIN_LIMIT, FramingError, SentenceReader, encode_text

if TYPE_CHECKING:
    from .core import RouterCore

_logger = logging.getLogger(__name__)
SENTENCES_PER_TURN = 100
ROWS_PER_TURN = 500
BYTES_PER_TURN = 1024 * 1024
MOST_RUNNING = 200
"""Commands of one connection that go on at the same time; one more is refused (invented)."""
LONGEST_TAG = 1024
_EMPTY_SINCE = (7, 18, 0)
_RE, _DONE, _TRAP, _EMPTY = (encode_text(word) for word in ("!re", "!done", "!trap", "!empty"))


class ApiConnection(asyncio.Protocol):
    """Serves one client. Every method runs in the event loop."""

    def __init__(self, core: RouterCore, via: str) -> None:
        self._core = core
        self.via = via
        self._reader = SentenceReader()
        self._login = LoginState()
        self._caller: Caller | None = None
        self.active_row_id: str | None = None
        self.line = ReplyLine(core)
        self._is_turn_planned = False
        self._running: dict[Sentence, asyncio.Task[None]] = {}
        self._held_write: Sentence | None = None
        self._waiting_writes: collections.deque[Sentence] = collections.deque()
        self.session_id = core.next_session_id()
        self.address = ""
        self.transport: asyncio.Transport | None = None

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected; refuse it when the service says so."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP and TLS transports are
        self.transport = self.line.transport = transport
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        if not self._core.accepts(self, self.via):
            transport.abort()
            return
        self._core.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; what it started and is still held happens anyway when released."""
        self.line.is_closing = True
        self._core.connections.discard(self)
        for task in list(self._running.values()):
            task.cancel()
        self.line.can_write.set()
        if self._caller is not None and self.active_row_id is not None:
            table = self._core.device.tables["user/active"]
            row = table.rows.get(self.active_row_id)
            if row is not None:
                table.delete(row)
            who = f"user {self._caller.name} logged out from {self.address} via {self.via}"
            self._core.device.log("system,info,account", who)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        faults = self._core.faults
        if self.line.is_closing:
            return
        self._reader.feed(data)
        if faults.slow_bytes_per_second and self.transport is not None:
            self.transport.pause_reading()
            self._core.loop.call_later(len(data) / faults.slow_bytes_per_second, self._resume_reading)
        if not self._is_turn_planned:
            self._turn()

    def pause_writing(self) -> None:
        """The client does not read: stop producing."""
        self.line.block()

    def resume_writing(self) -> None:
        """The client reads again."""
        self.line.unblock()
        self._plan_turn()

    def eof_received(self) -> bool:
        """The client will send nothing more."""
        return False

    def wake(self) -> None:
        """The device was silent and is not any more: what arrived meanwhile is executed now."""
        self.line.wake()
        self._plan_turn()

    # -- reading

    def _resume_reading(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _plan_turn(self) -> None:
        if not self._is_turn_planned and not self.line.is_closing:
            self._is_turn_planned = True
            self._core.loop.call_later(self._core.faults.busy_seconds, self._turn)

    def _turn(self) -> None:
        """Process some sentences, then let other connections have their turn."""
        self._is_turn_planned = False
        if self._core.faults.silent:
            self._pace_reading()
            return
        try:
            for _ in range(1 if self._core.faults.busy_seconds else SENTENCES_PER_TURN):
                if self.line.is_closing or not self.line.can_write.is_set():
                    break
                words = self._reader.next_sentence()
                if words is None:
                    break
                self._receive(words)
            else:
                self._plan_turn()
        except (FramingError, SilentClose):
            self.close()
        except Exception:
            # A fault of the emulator itself: say so, and end this connection instead of leaving it hanging.
            _logger.exception("session %d ended by an error of the emulator", self.session_id)
            self.abort()
        self.line.flush()
        self._pace_reading()

    def _pace_reading(self) -> None:
        if self.transport is None or self.transport.is_closing() or self._core.faults.slow_bytes_per_second:
            return
        is_busy = self._is_turn_planned or self._core.faults.silent or not self.line.can_write.is_set()
        if self._reader.pending > 1024 * 1024 and is_busy:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _receive(self, words: list[bytes]) -> None:
        faults = self._core.faults
        if faults.drop_after is not None:
            faults.drop_after -= 1
            if faults.drop_after <= 0:
                faults.drop_after = None
                self._drop(words if faults.drop_executes else None)
                return
        sentence = parse_sentence(words)
        if sentence.tag is not None and len(sentence.tag) > LONGEST_TAG:
            raise FramingError("tag too long")
        command = sentence.command.strip("/")
        if command == "login":
            self._log_in(sentence)
        elif command == "quit" and self._caller is not None:
            self._fatal("session terminated on request")
        elif self._caller is None:
            self._fatal("not logged in")
        elif command == "cancel":
            self._cancel(sentence)
        elif self._held_write is not None and is_write(sentence.command):
            self._waiting_writes.append(sentence)
        elif faults.stalls and faults.stall_for(sentence, "before"):
            self._hold(sentence, lambda: self.run(sentence))
        else:
            self.run(sentence)

    def _drop(self, last_words: list[bytes] | None) -> None:
        """The fault ``drop_after``: the last sentence may still be executed, but its answer never arrives."""
        self.line.flush()
        if last_words is not None and self._caller is not None:
            self.run(parse_sentence(last_words))
            self.line.discard()
        self.abort()

    # -- executing

    def run(self, sentence: Sentence) -> None:
        """Execute one command and answer it (the client may be gone by now)."""
        caller = self._caller
        assert caller is not None  # noqa: S101 - only reached after login
        core = self._core
        outcome: Outcome | Trap
        try:
            outcome = core.execute(caller, self.session_id, sentence)
        except Trap as trap:
            outcome = trap
        if core.faults.stalls and core.faults.stall_for(sentence, "after"):
            self._hold(sentence, lambda: self._answer(sentence, outcome))
        else:
            self._answer(sentence, outcome)

    def _answer(self, sentence: Sentence, outcome: Outcome | Trap) -> None:
        if self.line.is_closing:
            return
        if isinstance(outcome, Trap):
            self._trap(sentence, outcome)
        elif isinstance(outcome, Done):
            self._done(sentence, outcome.ret)
        elif isinstance(outcome, Rows) and self._is_short(outcome):
            self._print_now(sentence, outcome)
        elif len(self._running) >= MOST_RUNNING:
            self._refuse(sentence, outcome)
        else:
            work = self._print_long(sentence, outcome) if isinstance(outcome, Rows) else self._live(sentence, outcome)
            task = self._core.loop.create_task(work)
            self._running[sentence] = task
            task.add_done_callback(lambda _: self._ended(sentence, outcome))

    def _is_short(self, rows: Rows) -> bool:
        """Whether a print can be answered at once: no flood of bytes, nothing that goes on."""
        return len(rows.candidates) <= ROWS_PER_TURN and rows.bytes <= BYTES_PER_TURN and not rows.repeat_seconds

    def _refuse(self, sentence: Sentence, outcome: Outcome) -> None:
        if isinstance(outcome, Live) and outcome.stop is not None:
            outcome.stop()
        self._trap(sentence, Trap("failure: too many commands"))

    def _ended(self, sentence: Sentence, outcome: Rows | Live) -> None:
        self._running.pop(sentence, None)
        if isinstance(outcome, Live) and outcome.stop is not None:
            outcome.stop()

    def _print_now(self, sentence: Sentence, rows: Rows) -> None:
        found = [row for row in rows.candidates if rows.predicate is None or rows.predicate(row)]
        self._print_chunk(sentence, rows, found, 0)
        self._end_of_rows(sentence, rows, len(found))

    async def _print_long(self, sentence: Sentence, rows: Rows) -> None:
        while True:
            count = 0
            step = max(1, ROWS_PER_TURN * BYTES_PER_TURN // max(BYTES_PER_TURN, rows.bytes))
            for start in range(0, len(rows.candidates), step):
                chunk = rows.candidates[start : start + step]
                found = [row for row in chunk if rows.predicate is None or rows.predicate(row)]
                self._print_chunk(sentence, rows, found, count)
                count += len(found)
                self.line.flush()
                await asyncio.sleep(0)
                await self.line.can_write.wait()
                if self.line.is_closing:
                    return
            if not rows.repeat_seconds:
                break
            await asyncio.sleep(rows.repeat_seconds)
        self._end_of_rows(sentence, rows, count)
        self.line.flush()

    def _print_chunk(self, sentence: Sentence, rows: Rows, found: list[Row], printed: int) -> None:
        if rows.is_count or self.line.is_closing:
            return
        head, encode = _RE + _tag(sentence), rows.encode
        limit = self._core.truncated_rows(sentence)
        if limit is None and not self._core.faults.is_counting_replies():
            self.line.append(b"".join([head + encode(row) + b"\0" for row in found]))
            return
        for position, row in enumerate(found):
            if limit is not None and printed + position >= limit:
                self.close()
                return
            self.line.reply(head + encode(row) + b"\0")

    def _end_of_rows(self, sentence: Sentence, rows: Rows, count: int) -> None:
        if rows.is_count:
            self._done(sentence, str(count))
            return
        if not count and self._core.device.version >= _EMPTY_SINCE:
            self.line.reply(_EMPTY + _tag(sentence) + b"\0")
        self._done(sentence, None)

    async def _live(self, sentence: Sentence, outcome: Live) -> None:
        head = _RE + _tag(sentence)

        async def emit(pairs: Iterable[tuple[str, str]]) -> None:
            self.line.reply(head + encode_attributes(pairs) + b"\0")
            self.line.flush()
            await self.line.can_write.wait()

        try:
            await outcome.run(emit)
        except Trap as trap:
            self._trap(sentence, trap)
        else:
            self._done(sentence, None)
        self.line.flush()

    def _cancel(self, sentence: Sentence) -> None:
        wanted = sentence.attributes.get("tag")
        ended = [other for other in self._running if wanted is None or other.tag == wanted]
        for other in ended:
            self._running.pop(other).cancel()
        ended += self._cancel_held(wanted)
        for other in ended:
            self.line.reply(
                _TRAP + _tag(other) + encode_attributes([("category", "2"), ("message", "interrupted")]) + b"\0"
            )
        self._done(sentence, None)
        for other in ended:
            self._done(other, None)

    def _cancel_held(self, tag: str | None) -> list[Sentence]:
        faults = self._core.faults
        mine = [held for held in faults.held if held.session == self.session_id and tag in (None, held.sentence.tag)]
        faults.held = [held for held in faults.held if held not in mine]
        if self._held_write in [held.sentence for held in mine]:
            self._held_write = None
            self._run_waiting()
        return [held.sentence for held in mine]

    def _hold(self, sentence: Sentence, go_on: Callable[[], None]) -> None:
        """Hold a command; later writes of this connection queue behind a held write, as on a router."""
        if is_write(sentence.command):
            self._held_write = sentence

        def resume() -> None:
            go_on()
            if self._held_write is sentence:
                self._held_write = None
                self._run_waiting()
            self.line.flush()

        self._core.faults.held.append(Held(sentence, self.session_id, resume))

    def _run_waiting(self) -> None:
        while self._waiting_writes and self._held_write is None:
            sentence = self._waiting_writes.popleft()
            if self._core.faults.stall_for(sentence, "before"):
                self._hold(sentence, lambda sentence=sentence: self.run(sentence))  # type: ignore[misc]
            else:
                self.run(sentence)

    # -- login

    def _log_in(self, sentence: Sentence) -> None:
        core = self._core
        try:
            result = login(core.device, self._login, sentence, self.address, self.via)
        except Trap as trap:
            core.record(self.session_id, sentence.attributes.get("name", ""), sentence, trap.message)
            self._trap(sentence, trap)
            return
        if isinstance(result, Done):
            self._done(sentence, result.ret)
            return
        result.session_id = self.session_id
        self._caller = result
        self._reader.limit = AFTER_LOGIN_LIMIT
        core.record(self.session_id, result.name, sentence, "ok")
        self.active_row_id = open_session(core.device, result, self.via)
        self._done(sentence, None)

    # -- replies

    def _done(self, sentence: Sentence, ret: str | None) -> None:
        value = encode_text(f"=ret={ret}") if ret is not None else b""
        self.line.reply(_DONE + _tag(sentence) + value + b"\0")

    def _trap(self, sentence: Sentence, trap: Trap) -> None:
        pairs = [("message", trap.message)]
        if trap.category is not None and self._core.device.version >= (7, 0, 0):
            pairs.insert(0, ("category", str(trap.category)))
        self.line.reply(_TRAP + _tag(sentence) + encode_attributes(pairs) + b"\0")
        self._done(sentence, None)

    def _fatal(self, reason: str) -> None:
        self.line.reply(encode_text("!fatal") + encode_text(reason) + b"\0")
        self.close()

    def close(self) -> None:
        """Close after what was already answered has been sent."""
        self.line.close()

    def abort(self) -> None:
        """Cut the line."""
        self.line.abort()


def _tag(sentence: Sentence) -> bytes:
    return encode_text(f".tag={sentence.tag}") if sentence.tag is not None else b""

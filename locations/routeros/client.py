"""RouterOS API client: `routeros-api` with one send per sentence, buffered reads, deadlines and a size guard.

Stock routeros-api sends a packet per word without TCP_NODELAY (about 20 calls/s, measured) and puts the
whole command, password included, into its exceptions: they are converted here and never shown (routeros.md 3.3).
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import select
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from routeros_api import api_socket, base_api, exceptions
from routeros_api.api_communicator.base import ApiCommunicatorBase

from locations.routeros.addresses import dial
from locations.routeros.errors import (
    LoginRefused,
    NotRouterOs,
    RouterTimeout,
    RouterTrap,
    RouterUnreachable,
)
from locations.routeros.pace import Pace
from locations.routeros.tls import wrap

MAX_WORD_BYTES = 16 * 1024 * 1024
MAX_SENTENCE_BYTES = 32 * 1024 * 1024
MAX_REPLY_BYTES = 256 * 1024 * 1024  # received while one command is waited for; 500,000 users are about half of it
LOGIN_BYTES = 64 * 1024
WORD_COST = 32  # what a word takes beside its bytes
MAX_ROWS = 500_000
MAX_COUNT = 2**29  # the sum of three is still a number of rows that a column holds
READ_BYTES = 65536
_ID = re.compile(r"\*[0-9A-Fa-f]{1,15}")

Row = dict[str, str]


@dataclass(frozen=True)
class RouterTarget:
    """Where and how to log in. The password never appears in its repr."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls_mode: str = "none"
    fingerprint: str = ""


_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _Socket(api_socket.SocketWrapper):  # type: ignore[misc]
    """Reads 64 KiB at a time: the library asks for every length byte alone. Keeps the client's deadline.

    While it cannot send it reads: a router that takes nothing more before its answers are taken would otherwise wait
    for us as we wait for it, with both socket buffers full, however small the window is.
    """

    def __init__(self, raw: socket.socket, client: RouterClient):
        super().__init__(raw)
        raw.setblocking(False)
        self._client = client
        self._buffer = b""
        self._position = 0
        self._ahead: deque[bytes] = deque()  # received while sending
        self._ahead_bytes = 0
        self.has_heard = False  # at least one byte, whatever it means

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[self.socket.send(left) :]
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except _NOT_NOW:
                if not self._read_ahead():
                    self._wait(select.POLLIN | select.POLLOUT)

    def receive(self, size: int) -> bytes:
        if self._position >= len(self._buffer):
            while not self._ahead and not self._read_ahead():
                self._wait(select.POLLIN)
            self._buffer, self._position = self._ahead.popleft(), 0
            self._ahead_bytes -= len(self._buffer)
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def _read_ahead(self) -> bool:
        """Take what has arrived; False when nothing has."""
        try:
            data = self._receive_and_check_connection(READ_BYTES)
        except _NOT_NOW:
            return False
        self.has_heard = True
        self._ahead.append(data)
        self._ahead_bytes += len(data)
        if self._ahead_bytes > self._client.reply_limit:
            raise too_much(self._client.reply_limit)
        return True

    def _wait(self, events: int) -> None:
        """Raises TimeoutError when neither side moves in time."""
        poll = select.poll()
        poll.register(self.socket, events)
        if not poll.poll(self._client.seconds_left() * 1000):
            raise TimeoutError


class _Connection(base_api.Connection):  # type: ignore[misc]
    def __init__(self, wrapped: _Socket, client: RouterClient):
        super().__init__(wrapped)
        self._client = client
        self.received = 0  # since the waiting for a command began

    def send_sentence(self, words: list[bytes]) -> None:
        self.socket.send(b"".join(base_api.encode_length(len(word)) + word for word in words) + b"\0")

    def receive_sentence(self) -> list[bytes]:
        sentence: list[bytes] = []
        size = 0
        while word := self.receive_word():
            sentence.append(word)
            size += len(word) + WORD_COST
            if size > MAX_SENTENCE_BYTES:
                raise NotRouterOs("a sentence without end")
        self.received += size
        if self.received > self._client.reply_limit:
            raise too_much(self._client.reply_limit)
        if sentence and sentence[0] == b"!fatal":
            raise RouterUnreachable(text(b" ".join(sentence[1:])))
        return sentence

    def receive_word(self) -> bytes:
        length = base_api.decode_length(self.socket.receive)
        if length > MAX_WORD_BYTES:
            raise NotRouterOs("a word of more than 16 MiB")
        pieces: list[bytes] = []
        while length:
            pieces.append(self.socket.receive(length))
            length -= len(pieces[-1])
        return b"".join(pieces)


def too_much(limit: int) -> NotRouterOs:
    return NotRouterOs(f"an answer of more than {limit >> 10} KiB")


def text(value: bytes) -> str:
    """Router bytes as text: UTF-8, else latin-1 (WinBox stores the operator's code page). Never fails.

    Zero bytes are left out: no RouterOS value has any, and PostgreSQL keeps no text with one.
    """
    value = value.replace(b"\0", b"")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class RouterClient:
    """One connection, used by one thread. Any RouterUnreachable leaves it closed."""

    def __init__(self, target: RouterTarget, *, timeout: float, connect_timeout: float = 10.0):
        self.target = target
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.fingerprint = ""
        self.may_send: Callable[[], None] = lambda: None
        self.pace = Pace()
        self.reply_limit = MAX_REPLY_BYTES
        self.deadline: float | None = None  # on the monotonic clock, for everything sent until it is moved
        self._communicator: ApiCommunicatorBase | None = None
        self._connection: _Connection | None = None
        self._raw: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._raw is not None

    def is_quiet(self) -> bool:
        """Between commands: the line is open as far as we know, and nothing has come that nobody asked for."""
        if self._raw is None:
            return False
        poll = select.poll()
        poll.register(self._raw, select.POLLIN)
        return not poll.poll(0)

    def connect(self) -> None:
        """Connect, check the certificate, log in. Raises a RouterError; nothing stays open then."""
        try:
            self._open()
            with self.limited(LOGIN_BYTES):
                self._login()
        except Exception:
            self.close()
            raise

    def _open(self) -> None:
        self._raw = raw = dial(self.target.host, self.target.port, self.connect_timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        api_socket.set_keepalive(raw, after_idle_sec=10)
        self._raw, self.fingerprint = wrap(raw, self.target.tls_mode, self.target.host, self.target.fingerprint)
        self._connection = _Connection(_Socket(self._raw, self), self)
        self._communicator = ApiCommunicatorBase(self._connection)

    def seconds_left(self) -> float:
        """How long one read may take. Raises TimeoutError at the deadline: a router that drips bytes must not hold us."""
        if self.deadline is None:
            return self.timeout
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(self.timeout, left)

    @contextlib.contextmanager
    def limited(self, size: int) -> Iterator[None]:
        """An answer of more than `size` bytes is none inside: what comes so often must not cost a worker its memory."""
        before, self.reply_limit = self.reply_limit, min(size, MAX_REPLY_BYTES)
        try:
            yield
        finally:
            self.reply_limit = before

    def _login(self) -> None:
        name = self.target.username.encode()
        password = self.target.password.encode()
        try:
            done = self.receive(self.send("/login", {"name": name, "password": password})).done
            if "ret" in done:  # before 6.43: challenge and response (routeros.md 1.4)
                digest = hashlib.md5(b"\0" + password + bytes.fromhex(done["ret"]), usedforsecurity=False).hexdigest()
                self.receive(self.send("/login", {"name": name, "response": b"00" + digest.encode()}))
        except RouterTrap as trap:
            raise LoginRefused(trap.words) from None
        except RouterTimeout:
            if self._connection is not None and self._connection.socket.has_heard:
                raise NotRouterOs("an answer that is not RouterOS API") from None
            # a router with too much to do, or something else that waits: nothing proves either
            raise RouterUnreachable("connected, but no answer to the login") from None
        except ValueError:
            raise NotRouterOs("a challenge that is none") from None

    def close(self) -> None:
        raw, self._raw, self._communicator = self._raw, None, None
        if raw is None:
            return
        with contextlib.suppress(OSError):  # it may be broken already; there is nothing left to lose
            # reset instead of a polite end: sentences still in our buffer must never reach the router later
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            raw.close()

    # -- commands --------------------------------------------------------------------------------------------------

    def send(self, command: str, words: Mapping[str, str | bytes] | None = None, queries: Iterable[str] = ()) -> bytes:
        """Send one tagged command and return its tag; pair with `receive`.

        `command` is the path (`/ip/hotspot/user/add`); `queries` are query words without the leading `?`.
        `may_send` is asked first: a writer whose lease may be over must not send another byte.
        """
        self.may_send()
        arguments = {key.encode(): _bytes(value) for key, value in (words or {}).items()}
        path, _slash, verb = command.rpartition("/")
        tag: bytes = self._guarded(lambda communicator: _send(communicator, path, verb, arguments, queries))
        return tag

    def receive(self, tag: bytes) -> Reply:
        """Wait for the end of one command. Raises RouterTrap for its error, RouterUnreachable when the link broke."""

        def wait(communicator: ApiCommunicatorBase) -> Any:
            response = communicator.response_buffor[tag]
            if self._connection is not None:
                self._connection.received = 0
            try:
                while not response.done:
                    communicator.process_single_response()
                    if len(response) > MAX_ROWS:
                        raise NotRouterOs("more rows than any router holds")
            finally:
                communicator.response_buffor.pop(tag, None)
            return response

        def read(communicator: ApiCommunicatorBase) -> Reply:
            response = wait(communicator)
            if response.error is not None:
                raise RouterTrap(text(response.error))
            return Reply([_texts(row) for row in response], _texts(response.done_message))

        reply: Reply = self._guarded(read)
        return reply

    def call(self, command: str, words: Mapping[str, str | bytes] | None = None, queries: Iterable[str] = ()) -> Reply:
        """One command, waited for."""
        return self.receive(self.send(command, words, queries))

    def print(self, menu: str, proplist: Iterable[str] = (), queries: Iterable[str] = ()) -> list[Row]:
        """All rows of a menu that match; a list that breaks off raises, it is never returned short."""
        words = {".proplist": ",".join(proplist)} if proplist else {}
        return self.call(f"{menu}/print", words, queries).rows

    def count(self, menu: str, queries: Iterable[str] = ()) -> int:
        """How many rows match, counted by the router (cheap)."""
        done = self.call(f"{menu}/print", {"count-only": ""}, queries).done
        try:
            found = int(done.get("ret", ""))
        except ValueError:
            found = -1
        if not 0 <= found <= MAX_COUNT:
            raise NotRouterOs("count without a number")
        return found

    def _guarded(self, work: Callable[[ApiCommunicatorBase], Any]) -> Any:
        """Run against the open connection; any broken link closes it, and no library text with secrets escapes."""
        if self._communicator is None:
            raise RouterUnreachable("not connected")
        try:
            return work(self._communicator)
        except RouterUnreachable:
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise RouterTimeout("no answer in time") from None
        except exceptions.RouterOsApiConnectionClosedError:
            self.close()
            raise RouterUnreachable("the router closed the connection") from None
        except OSError as error:
            self.close()
            raise RouterUnreachable(error.strerror or type(error).__name__) from None
        except (exceptions.RouterOsApiError, KeyError, TypeError, ValueError, AssertionError):
            self.close()
            raise NotRouterOs("an answer that is not RouterOS API") from None


@dataclass(frozen=True)
class Reply:
    rows: list[Row]
    done: Row

    @property
    def made_id(self) -> str:
        """The `.id` of what was added; empty when the answer names none: it is looked for by name then."""
        made = self.done.get("ret", "")
        return made if _ID.fullmatch(made) else ""


class _Query:
    """Query words in the given order: the library keeps queries in a set, which would shuffle them."""

    def __init__(self, words: Iterable[str]):
        self.words = list(words)

    def get_api_format(self) -> list[bytes]:
        return [b"?" + word.encode() for word in self.words]


def _send(
    communicator: ApiCommunicatorBase, path: str, verb: str, arguments: dict[bytes, bytes], queries: Iterable[str]
) -> bytes:
    tag: bytes = communicator.send(path.encode() + b"/", verb.encode(), arguments, additional_queries=[_Query(queries)])
    return tag


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


class _Row(Row):
    """A router's row. Who relies on a word that is not there is not talking to RouterOS: a RouterError, no crash."""

    def __missing__(self, key: str) -> str:
        raise NotRouterOs(f"an answer that is not RouterOS API: a row without {key}")


def _texts(row: Mapping[bytes, bytes]) -> Row:
    """Raises NotRouterOs for an `.id` that is none: it would be sent back, and must fit its column."""
    texts = _Row({text(key): text(value) for key, value in row.items()})
    if ".id" in texts and not _ID.fullmatch(texts[".id"]):
        raise NotRouterOs("an answer that is not RouterOS API: an id that is none")
    return texts

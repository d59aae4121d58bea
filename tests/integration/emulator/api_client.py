"""A bare client over a plain socket: words in, words out, nothing clever."""

from __future__ import annotations

import socket
import ssl
from types import TracebackType

from locations.emulator import EmulatedRouter
from locations.emulator.wire import SentenceReader, encode_sentence

PASSWORD = "correct horse"
Sentence = list[str]


class ApiClient:
    """Sends sentences of latin-1 words and reads whole replies. A silent server fails the test after 10 s."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(self.socket)
        self._reader = SentenceReader(1 << 30)

    @classmethod
    def logged_in(cls, router: EmulatedRouter) -> ApiClient:
        client = cls(router.port)
        assert client.talk("/login", f"=name={router.user}", f"=password={router.password}") == [["!done"]]
        return client

    def send(self, *words: str) -> None:
        self.socket.sendall(encode_sentence([word.encode("latin-1") for word in words]))

    def read(self) -> Sentence | None:
        """One sentence, or None when the server closed the connection."""
        while True:
            words = self._reader.next_sentence()
            if words is not None:
                return [word.decode("latin-1") for word in words]
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self._reader.feed(data)

    def read_until_done(self) -> list[Sentence]:
        """Sentences up to and including the next ``!done`` (or the end of the connection)."""
        found: list[Sentence] = []
        while (sentence := self.read()) is not None:
            found.append(sentence)
            if sentence[0] in ("!done", "!fatal"):
                break
        return found

    def talk(self, *words: str) -> list[Sentence]:
        self.send(*words)
        return self.read_until_done()

    def rows(self, *words: str) -> list[dict[str, str]]:
        """Rows of a print as dictionaries."""
        replies = self.talk(*words)
        assert replies[-1][0] == "!done", replies
        return [as_row(reply) for reply in replies if reply[0] == "!re"]

    def trap(self, *words: str) -> str:
        """The message of the trap this command must end with."""
        replies = self.talk(*words)
        assert [reply[0] for reply in replies] == ["!trap", "!done"], replies
        return as_row(replies[0])["message"]

    def add(self, *words: str) -> str:
        """The new id."""
        replies = self.talk(*words)
        assert [reply[0] for reply in replies] == ["!done"], replies
        return as_row(replies[0])["ret"]

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def as_row(sentence: Sentence) -> dict[str, str]:
    """Attribute words as a dictionary."""
    pairs = [word[1:].partition("=") for word in sentence[1:] if word.startswith("=")]
    return {name: value for name, _, value in pairs}

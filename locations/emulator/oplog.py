"""What was asked of the device: a ring of the last commands and counters, so that "nothing was written"
can be proven."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Any

from .sentence import Sentence
from .wire import text_out

RING_SIZE = 100_000
_READERS = frozenset({"print", "getall", "find", "get", "listen", "monitor-traffic", "login", "cancel", "quit", "ping"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One executed command. ``at`` is device time in seconds; ``result`` is ``ok`` or the router's
    refusal."""

    at: float
    session: int
    user: str
    command: str
    words: dict[str, str]
    queries: tuple[str, ...]
    result: str

    def as_dict(self) -> dict[str, Any]:
        """For the control API and tests."""
        return {
            "at": self.at,
            "session": self.session,
            "user": text_out(self.user),
            "command": text_out(self.command),
            "words": {text_out(name): text_out(value) for name, value in self.words.items()},
            "queries": [text_out(query) for query in self.queries],
            "result": text_out(self.result),
        }


def is_write(command: str) -> bool:
    """Whether the command can change configuration or end a session."""
    path, _, verb = command.strip("/").rpartition("/")
    return bool(path) and (verb not in _READERS or (verb == "login" and path == "ip/hotspot/active"))


class OperationLog:
    """Ring and counters."""

    def __init__(self) -> None:
        self._ring: collections.deque[Operation] = collections.deque(maxlen=RING_SIZE)
        self.counts: collections.Counter[str] = collections.Counter()
        self.refused: collections.Counter[str] = collections.Counter()

    def record(self, at: float, session: int, user: str, sentence: Sentence, result: str) -> None:
        """Remember one executed command."""
        command = "/" + sentence.command.strip("/")
        self.counts[command] += 1
        if result != "ok":
            self.refused[command] += 1
        words = sentence.logged_words()
        self._ring.append(Operation(at, session, user, command, words, tuple(sentence.queries), result))

    def entries(self, prefix: str = "", last: int | None = None) -> list[dict[str, Any]]:
        """Operations whose command starts with ``prefix``, oldest first; ``last`` keeps only the newest."""
        found = [operation.as_dict() for operation in self._ring if operation.command.startswith(prefix)]
        return found if last is None else found[-last:]

    def write_count(self) -> int:
        """Commands that changed something and were accepted."""
        return sum(count - self.refused[command] for command, count in self.counts.items() if is_write(command))

    def clear(self) -> None:
        """Forget everything."""
        self._ring.clear()
        self.counts.clear()
        self.refused.clear()

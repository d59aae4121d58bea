"""One command as a client sent it, and what a command gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from .table import Row
from .wire import encode_text

ALL_POLICIES = frozenset(
    {
        "local",
        "telnet",
        "ssh",
        "ftp",
        "reboot",
        "read",
        "write",
        "policy",
        "test",
        "winbox",
        "password",
        "web",
        "sniff",
        "sensitive",
        "api",
        "romon",
        "rest-api",
    }
)
SECRET_WORDS = frozenset(
    {
        "password",
        "response",
        "secret",
        "shared-secret",
        "mac-auth-password",
        "otp-secret",
        "totp-secret",
        "new-password",
    }
)
_LONG_WORDS = frozenset({"contents", "source", "on-login", "on-event"})


@dataclass(slots=True)
class Caller:
    """Who runs the command."""

    name: str
    group: str
    policies: frozenset[str]
    address: str = "127.0.0.1"
    session_id: int = 0


LOCAL = Caller("admin", "full", ALL_POLICIES, address="")
"""Somebody at the console of the router itself."""


@dataclass(slots=True, eq=False)
class Sentence:
    """Command word, attributes in order, unset attributes, query words, tag. Equal only to itself."""

    command: str
    attributes: dict[str, str]
    unset: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    tag: str | None = None

    @property
    def path(self) -> str:
        """Menu path without slashes at the ends."""
        return self.command.strip("/").rpartition("/")[0]

    @property
    def verb(self) -> str:
        """Last part of the command word."""
        return self.command.strip("/").rpartition("/")[2]

    def logged_words(self) -> dict[str, str]:
        """Attributes for the operation log: no secrets, long texts by their length."""
        words = {}
        for name, value in self.attributes.items():
            if name in SECRET_WORDS:
                words[name] = "*"
            elif name in _LONG_WORDS:
                words[name] = f"<{len(value)} bytes>"
            else:
                words[name] = value
        for name in self.unset:
            words[f"!{name}"] = ""
        return words


def parse_sentence(words: list[bytes]) -> Sentence:
    """Words as received. A word of an unknown shape is kept as an attribute nobody knows."""
    text = [word.decode("latin-1") for word in words]
    sentence = Sentence(text[0], {})
    for word in text[1:]:
        first = word[:1]
        if first == "=":
            name, _, value = word[1:].partition("=")
            if name[:1] == "!" and len(name) > 1:
                sentence.unset.append(name[1:])
            else:
                sentence.attributes[name] = value
        elif first == "?":
            sentence.queries.append(word)
        elif word.startswith(".tag="):
            sentence.tag = word[5:]
        elif first == ".":
            name, _, value = word.partition("=")
            sentence.attributes[name] = value
        else:
            sentence.attributes[word] = ""
    return sentence


@dataclass(slots=True)
class Done:
    """The command is finished; ``ret`` is the value of ``=ret=``."""

    ret: str | None = None


@dataclass(slots=True)
class Rows:
    """Rows to print: candidates, the predicate still to be applied, the encoder of one row; about how many bytes
    ``ROWS_PER_TURN`` of them are."""

    candidates: list[Row]
    predicate: Callable[[Row], bool] | None
    encode: Callable[[Row], bytes]
    is_count: bool = False
    repeat_seconds: float = 0.0
    bytes: int = 0


Emit = Callable[[Iterable[tuple[str, str]]], Awaitable[None]]


@dataclass(slots=True)
class Live:
    """A command that goes on: ``run`` sends rows through ``emit`` until it returns or is cancelled; then ``stop``."""

    run: Callable[[Emit], Awaitable[None]]
    stop: Callable[[], None] | None = None


Outcome = Done | Rows | Live


def encode_attributes(pairs: Iterable[tuple[str, str]]) -> bytes:
    """``=name=value`` words of one reply."""
    return b"".join([encode_text(f"={name}={value}") for name, value in pairs])

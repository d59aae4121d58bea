"""Faults that can be switched on and off while the device runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .sentence import Sentence
from .wire import text_in

NAMES = (
    "down",
    "silent",
    "delay",
    "drop_after",
    "half_sentence",
    "duplicate",
    "truncate",
    "stall",
    "session_cap",
    "slow_reader",
    "busy",
)


@dataclass(slots=True)
class Held:
    """One command that is being held; calling ``resume`` lets it go on."""

    sentence: Sentence
    session: int
    resume: Callable[[], None]


@dataclass(slots=True)
class Stall:
    """Commands matching ``pattern`` (and containing ``contains`` in a value) wait until released.

    ``when``: ``before`` holds the command itself, ``after`` executes it and holds the answer.
    ``count``: how many commands to hold; None holds all of them.
    """

    pattern: re.Pattern[str]
    contains: str
    when: str
    count: int | None

    def takes(self, sentence: Sentence) -> bool:
        """Whether this command is to be held; counts it."""
        if self.count == 0 or not self.pattern.search("/" + sentence.command.strip("/")):
            return False
        if self.contains and not any(self.contains in value for value in sentence.attributes.values()):
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass(slots=True)
class Faults:
    """What is wrong with the device right now."""

    down: bool = False
    silent: bool = False
    delay_seconds: float = 0.0
    drop_after: int | None = None
    drop_executes: bool = True
    half_after: int | None = None
    duplicate_after: int = 0
    duplicates: int = 0
    truncate_rows: int | None = None
    truncate_pattern: re.Pattern[str] | None = None
    session_cap: int | None = None
    slow_bytes_per_second: float | None = None
    busy_seconds: float = 0.0
    stalls: list[Stall] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def set(self, name: str, options: dict[str, Any]) -> None:
        """Switch a fault on. Raises ValueError for an unknown name or option."""
        setter = _SETTERS.get(name)
        if setter is None:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(NAMES)}")
        setter(self, dict(options))

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all; held commands go on."""
        if name is not None and name not in NAMES:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(NAMES)}")
        fresh = Faults()
        for attribute in _ATTRIBUTES[name] if name else [a for names in _ATTRIBUTES.values() for a in names]:
            setattr(self, attribute, getattr(fresh, attribute))
        if name in (None, "stall"):
            self.release()

    def release(self) -> int:
        """Let every held command go on; returns how many there were."""
        waiting, self.held = self.held, []
        for command in waiting:
            command.resume()
        return len(waiting)

    def stall_for(self, sentence: Sentence, when: str) -> bool:
        """Whether the command is to be held at this point."""
        return any(stall.when == when and stall.takes(sentence) for stall in self.stalls)

    def is_counting_replies(self) -> bool:
        """Every reply sentence has to be looked at alone."""
        return self.half_after is not None or self.duplicates > 0

    def is_doubled(self) -> bool:
        """Whether the reply that is sent now is sent twice; counts it."""
        if not self.duplicates:
            return False
        if self.duplicate_after > 0:
            self.duplicate_after -= 1
            return False
        self.duplicates -= 1
        return True

    def active(self) -> list[str]:
        """Names of the faults that are on."""
        fresh = Faults()
        return [
            name
            for name, attributes in _ATTRIBUTES.items()
            if any(getattr(self, attribute) != getattr(fresh, attribute) for attribute in attributes)
        ]


_ATTRIBUTES = {
    "down": ("down",),
    "silent": ("silent",),
    "delay": ("delay_seconds",),
    "drop_after": ("drop_after", "drop_executes"),
    "half_sentence": ("half_after",),
    "duplicate": ("duplicate_after", "duplicates"),
    "truncate": ("truncate_rows", "truncate_pattern"),
    "session_cap": ("session_cap",),
    "slow_reader": ("slow_bytes_per_second",),
    "busy": ("busy_seconds",),
    "stall": ("stalls",),
}


def _only(options: dict[str, Any], *known: str) -> None:
    unknown = set(options) - set(known)
    if unknown:
        raise ValueError(f"unknown option {sorted(unknown)[0]!r}; known: {', '.join(known) or 'none'}")


def _down(faults: Faults, options: dict[str, Any]) -> None:
    _only(options)
    faults.down = True


def _silent(faults: Faults, options: dict[str, Any]) -> None:
    _only(options)
    faults.silent = True


def _delay(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "ms")
    faults.delay_seconds = float(options["ms"]) / 1000


def _drop_after(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "sentences", "execute_last")
    faults.drop_after = int(options["sentences"])
    faults.drop_executes = bool(options.get("execute_last", True))


def _half_sentence(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "after")
    faults.half_after = int(options.get("after", 0))


def _duplicate(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "count", "after")
    faults.duplicates = int(options.get("count", 1))
    faults.duplicate_after = int(options.get("after", 0))


def _truncate(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "rows", "pattern")
    faults.truncate_rows = int(options["rows"])
    faults.truncate_pattern = re.compile(str(options.get("pattern", "")))


def _session_cap(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "sessions")
    faults.session_cap = int(options["sessions"])


def _slow_reader(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "bytes_per_second")
    faults.slow_bytes_per_second = float(options["bytes_per_second"])
    if faults.slow_bytes_per_second <= 0:
        raise ValueError("bytes_per_second must be more than 0")


def _busy(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "ms")
    faults.busy_seconds = float(options["ms"]) / 1000


def _stall(faults: Faults, options: dict[str, Any]) -> None:
    _only(options, "pattern", "contains", "when", "count")
    when = str(options.get("when", "before"))
    if when not in ("before", "after"):
        raise ValueError("when is 'before' or 'after'")
    count = options.get("count")
    pattern = re.compile(str(options.get("pattern", "")))
    contains = text_in(str(options.get("contains", "")))
    faults.stalls.append(Stall(pattern, contains, when, None if count is None else int(count)))


_SETTERS: dict[str, Callable[[Faults, dict[str, Any]], None]] = {
    "down": _down,
    "silent": _silent,
    "delay": _delay,
    "drop_after": _drop_after,
    "half_sentence": _half_sentence,
    "duplicate": _duplicate,
    "truncate": _truncate,
    "session_cap": _session_cap,
    "slow_reader": _slow_reader,
    "busy": _busy,
    "stall": _stall,
}

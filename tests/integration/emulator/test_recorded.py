"""What clients in other languages say and expect, kept as data: see transcripts/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from locations.emulator import EmulatedRouter

from .api_client import PASSWORD, ApiClient

FOLDER = Path(__file__).parent / "transcripts"


@dataclass
class Talk:
    """One router of a file and what is said to it: ``>`` sentences, ``<`` sentences, and lines of other kinds."""

    title: str
    version: str
    model: str
    does_log_in: bool = True
    steps: list[tuple[str, list[str]]] = field(default_factory=list)


def talks() -> Iterator[Talk]:
    for path in sorted(FOLDER.glob("*.txt")):
        talk: Talk | None = None
        for line in [*path.read_text().splitlines(), ""]:
            kind, _space, word = line.partition(" ")
            if kind == "@":
                if talk is not None:
                    yield talk
                version, _space, model = word.partition(" ")
                talk = Talk(f"{path.stem} {version}", version, model or "hAP ax^2")
                talk.steps.append(("", []))
            elif talk is None or kind == "#":
                continue
            elif line == "login no":
                talk.does_log_in = False
            elif not line:
                talk.steps.append(("", []))
            elif kind == talk.steps[-1][0]:
                talk.steps[-1][1].append(word)
            else:
                talk.steps.append((kind, [word]))
        if talk is not None:
            yield talk


class Player:
    """Plays a talk; ``known`` are the parts that were not known before."""

    def __init__(self, router: EmulatedRouter, client: ApiClient):
        self.router, self.client = router, client
        self.known = {"password": PASSWORD}
        self.waiting: list[str] | None = None

    def play(self, kind: str, words: list[str]) -> None:
        if kind == ">":
            self.client.send(*(self._filled(word) for word in words))
        elif kind == "<":
            self._expect(words)
        elif kind == "closed":
            assert self.client.read() is None
        elif kind == "console":
            command, *pairs = words[0].split(" ")
            self.router.command(command, dict(pair.split("=", 1) for pair in pairs))

    def _expect(self, words: list[str]) -> None:
        if words == ["!re *"]:
            heard = self._read()
            while heard[0] == "!re":
                heard = self._read()
            self.waiting = heard
            return
        heard = self._read()
        is_open = words[-1] == "..."
        wanted = words[:-1] if is_open else words
        assert len(heard) >= len(wanted) if is_open else len(heard) == len(wanted), (wanted, heard)
        for pattern, word in zip(wanted, heard, strict=False):
            found = re.fullmatch(self._pattern(pattern), word, re.DOTALL)
            assert found is not None, (pattern, heard)
            self.known |= found.groupdict()

    def _read(self) -> list[str]:
        heard, self.waiting = self.waiting or self.client.read(), None
        assert heard is not None, "the router closed the connection"
        return heard

    def _filled(self, word: str) -> str:
        word = re.sub(r"\{(\w+)\}", lambda part: self.known[part[1]], word)
        return re.sub(r"\\x([0-9a-f]{2})", lambda part: chr(int(part[1], 16)), word)

    def _pattern(self, word: str) -> str:
        """A known part as it is, an unknown one as anything."""
        parts = re.split(r"(\{\w+\}|\\x[0-9a-f]{2})", word)
        return "".join(self._piece(part) for part in parts)

    def _piece(self, part: str) -> str:
        if part.startswith("{"):
            name = part[1:-1]
            return re.escape(self.known[name]) if name in self.known else f"(?P<{name}>.*)"
        return re.escape(self._filled(part))


@pytest.mark.parametrize("talk", list(talks()), ids=lambda talk: talk.title)
def test_a_recorded_talk(talk: Talk) -> None:
    with (
        EmulatedRouter(talk.version, talk.model, user="admin", password=PASSWORD, group="full") as router,
        ApiClient(router.port) as client,
    ):
        if talk.does_log_in:
            client.talk("/login", "=name=admin", f"=password={PASSWORD}")
        player = Player(router, client)
        for kind, words in talk.steps:
            player.play(kind, words)


def test_every_file_names_its_source_and_says_something() -> None:
    files = sorted(FOLDER.glob("*.txt"))
    assert len(files) >= 6
    assert [path.name for path in files if not path.read_text().startswith("# ")] == []
    assert {talk.title.split(" ")[0] for talk in talks()} == {path.stem for path in files}
    assert [talk.title for talk in talks() if len([kind for kind, _words in talk.steps if kind == "<"]) < 1] == []

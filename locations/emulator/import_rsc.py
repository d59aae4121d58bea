"""``/import`` of simple ``/path add k=v`` lines, and running a script of such lines."""

from __future__ import annotations

import re

from .commands import execute, require_policies
from .device import Device
from .errors import Trap, missing_value
from .sentence import Caller, Done, Outcome, Sentence
from .table import Table

_ON_ERROR = re.compile(r":do\s*\{(?P<body>.*)\}\s*on-error\s*=\s*\{(?P<otherwise>.*)\}\s*", re.DOTALL)
_VERBS = frozenset({"add", "set", "remove", "enable", "disable", "comment", "unset", "move"})
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "?": "?", "_": " "}


class _Syntax(Exception):
    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


def import_command(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Run a file. A syntax error applies nothing; a runtime error stops there, earlier lines stay applied."""
    require_policies(caller, "write", "ftp")
    name = sentence.attributes.get("file-name")
    if not name:
        raise missing_value("file-name")
    row = device.tables["file"].named(name)
    if row is None:
        raise Trap("cannot open import file")
    dry = "dry-run" in sentence.attributes
    run(device, caller, row.values.get("contents", ""), dry_run=dry)
    return Done()


def run(device: Device, caller: Caller, text: str, *, dry_run: bool = False) -> None:
    """Run the lines of a script. Raises Trap with the line number."""
    commands: list[tuple[int, Sentence, bool]] = []
    path = ""
    for number, line in enumerate(_logical_lines(text), start=1):
        try:
            path, parsed = _parse_line(line, path)
        except _Syntax as error:
            raise Trap(f"expected name value (line {number} column {error.column})", 3) from None
        if parsed is not None:
            commands.append((number, *parsed))
    if dry_run:
        return
    for number, sentence, ignores_errors in commands:
        try:
            execute(device, caller, sentence)
        except Trap as trap:
            if ignores_errors:
                continue
            where = f"{'/' + sentence.path}/{sentence.verb}"
            raise Trap(f"{trap.message} ({where}; line {number})", 3) from None


def _logical_lines(text: str) -> list[str]:
    """Physical lines, with continuation lines joined to where they start."""
    lines = text.replace("\r\n", "\n").split("\n")
    joined: list[str] = []
    position = 0
    while position < len(lines):
        line, taken = lines[position], 1
        while line.endswith("\\") and position + taken < len(lines):
            line = line[:-1] + lines[position + taken].lstrip()
            taken += 1
        joined.append(line)
        joined.extend([""] * (taken - 1))
        position += taken
    return joined


def _parse_line(line: str, path: str) -> tuple[str, tuple[Sentence, bool] | None]:
    """The menu that is current afterwards, and the command of the line with whether its errors are
    ignored."""
    text = line.strip()
    if not text or text.startswith("#"):
        return path, None
    ignores = False
    guarded = _ON_ERROR.fullmatch(text)
    if guarded is not None:
        text, ignores = guarded["body"].strip(), True
    words = _words(text, len(line) - len(line.lstrip()) + 1)
    parts: list[str] = []
    position = 0
    while position < len(words):
        word, is_quoted, _ = words[position]
        if "=" in word or is_quoted or (parts and parts[-1] in _VERBS):
            break
        parts += [part for part in word.split("/") if part]
        position += 1
    if text.startswith("/"):
        base: list[str] = []
    else:
        base = [part for part in path.split("/") if part]
    if not parts or parts[-1] not in _VERBS:
        if position < len(words):
            raise _Syntax(words[position][2])
        return "/".join(base + parts), None
    sentence = Sentence("/" + "/".join(base + parts), {})
    for word, is_quoted, column in words[position:]:
        name, separator, value = word.partition("=")
        if not separator:
            if is_quoted or "numbers" in sentence.attributes:
                raise _Syntax(column)
            name, value = "numbers", word
        sentence.attributes[name] = value
    return path, (sentence, ignores)


def _words(text: str, first_column: int) -> list[tuple[str, bool, int]]:
    """Words with quotes and escapes resolved: text, whether it starts quoted, column."""
    words: list[tuple[str, bool, int]] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        start, pieces, is_quoted = position, [], text[position] == '"'
        while position < len(text) and not text[position].isspace():
            if text[position] == '"':
                piece, position = _quoted(text, position, first_column)
                pieces.append(piece)
            else:
                pieces.append(text[position])
                position += 1
        words.append(("".join(pieces), is_quoted, first_column + start))
    return words


def _quoted(text: str, position: int, first_column: int) -> tuple[str, int]:
    pieces: list[str] = []
    start = position
    position += 1
    while position < len(text):
        symbol = text[position]
        if symbol == '"':
            return "".join(pieces), position + 1
        if symbol == "\\":
            following = text[position + 1 : position + 2]
            if following in _ESCAPES:
                pieces.append(_ESCAPES[following])
                position += 2
                continue
            number = text[position + 1 : position + 3]
            if re.fullmatch(r"[0-9A-F]{2}", number) is None:
                raise _Syntax(first_column + position)
            pieces.append(chr(int(number, 16)))
            position += 3
            continue
        if symbol == "$":
            raise _Syntax(first_column + position)
        pieces.append(symbol)
        position += 1
    raise _Syntax(first_column + start)

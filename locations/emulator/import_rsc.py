"""``/import`` of ``/path add k=v`` lines and exports, and running a script of such lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .commands import execute, require_policies
from .device import Device
from .errors import Trap, missing_value, unknown_parameter
from .files import contents_of
from .query import Query
from .sentence import Caller, Done, Outcome, Sentence
from .table import Row, Table

_ON_ERROR = re.compile(r":do\s*\{(?P<body>.*)\}\s*on-error\s*=\s*\{(?P<otherwise>.*)\}\s*", re.DOTALL)
_PICK = re.compile(r"\[:pick (?P<find>\[find .*\]) 0\]", re.DOTALL)
_VERBS = frozenset(
    {
        "add",
        "set",
        "remove",
        "enable",
        "disable",
        "comment",
        "unset",
        "move",
        "run",
        "reset-counters",
        "reset-counters-all",
        "save",
        "load",
        "reboot",
        "sign",
    }
)
_LOG_VERBS = frozenset({"info", "warning", "error", "debug"})
_SILENT = (":delay ", ":put ", ":environment ")
_ALWAYS = frozenset({".id", "numbers", "number", "copy-from", "place-before", "destination", "value-name", "comment"})
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "?": "?", "_": " "}
_MOST_NESTED = 10
_MOST_LINES = 20_000
"""Lines of one run, scripts called from it included; a router would be busy for hours (invented)."""
_LONGEST_GUARDED = 20_000


class _Syntax(Exception):
    def __init__(self, column: int, text: str = "expected name value") -> None:
        super().__init__(column)
        self.column = column
        self.text = text


class _TooLong(Trap):
    """Also ``on-error`` does not go on after this."""

    def __init__(self) -> None:
        super().__init__("failure: script is too long", 3)


@dataclass(slots=True)
class _Command:
    """One command of a script. ``wanted``: the conditions of ``[ find ... ]`` that names its items."""

    line: int
    sentence: Sentence
    ignores_errors: bool
    wanted: dict[str, str] | None
    otherwise: _Command | None = None


def import_command(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Run a file. A syntax error applies nothing; a runtime error stops there, earlier lines stay applied."""
    require_policies(caller, "write", "ftp")
    words = sentence.attributes
    name = words.get("file-name")
    if not name:
        raise missing_value("file-name")
    contents = contents_of(device, name)
    if contents is None:
        raise Trap("cannot open import file")
    dry = "dry-run" in words
    if dry and device.version < _DRY_RUN_SINCE:
        raise unknown_parameter("dry-run")
    if dry and "verbose" not in words:
        raise Trap("dry-run requires verbose", 1)
    run(device, caller, contents, dry_run=dry)
    return Done()


_DRY_RUN_SINCE = (7, 16, 0)


def execute_command(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """``/execute script=...``: run it now; the answer is a job's id, or with ``as-string`` its (empty) output."""
    require_policies(caller, "write", "test")
    script = sentence.attributes.get("script")
    if script is None:
        raise missing_value("script")
    named = device.tables["system/script"].named(script)
    run(device, caller, script if named is None else named.values.get("source", ""))
    return Done("" if "as-string" in sentence.attributes else "*1")


def run(device: Device, caller: Caller, text: str, *, dry_run: bool = False) -> None:
    """Run the lines of a script. Raises Trap with the line number."""
    if not device.script_depth:
        device.script_lines = 0
    lines = _logical_lines(text)
    device.script_lines += len(lines)
    if device.script_lines > _MOST_LINES:
        raise _TooLong
    commands: list[_Command] = []
    path = ""
    for number, line in enumerate(lines, start=1):
        try:
            path, command = _parse_line(device, line, path, number)
        except _Syntax as error:
            raise Trap(f"{error.text} (line {number} column {error.column})", 3) from None
        if command is not None:
            commands.append(command)
    if dry_run:
        return
    if device.script_depth >= _MOST_NESTED:
        raise Trap("failure: too many nested scripts", 3)
    device.script_depth += 1
    try:
        for command in commands:
            _run_one(device, caller, command)
    finally:
        device.script_depth -= 1


def _run_one(device: Device, caller: Caller, command: _Command) -> None:
    sentence = command.sentence
    try:
        if command.wanted is not None:
            table = device.read(sentence.path)
            found = [row for row in table.rows.values() if _is_wanted(table, row, command.wanted)]
            if not found:
                return
            sentence.attributes["numbers"] = ",".join(row.id for row in found)
        for name, value in sentence.attributes.items():
            picked = _PICK.fullmatch(value)
            if picked is not None:
                sentence.attributes[name] = _first_found(device, sentence, name, picked["find"])
        execute(device, caller, sentence)
    except Trap as trap:
        if command.ignores_errors and not isinstance(trap, _TooLong):
            if command.otherwise is not None:
                _run_one(device, caller, command.otherwise)
            return
        if isinstance(trap, _TooLong):
            raise
        raise Trap(f"{trap.message} (/{sentence.path}/{sentence.verb}; line {command.line})", 3) from None


def _first_found(device: Device, sentence: Sentence, name: str, find: str) -> str:
    """The id that ``[:pick [find ...] 0]`` means. Raises Trap when nothing is found."""
    table = device.read(sentence.path)
    try:
        wanted = _conditions(find, 1)
    except _Syntax:
        raise Trap("syntax error", 3) from None
    found = next((row for row in table.rows.values() if _is_wanted(table, row, wanted)), None)
    if found is None:
        raise Trap(f"invalid value for argument {name}", 1)
    return found.id


def _is_wanted(table: Table, row: Row, wanted: dict[str, str]) -> bool:
    return all(Query([f"?{name}={value}"], table.menu).accepts(row) for name, value in wanted.items())


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


def _parse_line(device: Device, line: str, path: str, number: int) -> tuple[str, _Command | None]:
    """The menu that is current afterwards, and the command of the line."""
    text = line.strip()
    if not text or text.startswith(("#", *_SILENT)):
        return path, None
    ignores = False
    otherwise: _Command | None = None
    guarded = _ON_ERROR.fullmatch(text) if len(text) < _LONGEST_GUARDED else None
    if guarded is not None:
        text, ignores = guarded["body"].strip(), True
        otherwise = _parse_line(device, guarded["otherwise"], path, number)[1]
    text = text.removeprefix(":") if text.startswith(":log ") else text
    words = _words(text, len(line) - len(line.lstrip()) + 1)
    parts, used = _command_words(words)
    base = [] if text.startswith("/") or parts[:1] == ["log"] else [part for part in path.split("/") if part]
    if parts and parts[-1] in _LOG_VERBS and (base + parts)[:-1] == ["log"]:
        message = words[used][0].removeprefix("message=") if used < len(words) else ""
        return path, _Command(number, Sentence(f"/log/{parts[-1]}", {"message": message}), ignores, None)
    if not parts or parts[-1] not in _VERBS:
        if used < len(words):
            raise _Syntax(words[used][2])
        menu = "/".join(base + parts)
        _check_path(device, menu, words)
        return menu, None
    sentence = Sentence("/" + "/".join(base + parts), {})
    _check_path(device, sentence.path, words)
    return path, _Command(number, sentence, ignores, _read_values(device, sentence, words[used:]), otherwise)


def _command_words(words: list[tuple[str, bool, int]]) -> tuple[list[str], int]:
    """The parts of path and verb, and how many words they took."""
    parts: list[str] = []
    for position, (word, is_quoted, _) in enumerate(words):
        if "=" in word or is_quoted or word.startswith("[") or (parts and parts[-1] in (_VERBS | _LOG_VERBS)):
            return parts, position
        parts += [part for part in word.split("/") if part]
    return parts, len(words)


def _check_path(device: Device, path: str, words: list[tuple[str, bool, int]]) -> None:
    """Raises _Syntax for a menu that this router does not have."""
    missing = device.missing_path(path) if path else None
    if missing:
        column = next((column for word, _, column in words if missing in word.split("/")), 1)
        raise _Syntax(column + 1, f"bad command name {missing}")


def _read_values(device: Device, sentence: Sentence, words: list[tuple[str, bool, int]]) -> dict[str, str] | None:
    """Fill the sentence with the words of a command line; returns what a ``[ find ]`` looks for."""
    table = device.tables.get(sentence.path)
    known = table.menu.by_name if table is not None else {}
    wanted: dict[str, str] | None = None
    for word, is_quoted, column in words:
        name, separator, value = word.partition("=")
        if word.startswith("[") and not is_quoted:
            wanted = _conditions(word, column)
        elif not separator and name.startswith("!") and name[1:] in known:
            sentence.unset.append(name[1:])
        elif not separator:
            if is_quoted or "numbers" in sentence.attributes or (table is not None and table.menu.is_single):
                raise _Syntax(column)
            sentence.attributes["numbers"] = word
        elif known and name not in known and name not in _ALWAYS:
            raise _Syntax(column, "expected end of command")
        else:
            sentence.attributes[name] = value
    return wanted


def _conditions(word: str, column: int) -> dict[str, str]:
    """What ``[ find a=b c=d ]`` or ``[find where a=b]`` asks for; other expressions are not understood."""
    inner = _words(word[1:-1], column + 1)
    if not inner or inner[0][0] != "find":
        raise _Syntax(column)
    rest = [entry for entry in inner[1:] if entry[0] not in ("where", "and")]
    if any("=" not in text for text, _, _ in rest):
        raise _Syntax(column)
    return {name: value for name, _, value in (text.partition("=") for text, _, _ in rest)}


def _words(text: str, first_column: int) -> list[tuple[str, bool, int]]:
    """Words with quotes and escapes resolved: text, whether it starts quoted, column."""
    words: list[tuple[str, bool, int]] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        start, pieces, is_quoted = position, [], text[position] == '"'
        if text[position] == "[":
            end = _closing(text, position, first_column)
            words.append((text[position:end], False, first_column + start))
            position = end
            continue
        while position < len(text) and not text[position].isspace():
            if text[position] == '"':
                piece, position = _quoted(text, position, first_column)
                pieces.append(piece)
            elif text[position] == "[" and pieces and pieces[-1] == "=":
                end = _closing(text, position, first_column)
                pieces.append(text[position:end])
                position = end
            else:
                pieces.append(text[position])
                position += 1
        words.append(("".join(pieces), is_quoted, first_column + start))
    return words


def _closing(text: str, position: int, first_column: int) -> int:
    """Where a bracket ends, quotes inside it respected."""
    start, is_quoted, depth = position, False, 0
    while position < len(text):
        symbol = text[position]
        if symbol == "\\" and is_quoted:
            position += 1
        elif symbol == '"':
            is_quoted = not is_quoted
        elif symbol == "[" and not is_quoted:
            depth += 1
        elif symbol == "]" and not is_quoted:
            depth -= 1
            if not depth:
                return position + 1
        position += 1
    raise _Syntax(first_column + start)


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

"""The text of `/export`: is it whole, one command a line, secrets masked, what differs. Pure functions, no network.

An export has no end mark of its own. It is taken as whole when it begins with the heading of the version that
answered, ends with a line break, and leaves no line, quote or bracket open (whatsapp_backup.md B.12, docs/unverified.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MASK = "•••"
_HEADING = re.compile(r"#.*\bby RouterOS (\S+)")
_COMMAND = re.compile(r"(/[a-z0-9][a-z0-9 /-]*?) ((?:add|set|remove|unset|enable|disable|move)\b.*)", re.DOTALL)
_WORD = re.compile(r'(?:\[[^]]*\]|"(?:[^"\\]|\\.)*"|[^\s"\[])+|\S')
_NAME = re.compile(r'(?:^|\s)(name|comment)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPE = re.compile(r"\\([0-9A-F]{2}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "_": " "}
_KINDS = "pass|secret|key|psk|communit|token|private|credential|wpa|pin|otp|hash|contents|bearer"
_NAMES = rf"[\w.-]*(?:{_KINDS})[\w.-]*"
_VALUE = r'(?P<value>\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|[^\s";)\]}\\]+)'
_SECRET = re.compile(rf"(?P<name>\b{_NAMES}\s*[=:]\s*|:(?:local|global|set)\s+{_NAMES}\s+){_VALUE}", re.I)
_KEYLIKE = re.compile(r"keepalive[\w-]*=|key-(?:size|usage)=", re.I)
_BOT = re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}")
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@\"\\]+@")
_COMMUNITY, _LOGINS = "/snmp community", "/ip hotspot user"
MOST_COMPARED = 2000  # lines of one menu that are compared in their order; above, only what came and went is told


class Incomplete(Exception):
    """The text is not a whole export; `reason` is a stable word: heading, version, cut."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def export_lines(text: str, version: str) -> list[str]:
    """One whole command a line, each with its menu; headings and remarks (they change by themselves) are left out.

    Their order stays: firewall rules mean something by it. Raises Incomplete.
    """
    heading = _HEADING.match(text)
    if heading is None:
        raise Incomplete("heading")
    if heading[1] != version:
        raise Incomplete("version")
    if not text.endswith("\n"):
        raise Incomplete("cut")
    menu, lines = "", []
    for line in _unfolded(text):
        if not line or line.startswith("#"):
            continue
        if line.startswith("/") and _COMMAND.match(line) is None:
            menu = line
        else:
            lines.append(line if line.startswith(("/", ":")) else f"{menu} {line}")
    if not lines:
        raise Incomplete("cut")
    return lines


def _unfolded(text: str) -> Iterable[str]:
    """Lines that go on in the next one (a backslash at their end) are joined. Raises Incomplete for an open end."""
    pieces: list[str] = []
    for physical in text.replace("\r\n", "\n").split("\n"):
        if pieces and not physical:
            raise Incomplete("cut")
        line = physical.lstrip() if pieces else physical
        if line.endswith("\\") and not line.startswith("#") and _is_continued(line):
            pieces.append(line[:-1])
            continue
        whole = "".join([*pieces, line]).rstrip()
        pieces = []
        if not whole.startswith("#") and _is_open(whole):
            raise Incomplete("cut")
        yield whole
    if pieces:
        raise Incomplete("cut")


def _is_continued(line: str) -> bool:
    """An odd number of backslashes: the last one is not itself escaped."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _is_open(line: str) -> bool:
    """A quote or a bracket was not closed."""
    is_quoted, depth, position = False, 0, 0
    while position < len(line):
        symbol = line[position]
        if symbol == "\\":
            position += 1
        elif symbol == '"':
            is_quoted = not is_quoted
        elif not is_quoted and symbol in "[]":
            depth += 1 if symbol == "[" else -1
        position += 1
    return is_quoted or depth != 0


def menu_of(line: str) -> str:
    """`/ip firewall nat` of one of our lines."""
    found = _COMMAND.match(line)
    return found[1] if found else ""


def command_of(line: str) -> str:
    """What is done in that menu."""
    found = _COMMAND.match(line)
    return found[2] if found else line


def named(line: str) -> dict[str, str]:
    """`name` and `comment` of a line, as the router has them; what is not set is absent."""
    return {name: _plain(value) for name, value in _NAME.findall(command_of(line))}


def _plain(value: str) -> str:
    if not value.startswith('"'):
        return value

    def letter(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code, 16)) if len(code) == 2 else _LETTERS.get(code, code)

    return _ESCAPE.sub(letter, value[1:-1])


# --- secrets ----------------------------------------------------------------------------------------------------------


def masked(line: str) -> str:
    """The line for a screen: what could open a door is replaced by dots, also in scripts and addresses."""

    def hide(match: re.Match[str]) -> str:
        return match[0] if _KEYLIKE.match(match["name"]) else f"{match['name']}{MASK}"

    shown = _IN_ADDRESS.sub(f"{MASK}@", _BOT.sub(MASK, _SECRET.sub(hide, line)))
    menu = menu_of(line)
    # a community's name is its password; so is a voucher's when it has no other
    if menu == _COMMUNITY or (menu == _LOGINS and "password=" not in line):
        return re.sub(r'(\sname=)("(?:[^"\\]|\\.)*"|[^\s\]]+)', rf"\1{MASK}", shown)
    return shown


def without_secrets(line: str) -> str:
    """The line as it reads when the router hides what is secret: for comparing with one that was taken so."""
    return " ".join(word for word in _WORD.findall(line) if not (_SECRET.match(word) and not _KEYLIKE.match(word)))


# --- what differs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A line that came (`+`), went (`-`), or is the same but for a secret in it (`*`). `text` is masked."""

    menu: str
    sign: str
    text: str


def changed_lines(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """(gone, come), unmasked and in order. A line that moved within its menu went and came."""
    gone: list[str] = []
    come: list[str] = []
    before, after = _by_menu(old), _by_menu(new)
    for menu in dict.fromkeys([*before, *after]):
        left, right = _differing(before.get(menu, []), after.get(menu, []))
        gone += left
        come += right
    return gone, come


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What differs, menu by menu, for a screen."""
    before, after = _by_menu(old), _by_menu(new)
    found: list[Change] = []
    for menu in dict.fromkeys([*before, *after]):
        gone, come = _differing(before.get(menu, []), after.get(menu, []))
        shown_gone, shown_come = [masked(line) for line in gone], [masked(line) for line in come]
        same = [text for text in shown_gone if text in set(shown_come)]
        for sign, shown in (("-", shown_gone), ("+", shown_come)):
            found += [Change(menu, sign, command_of(text)) for text in shown if text not in same]
        found += [Change(menu, "*", command_of(text)) for text in dict.fromkeys(same)]
    return found


def _by_menu(lines: Iterable[str]) -> dict[str, list[str]]:
    menus: dict[str, list[str]] = {}
    for line in lines:
        menus.setdefault(menu_of(line), []).append(line)
    return menus


def _differing(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    if old == new:
        return [], []
    if max(len(old), len(new)) > MOST_COMPARED:
        return _minus(old, new), _minus(new, old)
    gone: list[str] = []
    come: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            gone += old[a:b]
            come += new[c:d]
    return gone, come


def _minus(lines: list[str], others: list[str]) -> list[str]:
    counts: dict[str, int] = {}
    for line in others:
        counts[line] = counts.get(line, 0) + 1
    rest: list[str] = []
    for line in lines:
        if counts.get(line, 0):
            counts[line] -= 1
        else:
            rest.append(line)
    return rest

"""``/export``: the configuration as a script that ``/import`` takes, made from the menu tables."""

from __future__ import annotations

import functools
import re

from .commands import require_policies
from .device import Device
from .errors import unknown_parameter
from .files import write_file
from .schema.base import Menu, Prop
from .sentence import Caller, Done, Outcome, Sentence
from .table import Row, Table
from .values import Version, format_moment

_WORDS = frozenset({"file", "compact", "verbose", "terse", "show-sensitive", "hide-sensitive", "where"})
_PLAIN = re.compile(r"[A-Za-z0-9_.:/,*@+-]+")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "$": "\\$", "?": "\\?"}
_COLUMNS = 78
_LEFT_OUT = frozenset(
    {
        "file",
        "interface",
        "system/clock",
        "system/package/update",
        "ip/hotspot/cookie",
        "ip/route",
        "user",
        "user/group",
    }
)


def export_command(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    """Write a menu and what is below it, or everything, to ``file``.rsc; without ``file`` the API gets nothing."""
    require_policies(caller, "read")
    for name in sentence.attributes:
        if name not in _WORDS:
            raise unknown_parameter(name)
    words = sentence.attributes
    target = words.get("file")
    if not target:
        return Done()
    require_policies(caller, "ftp")
    is_v6 = device.version < (7, 0, 0)
    shows = "hide-sensitive" not in words if is_v6 else "show-sensitive" in words
    text = export_text(
        device,
        sentence.path,
        terse="terse" in words,
        verbose="verbose" in words,
        secrets=shows and "sensitive" in caller.policies,
    )
    write_file(device, target if target.endswith(".rsc") else f"{target}.rsc", text)
    return Done()


def export_text(
    device: Device, path: str = "", *, terse: bool = False, verbose: bool = False, secrets: bool = False
) -> str:
    """The script: heading, then for each menu its lines."""
    lines = _heading(device)
    for menu_path in _export_order(device.version):
        below = not path or menu_path == path or menu_path.startswith(f"{path}/")
        if not below or (menu_path in _LEFT_OUT and menu_path != path):
            continue
        found = _menu_lines(device, device.read(menu_path), verbose=verbose, secrets=secrets)
        console = "/" + menu_path.replace("/", " ")
        if terse:
            lines += [f"{console} {line}" for line in found]
        elif found:
            lines += [console, *(_wrapped(line) for line in found)]
    return "\r\n".join([*lines, ""])


def _heading(device: Device) -> list[str]:
    licence = device.single("system/license")
    lines = [f"# {format_moment(device.clock.wall(), device.version)} by RouterOS {device.version_text}"]
    lines.append(f"# {'system' if device.is_chr else 'software'} id = {licence.get('software-id') or device.system_id}")
    if not device.is_chr:
        lines += ["#", f"# model = {device.model.product_code}", f"# serial number = {device.serial}"]
    return lines


@functools.cache
def _export_order(version: Version) -> tuple[str, ...]:
    """Menus with something to set, each after the menus that it refers to."""
    from .device import menus_of

    menus, done = menus_of(version), list[str]()
    seen: set[str] = set()

    def visit(path: str) -> None:
        if path in seen:
            return
        seen.add(path)
        for prop in menus[path].props:
            if prop.ref in menus:
                visit(prop.ref)
        if menus[path].commands & {"set"} and any(not prop.ro for prop in menus[path].props):
            done.append(path)

    for path in sorted(menus):
        visit(path)
    return tuple(done)


def _menu_lines(device: Device, table: Table, *, verbose: bool, secrets: bool) -> list[str]:
    menu, lines = table.menu, []
    for row in table.rows.values():
        if row.is_dynamic or row.values.get("builtin") == "true":
            continue
        first = device.factory_values(menu.path, row)
        is_fixed = menu.is_single or first is not None
        basis = first if first is not None else device.default_values(menu)
        words = [
            f"{prop.name}={_quoted(row.values[prop.name], prop)}"
            for prop in menu.props
            if _is_exported(prop, row, secrets) and (verbose or row.values[prop.name] != basis.get(prop.name))
        ]
        gone = [f"!{prop.name}" for prop in menu.props if is_fixed and not prop.ro and _is_gone(prop, row, basis)]
        if is_fixed:
            if words or gone:
                lines.append(" ".join(["set", *_selector(menu, row), *words, *gone]))
        else:
            lines.append(" ".join(["add", *words]))
    return lines


def _is_exported(prop: Prop, row: Row, secrets: bool) -> bool:
    if prop.ro or prop.hidden or prop.name not in row.values:
        return False
    return secrets or not prop.secret


def _is_gone(prop: Prop, row: Row, basis: dict[str, str]) -> bool:
    return prop.name in basis and prop.name not in row.values and not prop.required


def _selector(menu: Menu, row: Row) -> list[str]:
    """How a row that cannot be added is named."""
    if menu.is_single:
        return []
    if row.values.get("default") == "true":
        return [f"[ find name={_quoted(row.values['name'])} ]" if "name" in row.values else "[ find default=yes ]"]
    for name in ("default-name", "name", "interface"):
        if name in row.values:
            return [f"[ find {name}={_quoted(row.values[name])} ]"]
    return [row.id]


def _quoted(text: str, prop: Prop | None = None) -> str:
    """A value as the console would read it back."""
    if prop is not None and prop.kind == "bool" and text in ("true", "false"):
        return "yes" if text == "true" else "no"
    if _PLAIN.fullmatch(text):
        return text
    pieces = [_ESCAPES.get(c) or (c if " " <= c <= "~" else f"\\{ord(c):02X}") for c in text]
    return f'"{"".join(pieces)}"'


def _wrapped(line: str) -> str:
    """A long line goes on in the next one, indented, as the console prints it."""
    lines, current = [], ""
    for word in re.findall(r'(?:\[[^]]*\]|"(?:[^"\\]|\\.)*"|[^\s"])+', line):
        if current and len(current) + len(word) + 1 > _COLUMNS:
            lines.append(current + " \\")
            current = "    "
        current += word if not current.strip() else f" {word}"
    return "\r\n".join([*lines, current])

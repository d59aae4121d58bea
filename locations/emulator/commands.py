"""The generic commands over menu tables: add, set, remove, enable, disable, comment, unset, move,
reset-counters."""

from __future__ import annotations

from collections.abc import Callable

from .device import Device, require_single_row
from .errors import NOT_PERMITTED, OUT_OF_MEMORY, Trap, invalid_value, missing_value, no_match, unknown_parameter
from .printing import PRINT_COMMANDS
from .rules import check_remove, check_values
from .schema.base import Menu
from .sentence import Caller, Done, Outcome, Sentence
from .table import Row, Table

Handler = Callable[[Device, Caller, Table, Sentence], Outcome]

_READERS = frozenset({"print", "getall", "find", "get", "listen", "monitor-traffic", "monitor", "read", "export"})
_SMALL = 64
"""Changes of that size go through also when memory is short: switching somebody off must work."""
_GLOBAL_WRITES = frozenset({("", "import"), ("", "execute")})
_ADD_ONLY = frozenset({"copy-from", "place-before"})
_FILE_ID_SINCE = (7, 13, 0)
"""Before, adding a file returned no id (a client's source says so)."""
_SELECTORS = (".id", "numbers", "number")
_COUNTERS = {
    "ip/hotspot/user": {
        "uptime": "0s",
        "bytes-in": "0",
        "bytes-out": "0",
        "packets-in": "0",
        "packets-out": "0",
    },
    "queue/simple": {"bytes": "0/0", "packets": "0/0", "dropped": "0/0"},
    "ip/firewall/filter": {"bytes": "0", "packets": "0"},
    "ip/firewall/nat": {"bytes": "0", "packets": "0"},
    "ip/hotspot/walled-garden": {"hits": "0"},
    "ip/proxy/access": {"hits": "0"},
    "interface": {},
}


def execute(device: Device, caller: Caller, sentence: Sentence) -> Outcome:
    """Run one command. Raises Trap."""
    path, verb = sentence.path, sentence.verb
    special = SPECIAL.get((path, verb)) or (SPECIAL[("*", "export")] if verb == "export" else None)
    table = device.tables.get(path)
    if special is None and (table is None or device.missing_path(path) is not None):
        missing = device.missing_path(path)
        raise _no_such_path(device, missing) if missing else _no_such_command(device)
    if table is None:
        if special is None:
            raise _no_such_command(device)
        if (path, verb) in _GLOBAL_WRITES:
            device.writes += 1
        return special(device, caller, _NO_TABLE, sentence)
    if verb not in table.menu.commands and (verb != "export" or "set" not in table.menu.commands):
        raise _no_such_command(device)
    _check_permission(caller, table.menu, verb)
    handler = special or HANDLERS[verb]
    if verb not in _READERS:
        device.writes += 1
    return handler(device, caller, device.read(path), sentence)


def _no_such_path(device: Device, part: str) -> Trap:
    if device.version < (7, 0, 0):
        return Trap("no such command prefix", 0)
    return Trap(f"no such command or directory ({part}), no such command prefix", 0)


def _no_such_command(device: Device) -> Trap:
    return Trap("no such command", 0)


def _check_permission(caller: Caller, menu: Menu, verb: str) -> None:
    needed = frozenset({"read"}) if verb in _READERS else menu.write_policies
    if not needed <= caller.policies:
        raise Trap(NOT_PERMITTED)


def require_policies(caller: Caller, *policies: str) -> None:
    """Raise the trap of a missing policy."""
    if not caller.policies.issuperset(policies):
        raise Trap(NOT_PERMITTED)


def selected(table: Table, sentence: Sentence, *names: str) -> list[Row]:
    """Rows named by ``.id`` or ``numbers``. Raises Trap when none is named or one is unknown."""
    for name in names or _SELECTORS:
        if name in sentence.attributes:
            return table.resolve(sentence.attributes[name])
    raise missing_value(".id")


def given_values(device: Device, table: Table, sentence: Sentence, ignored: frozenset[str]) -> dict[str, str | None]:
    """The attributes converted by their properties; None means unset."""
    by_name = table.menu.by_name
    found: dict[str, str | None] = {}
    for name, text in sentence.attributes.items():
        if name in ignored:
            continue
        prop = by_name.get(name)
        if prop is None or prop.ro:
            raise unknown_parameter(name)
        found[name] = device.convert(prop, text)
    for name in sentence.unset:
        prop = by_name.get(name)
        if prop is None or prop.ro:
            raise unknown_parameter(name)
        if prop.required:
            raise invalid_value(name)
        found.setdefault(name, prop.default)
    return found


def _add(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    menu = table.menu
    if menu.path == "user/active":
        raise _no_such_command(device)
    given = given_values(device, table, sentence, _ADD_ONLY)
    values = device.default_values(menu)
    copied = sentence.attributes.get("copy-from")
    if copied is not None:
        source = table.resolve(copied)[0].values
        values.update(
            {name: text for name, text in source.items() if name in menu.by_name and not menu.by_name[name].ro}
        )
    for name, value in given.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    if device.is_full():
        raise Trap(OUT_OF_MEMORY)
    missing = [prop.name for prop in menu.props if prop.required and prop.name not in values]
    if missing:
        raise missing_value(",".join(missing))
    check_values(device, caller, table, None, values, frozenset(given))
    before = sentence.attributes.get("place-before")
    if before is not None and not menu.is_ordered:
        raise unknown_parameter("place-before")
    destination = table.resolve(before)[0] if before is not None else None
    row = table.insert(values)
    if destination is not None:
        table.move([row], destination)
    hook = device.after_set.get(menu.path)
    if hook is not None:
        hook(row, {})
    return Done(row.id if menu.path != "file" or device.version >= _FILE_ID_SINCE else None)


def _set(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    menu = table.menu
    if menu.is_single:
        rows = [require_single_row(table)]
        changes = given_values(device, table, sentence, frozenset())
    else:
        rows = selected(table, sentence, ".id", "numbers")
        changes = given_values(device, table, sentence, frozenset({".id", "numbers"}))
    if device.is_full() and any(len(value or "") > _SMALL for value in changes.values()):
        raise Trap(OUT_OF_MEMORY)
    for row in rows:
        change_row(device, caller, table, row, changes)
    return Done()


def change_row(device: Device, caller: Caller, table: Table, row: Row, changes: dict[str, str | None]) -> None:
    """Apply converted changes to one row with all checks and effects."""
    if row.is_dynamic and table.menu.path != "ip/firewall/address-list":
        raise Trap("failure: can not change dynamic")
    merged = {**row.values, **{name: value for name, value in changes.items() if value is not None}}
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
    check_values(device, caller, table, row, merged, frozenset(changes))
    old = row.values
    different = {name: merged.get(name) for name in old.keys() | merged.keys() if old.get(name) != merged.get(name)}
    before = {name: old.get(name) for name in different.keys() | changes.keys()}
    table.update(row, different)
    hook = device.after_set.get(table.menu.path)
    if hook is not None:
        hook(row, before)


def _remove(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    for row in selected(table, sentence, ".id", "numbers"):
        if row.id in table.rows:
            check_remove(table, row)
            table.delete(row)
    return Done()


def _toggle(value: str) -> Handler:
    def handler(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
        for row in selected(table, sentence, ".id", "numbers"):
            change_row(device, caller, table, row, {"disabled": value})
        return Done()

    return handler


def _comment(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    text = sentence.attributes.get("comment", "")
    for row in selected(table, sentence, ".id", "numbers"):
        change_row(device, caller, table, row, {"comment": text or None})
    return Done()


def _unset(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    name = sentence.attributes.get("value-name", "")
    if not name:
        raise missing_value("value-name")
    prop = table.menu.by_name.get(name)
    if prop is None or prop.ro or prop.required:
        raise no_match("value-name")
    for row in selected(table, sentence, ".id", "numbers"):
        change_row(device, caller, table, row, {name: prop.default})
    return Done()


def _move(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    rows = selected(table, sentence, "numbers", ".id")
    destination = sentence.attributes.get("destination")
    table.move(rows, table.resolve(destination)[0] if destination else None)
    return Done()


def _reset_counters(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    zero: dict[str, str | None] = dict(_COUNTERS.get(table.menu.path, {}))
    for row in selected(table, sentence, ".id", "numbers"):
        table.update(row, zero)
    return Done()


def _reset_all_counters(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    zero: dict[str, str | None] = dict(_COUNTERS.get(table.menu.path, {}))
    for row in list(table.rows.values()):
        table.update(row, zero)
    return Done()


def _edit(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    raise invalid_value("value-name")


_NO_TABLE = Table(Menu("", (), frozenset()))
HANDLERS: dict[str, Handler] = {
    **PRINT_COMMANDS,
    "add": _add,
    "set": _set,
    "remove": _remove,
    "enable": _toggle("false"),
    "disable": _toggle("true"),
    "comment": _comment,
    "unset": _unset,
    "move": _move,
    "reset-counters": _reset_counters,
    "reset-counters-all": _reset_all_counters,
    "edit": _edit,
}
SPECIAL: dict[tuple[str, str], Handler] = {}
"""Commands of one menu only; the modules that know them register here."""

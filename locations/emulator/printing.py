"""The reading commands: print, getall, find, get, listen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .device import Device, require_single_row
from .errors import Trap, missing_value, no_match, unknown_parameter
from .query import Query
from .schema.base import Prop
from .sentence import Caller, Done, Emit, Live, Outcome, Rows, Sentence
from .table import Row, Table
from .values import Version, parse_bool, parse_duration
from .wire import encode_text

_PRINT_WORDS: dict[str, Version] = {
    **dict.fromkeys(
        (
            ".proplist",
            "proplist",
            "count-only",
            "detail",
            "append",
            "as-value",
            "brief",
            "file",
            "follow",
            "follow-only",
            "from",
            "interval",
            "show-ids",
            "terse",
            "value-list",
            "where",
            "without-paging",
            "oid",
        ),
        (6, 0, 0),
    ),
    "group-by": (7, 17, 0),
    "comments": (7, 22, 0),
    "on-event": (7, 22, 0),
    "timestamp": (7, 22, 0),
    "order-by": (7, 24, 0),
}
_SHORTEST = 0.1
"""Seconds between two printings with ``interval``, however little is asked for."""
_MOST_CHANGES = 10_000
"""A listener that does not read misses what comes while so many changes wait for it (invented)."""
_SHOW_SENSITIVE_SINCE: Version = (7, 21, 0)


def _print(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    _check_words(device, table, sentence)
    words = sentence.attributes
    if "follow-only" in words or "follow" in words:
        return _follow(device, caller, table, sentence, with_rows="follow" in words)
    candidates, query = _select(table, sentence)
    predicate = query.accepts if query is not None else None
    interval = max(_SHORTEST, parse_duration(words["interval"]) or 0.0) if "interval" in words else 0.0
    is_count = "count-only" in words and parse_bool(words["count-only"]) is not False
    rows = Rows(candidates, predicate, row_encoder(device, caller, table, sentence), is_count, interval)
    rows.bytes = table.bytes_of(min(len(candidates), 500))
    return rows


def _check_words(device: Device, table: Table, sentence: Sentence) -> None:
    for name in sentence.attributes:
        since = _PRINT_WORDS.get(name)
        if since is not None and since <= device.version:
            continue
        if name == "show-sensitive" and device.version >= _SHOW_SENSITIVE_SINCE and _has_secrets(table):
            continue
        if name not in table.menu.print_flags and name not in ("stats", ".id"):
            raise unknown_parameter(name)
    if sentence.unset:
        raise unknown_parameter(sentence.unset[0])


def _has_secrets(table: Table) -> bool:
    return any(prop.secret or prop.hidden for prop in table.menu.props)


def _select(table: Table, sentence: Sentence) -> tuple[list[Row], Query | None]:
    """Rows that can match, in table order, and the query if it still has to be asked row by row."""
    start = sentence.attributes.get("from", sentence.attributes.get(".id"))
    chosen = table.resolve(start) if start is not None else list(table.rows.values())
    if not sentence.queries:
        return chosen, None
    query = Query(sentence.queries, table.menu)
    if start is not None:
        return chosen, query
    ids, is_exact = query.candidates(table.lookup)
    if ids is None:
        return chosen, query
    if table.menu.is_ordered:
        rows = [row for row in chosen if row.id in ids]
    else:
        rows = [table.rows[row_id] for row_id in sorted(ids, key=_number) if row_id in table.rows]
    return rows, None if is_exact else query


def _number(row_id: str) -> int:
    return int(row_id[1:], 16)


def visible_props(device: Device, caller: Caller, table: Table, sentence: Sentence) -> tuple[list[str], frozenset[str]]:
    """Property names to print in order, and the names that this caller may not read."""
    words = sentence.attributes
    hidden = {prop.name for prop in table.menu.props if prop.hidden or (prop.secret and not _may_read(caller, words))}
    listed = words.get(".proplist", words.get("proplist"))
    if listed is not None:
        wanted = dict.fromkeys(name for name in listed.split(",") if name)
        return [name for name in wanted if name == ".id" or name in table.menu.by_name], frozenset(hidden)
    names = [prop.name for prop in table.menu.props if prop.name != "contents" or "detail" in words]
    return ([".id", *names] if not table.menu.is_single else names), frozenset(hidden)


def _may_read(caller: Caller, words: dict[str, str]) -> bool:
    wanted = words.get("show-sensitive")
    return "sensitive" in caller.policies and (wanted is None or parse_bool(wanted) is not False)


def row_encoder(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Callable[[Row], bytes]:
    """How one row becomes reply words."""
    names, hidden = visible_props(device, caller, table, sentence)
    shown = [(name, f"={name}=") for name in names if name not in hidden and name != ".id"]
    id_position = names.index(".id") if ".id" in names else -1
    leading = [(n, p) for n, p in shown if id_position >= 0 and names.index(n) < id_position]
    following = shown[len(leading) :]
    conditions = {prop.name: prop.when for prop in table.menu.props if prop.when is not None}
    if conditions:
        return lambda row: _encode_some(row, names, hidden, conditions)

    def encode(row: Row) -> bytes:
        values = row.values
        parts = [encode_text(prefix + values[name]) for name, prefix in leading if name in values]
        if id_position >= 0:
            parts.append(encode_text(f"=.id={row.id}"))
        parts += [encode_text(prefix + values[name]) for name, prefix in following if name in values]
        return b"".join(parts)

    return encode


def _encode_some(row: Row, names: list[str], hidden: frozenset[str], conditions: dict[str, tuple[str, str]]) -> bytes:
    """A row of a menu where some properties are only printed while another one has a certain value."""
    values = row.values
    parts = []
    for name in names:
        if name == ".id":
            parts.append(encode_text(f"=.id={row.id}"))
        elif name in values and name not in hidden and _applies(values, conditions.get(name)):
            parts.append(encode_text(f"={name}={values[name]}"))
    return b"".join(parts)


def _applies(values: dict[str, str], condition: tuple[str, str] | None) -> bool:
    return condition is None or condition[1] in values.get(condition[0], "").split(",")


def row_pairs(device: Device, caller: Caller, table: Table, sentence: Sentence, row: Row) -> list[tuple[str, str]]:
    """One row as name and value pairs."""
    names, hidden = visible_props(device, caller, table, sentence)
    pairs = []
    for name in names:
        if name == ".id":
            pairs.append((name, row.id))
        elif name in row.values and name not in hidden and _applies(row.values, _condition(table, name)):
            pairs.append((name, row.values[name]))
    return pairs


def _condition(table: Table, name: str) -> tuple[str, str] | None:
    prop = table.menu.by_name.get(name)
    return prop.when if prop is not None else None


def _find(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    rows, query = _select(table, sentence)
    found = [row.id for row in rows if query is None or query.accepts(row)]
    return Done(";".join(found))


_GET_SAYS_EMPTY = (7, 24, 0)
"""Measured on 7.24 by the author of a C# client: an empty value for what is not set, and for a row that is not there.
Before, nothing is said of what is not set (the suite of a PHP client, on v6, relies on that); between is not known."""


def _get(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    words = sentence.attributes
    if table.menu.is_single:
        row = require_single_row(table)
    else:
        selector = next((words[name] for name in (".id", "number", "numbers") if name in words), None)
        if selector is None:
            raise missing_value("number")
        try:
            row = table.resolve(selector)[0]
        except Trap:
            if device.version < _GET_SAYS_EMPTY:
                raise
            return Done("")
    wanted = words.get("value-name")
    if not wanted:
        pairs = row_pairs(device, caller, table, Sentence("", {}), row)
        return Done(";".join(f"{name}={value}" for name, value in pairs))
    prop: Prop | None = table.menu.by_name.get(wanted)
    if prop is None and wanted != ".id":
        raise no_match("value-name")
    values = dict(row_pairs(device, caller, table, Sentence("", {".proplist": wanted}), row))
    return Done(values.get(wanted, "" if device.version >= _GET_SAYS_EMPTY else None))


def _listen(device: Device, caller: Caller, table: Table, sentence: Sentence) -> Outcome:
    return _follow(device, caller, table, sentence, with_rows=False)


def _follow(device: Device, caller: Caller, table: Table, sentence: Sentence, *, with_rows: bool) -> Outcome:
    dead = "true" if device.version >= (6, 0, 0) else "yes"
    query = Query(sentence.queries, table.menu) if sentence.queries else None

    changes: asyncio.Queue[Iterable[tuple[str, str]]] = asyncio.Queue()

    def watch(source: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        if changes.qsize() >= max(_MOST_CHANGES, 2 * len(source)):
            return
        if change == "remove":
            changes.put_nowait([(".id", row.id), (".dead", dead)])
        elif query is None or query.accepts(row):
            changes.put_nowait(row_pairs(device, caller, source, sentence, row))

    async def run(emit: Emit) -> None:
        while True:
            await emit(await changes.get())

    if with_rows:
        for row in list(table.rows.values()):
            watch(table, "add", row, {})
    # From this moment, not from the task's first turn: the next command of the same client must not be missed.
    table.watchers.append(watch)
    return Live(run, lambda: table.watchers.remove(watch))


PRINT_COMMANDS = {"print": _print, "getall": _print, "find": _find, "get": _get, "listen": _listen}

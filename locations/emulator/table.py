"""Rows of one menu: identity, indexes, unique keys, order. Adding and finding by name cost the same at
any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .errors import NO_SUCH_ITEM, Trap
from .schema.base import Menu

Watcher = Callable[["Table", str, "Row", dict[str, str | None]], None]
"""Called after a change: table, ``add`` / ``set`` / ``remove``, the row, and the old values of what
changed."""

_INDEXED = ("name", "comment", "list", "user", "mac-address", "parent")


class Row:
    """One item. ``values`` holds only what is set; everything is text, one character per byte."""

    __slots__ = ("id", "values")

    def __init__(self, row_id: str, values: dict[str, str]) -> None:
        self.id = row_id
        self.values = values

    @property
    def is_dynamic(self) -> bool:
        """Whether the router made the row itself."""
        return self.values.get("dynamic") == "true"


class Meter:
    """How much the tables of one device hold, in bytes of the device (about)."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


_ROW_COST = 200


def _cost(values: dict[str, str]) -> int:
    return _ROW_COST + sum(map(len, values.values()))


class Table:
    """All rows of one menu, in order."""

    def __init__(self, menu: Menu, meter: Meter | None = None) -> None:
        self.menu = menu
        self.meter = meter or Meter()
        self.rows: dict[str, Row] = {}
        self.watchers: list[Watcher] = []
        self.next_number = menu.first_id
        self.numbers_of: Table | None = None
        self._bytes = 0
        self._indexes: dict[str, dict[str, dict[str, None]]] = {
            column: {} for column in _INDEXED if column in menu.by_name
        }
        self._keys: list[dict[tuple[str, ...], str]] = [{} for _ in menu.unique]

    def __len__(self) -> int:
        return len(self.rows)

    def bytes_of(self, count: int) -> int:
        """About how much so many rows hold."""
        return self._bytes * count // max(1, len(self.rows))

    def insert(self, values: dict[str, str], *, row_id: str | None = None) -> Row:
        """Add a row. Raises Trap when a unique key is taken."""
        keys = [self._key(unique.columns, values) for unique in self.menu.unique]
        for taken, key, unique in zip(self._keys, keys, self.menu.unique, strict=True):
            if key in taken:
                raise Trap(unique.message)
        if row_id is None:
            row_id = self._next_id()
        row = Row(row_id, values)
        self.rows[row_id] = row
        self._weigh(_cost(values))
        for taken, key in zip(self._keys, keys, strict=True):
            taken[key] = row_id
        for column, index in self._indexes.items():
            value = values.get(column)
            if value is not None:
                index.setdefault(value, {})[row_id] = None
        self._tell("add", row, {})
        return row

    def update(self, row: Row, changes: dict[str, str | None]) -> None:
        """Change a row; None removes a value. Raises Trap when a unique key would repeat."""
        old = row.values
        changes = {name: value for name, value in changes.items() if old.get(name) != value}
        if not changes:
            return
        merged = {**old, **{name: value for name, value in changes.items() if value is not None}}
        for name, value in changes.items():
            if value is None:
                merged.pop(name, None)
        moved = []
        for position, unique in enumerate(self.menu.unique):
            if not any(column in changes for column in unique.columns):
                continue
            key = self._key(unique.columns, merged)
            holder = self._keys[position].get(key)
            if holder is not None and holder != row.id:
                raise Trap(unique.message)
            moved.append((position, self._key(unique.columns, old), key))
        for position, old_key, key in moved:
            self._keys[position].pop(old_key, None)
            self._keys[position][key] = row.id
        before = {name: old.get(name) for name in changes}
        for column in self._indexes.keys() & changes.keys():
            self._reindex(column, row.id, old.get(column), merged.get(column))
        self._weigh(_cost(merged) - _cost(old))
        row.values = merged
        self._tell("set", row, before)

    def delete(self, row: Row) -> None:
        """Remove a row."""
        del self.rows[row.id]
        self._weigh(-_cost(row.values))
        for position, unique in enumerate(self.menu.unique):
            self._keys[position].pop(self._key(unique.columns, row.values), None)
        for column in self._indexes:
            self._reindex(column, row.id, row.values.get(column), None)
        self._tell("remove", row, {})

    def clear(self) -> None:
        """Remove every row without telling anybody, and number from the start again."""
        self._weigh(-self._bytes)
        self.rows.clear()
        for index in self._indexes.values():
            index.clear()
        for keys in self._keys:
            keys.clear()
        self.next_number = self.menu.first_id

    def lookup(self, column: str, value: str) -> frozenset[str] | None:
        """Ids of rows with exactly this value, or None when the column has no index."""
        if column == ".id":
            return frozenset((value,)) if value in self.rows else frozenset()
        index = self._indexes.get(column)
        if index is None:
            return None
        return frozenset(index.get(value, ()))

    def by(self, column: str, value: str) -> list[Row]:
        """Rows with exactly this value, in the order they were added."""
        index = self._indexes.get(column)
        if index is not None:
            return [self.rows[row_id] for row_id in index.get(value, ())]
        return [row for row in self.rows.values() if row.values.get(column) == value]

    def named(self, name: str) -> Row | None:
        """The first row of that name, if the menu has names."""
        if not self.menu.name_column or "name" not in self._indexes:
            return None
        ids = self._indexes["name"].get(name)
        return self.rows[next(iter(ids))] if ids else None

    def resolve(self, selector: str) -> list[Row]:
        """Rows of ``*1A``, ``*1,*2``, a name, or a position. Raises Trap when one of them is unknown."""
        order: list[Row] = []
        row = self._resolve_one(selector, order)
        if row is not None:
            return [row]
        found: dict[str, Row] = {}
        for part in selector.split(","):
            row = self._resolve_one(part, order)
            if row is None:
                raise Trap(NO_SUCH_ITEM, 0)
            found[row.id] = row
        return list(found.values())

    def move(self, rows: list[Row], before: Row | None) -> None:
        """Put rows before another one, or at the end."""
        moving = {row.id: row for row in rows}
        if before is not None and before.id in moving:
            return
        order: dict[str, Row] = {}
        for row_id, row in self.rows.items():
            if row_id in moving:
                continue
            if before is not None and row_id == before.id:
                order.update(moving)
            order[row_id] = row
        if before is None:
            order.update(moving)
        self.rows = order

    def extend(self, rows: Iterable[tuple[str, dict[str, str]]], next_number: int) -> None:
        """Load saved rows with their ids."""
        for row_id, values in rows:
            self.insert(values, row_id=row_id)
        self.next_number = next_number

    def _next_id(self) -> str:
        """The next free number; interfaces of every kind are numbered together."""
        table = self if self.numbers_of is None else self.numbers_of
        row_id = f"*{table.next_number:X}"
        table.next_number += 1
        return row_id

    def _resolve_one(self, selector: str, order: list[Row]) -> Row | None:
        """``order`` keeps the rows by position, once somebody asked for one."""
        if selector.startswith("*"):
            row = self.rows.get(selector)
            if row is not None:
                return row
            plain = "*" + (selector[1:].upper().lstrip("0") or "0")
            return self.rows.get(plain)
        row = self.named(selector)
        if row is None and selector.isdigit() and selector.isascii() and len(selector) < 10:
            if not order:
                order.extend(self.rows.values())
            return order[int(selector)] if int(selector) < len(order) else None
        return row

    def _weigh(self, bytes_more: int) -> None:
        self._bytes += bytes_more
        self.meter.bytes += bytes_more

    def _key(self, columns: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
        return tuple([values.get(column, "") for column in columns])

    def _reindex(self, column: str, row_id: str, old: str | None, new: str | None) -> None:
        index = self._indexes[column]
        if old is not None:
            ids = index.get(old)
            if ids is not None:
                ids.pop(row_id, None)
                if not ids:
                    del index[old]
        if new is not None:
            index.setdefault(new, {})[row_id] = None

    def _tell(self, change: str, row: Row, before: dict[str, str | None]) -> None:
        for watcher in tuple(self.watchers):
            watcher(self, change, row, before)

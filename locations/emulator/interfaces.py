"""Every interface has two rows: one in /interface and one in the menu of its kind. They follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Row, Table

if TYPE_CHECKING:
    from .device import Device

_SHARED = ("name", "default-name", "mtu", "l2mtu", "mac-address", "running", "slave", "disabled", "comment")


def connect(device: Device, table: Table) -> None:
    """Let a new table of interfaces be followed by /interface, and the other way round."""
    if table.menu.path == "interface":
        mirror: _Mirror = _Common(device)
    elif table.menu.interface_type:
        table.numbers_of = device.tables["interface"]
        mirror = _Kind(device)
    else:
        return
    table.watchers[:] = [watcher for watcher in table.watchers if not isinstance(watcher, _Mirror)]
    table.watchers.append(mirror)


class _Mirror:
    """Copies what both rows have; rows are found by their name, which is unique over all interfaces."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __call__(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        raise NotImplementedError

    def _copy(self, row: Row, old_name: str, target: Table) -> Row | None:
        other = target.named(old_name)
        if other is not None:
            names = [name for name in _SHARED if name in target.menu.by_name]
            target.update(other, {name: row.values.get(name) for name in names})
        return other


class _Kind(_Mirror):
    """From the menu of one kind to /interface."""

    def __call__(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        common = self._device.tables["interface"]
        name = before.get("name") or row.values["name"]
        if change == "remove":
            other = common.named(name)
            if other is not None:
                common.delete(other)
        elif self._copy(row, name, common) is None:
            shared = {name: row.values[name] for name in _SHARED if name in row.values}
            defaults = self._device.default_values(common.menu)
            common.insert({**defaults, **shared, "type": table.menu.interface_type}, row_id=row.id)


class _Common(_Mirror):
    """From /interface to the menu of the kind."""

    def __call__(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        if change != "set":
            return
        for kind in self._device.tables.values():
            if kind.menu.interface_type and kind.menu.interface_type == row.values.get("type"):
                self._copy(row, before.get("name") or row.values["name"], kind)

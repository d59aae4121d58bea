"""The device: version, board, identity, tables, clock, log. What happens in it is in the other modules."""

from __future__ import annotations

import collections
import functools
import random
import secrets
from collections.abc import Callable
from typing import Any

from . import defaults, interfaces
from .clock import VirtualClock
from .convert import convert
from .errors import Trap
from .models import Model, model_named
from .schema import all_menus
from .schema.base import Menu, Prop
from .schema.system import HEALTH_V6
from .table import Meter, Row, Table
from .values import Version, format_duration, format_moment, parse_version

LOG_ROWS = 1000


@functools.cache
def menus_of(version: Version) -> dict[str, Menu]:
    """Every menu as that version knows it."""
    menus = {path: menu.at_version(version) for path, menu in all_menus().items() if menu.since <= version < menu.until}
    if version < (7, 0, 0):
        menus[HEALTH_V6.path] = HEALTH_V6
    return menus


@functools.cache
def references_of(version: Version) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each menu that is referred to: the menus and properties that refer to it."""
    found: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    for path, menu in menus_of(version).items():
        for prop in menu.props:
            if prop.ref:
                found[prop.ref].append((path, prop.name))
    return {path: tuple(places) for path, places in found.items()}


class Device:
    """State of one router. Not thread-safe: only its event loop touches it."""

    def __init__(
        self,
        *,
        version: str,
        model: str,
        identity: str,
        serial: str | None,
        clock: VirtualClock,
        random_seed: int | None = None,
    ) -> None:
        self.clock = clock
        self.cpu_load: int | None = None  # in per cent; None: a few, as of a router with little to do
        self.random = random.Random(random_seed)  # noqa: S311 - decoration of rows, no secret
        self.set_version(version)
        self.model: Model = model_named(model)
        self.identity_at_reset = identity
        self.serial = serial or _new_serial()
        self.system_id = secrets.token_urlsafe(8)
        self.boot_at = clock.now()
        self.boot_count = 1
        self.users_at_reset: list[dict[str, str]] = []
        self.groups_at_reset: list[dict[str, str]] = []
        self.file_contents: dict[str, str] = {}
        self.before_read: dict[str, Callable[[], None]] = {}
        self.after_set: dict[str, Callable[[Row, dict[str, str | None]], None]] = {}
        self.on_boot: list[Callable[[], None]] = []
        self.rate_sources: list[Callable[[str], tuple[int, int] | None]] = []
        self.writes = 0
        self.bad_blocks = "0"
        self.script_depth = 0
        self.script_lines = 0
        self.planned_restore: dict[str, list[list[Any]]] | None = None
        self._factory: dict[str, dict[str, dict[str, str]]] = {}
        self.tables: dict[str, Table] = {}
        self.build_tables()

    def set_version(self, version: str) -> None:
        """Become that RouterOS release (an upgrade; the caller reboots)."""
        self.version_text = version
        self.version = parse_version(version)
        self.menus = menus_of(self.version)

    @property
    def is_chr(self) -> bool:
        """Whether this is a Cloud Hosted Router (no routerboard, another licence menu)."""
        return self.model.license_level == 0

    @property
    def version_label(self) -> str:
        """As /system/resource prints it."""
        return f"{self.version_text} ({'long-term' if self.version < (7, 0, 0) else 'stable'})"

    def build_tables(self) -> None:
        """Empty tables for every menu, then the factory configuration."""
        watchers = {path: table.watchers for path, table in self.tables.items()}
        self.meter = Meter()
        self.tables = {path: Table(menu, self.meter) for path, menu in self.menus.items()}
        for path, table in self.tables.items():
            table.watchers = watchers.get(path, [])
            if self._follow_references not in table.watchers and path in references_of(self.version):
                table.watchers.append(self._follow_references)
            interfaces.connect(self, table)
        self.tables["file"].watchers[:] = [self._forget_file]
        defaults.apply(self)
        self.file_contents.clear()
        self._factory = {path: {r.id: r.values for r in table.rows.values()} for path, table in self.tables.items()}

    def missing_path(self, path: str) -> str | None:
        """The first part of the path that this device does not have, or None when the menu exists."""
        if path == "system/routerboard" and self.is_chr:
            return "routerboard"
        if path in self.tables:
            return None
        known = {"/".join(p.split("/")[:n]) for p in self.tables for n in range(1, p.count("/") + 2)}
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            if "/".join(parts[:count]) not in known:
                return parts[count - 1]
        return ""

    def table(self, path: str) -> Table:
        """The table of a menu that exists in this version; KeyError otherwise."""
        return self.tables[path]

    def read(self, path: str) -> Table:
        """The table, brought up to date with the clock."""
        hook = self.before_read.get(path)
        if hook is not None:
            hook()
        return self.tables[path]

    def uptime(self) -> float:
        """Seconds since the last boot."""
        return self.clock.now() - self.boot_at

    def moment_text(self) -> str:
        """The wall clock in the spelling of the version."""
        return format_moment(self.clock.wall(), self.version)

    def lookup_name(self, path: str, text: str) -> str | None:
        """The name of an object given by name or id; None when there is no such object."""
        table = self.tables.get(path)
        if table is None:
            return None
        row = table.named(text)
        if row is not None:
            return text
        row = table.rows.get(text)
        return row.values.get("name") if row is not None else None

    def convert(self, prop: Prop, text: str) -> str | None:
        """A client's text as stored; Trap with the router's words when it is not accepted."""
        return convert(prop, text, self.lookup_name)

    def insert(self, path: str, *, row_id: str | None = None, **given: str) -> Row:
        """A row made by the router itself; underscores in names stand for dashes. Defaults are filled in."""
        values = {name.replace("_", "-"): value for name, value in given.items()}
        table = self.tables[path]
        return table.insert({**self.default_values(table.menu), **values}, row_id=row_id)

    def default_values(self, menu: Menu) -> dict[str, str]:
        """What a new row has when nothing is said."""
        return dict(_defaults(menu, self.version))

    def is_full(self) -> bool:
        """Whether what is stored has used up the memory of the board."""
        return self.meter.bytes + sum(map(len, self.file_contents.values())) > self.model.memory // 2

    def factory_values(self, path: str, row: Row) -> dict[str, str] | None:
        """What a row that nobody can add had from the factory; None for rows that can be added."""
        table = self.tables[path]
        if "add" in table.menu.commands and row.values.get("default") != "true":
            return None
        return self._factory.get(path, {}).get(row.id, self.default_values(table.menu))

    def log(self, topics: str, message: str) -> None:
        """A line in /log."""
        table = self.tables["log"]
        while len(table) >= LOG_ROWS:
            table.delete(next(iter(table.rows.values())))
        wall = self.clock.wall()
        time = f"{wall:%H:%M:%S}" if self.version < (7, 10, 0) else format_moment(wall, self.version)
        table.insert({"time": time, "buffer": "memory", "topics": topics, "message": message})

    def policies_of(self, group: str) -> frozenset[str]:
        """Granted policies of a user group."""
        row = self.tables["user/group"].named(group)
        words = row.values.get("policy", "").split(",") if row is not None else []
        return frozenset(word for word in words if word and not word.startswith("!"))

    def single(self, path: str) -> dict[str, str]:
        """Values of a menu that has one row."""
        return next(iter(self.read(path).rows.values())).values

    def restart(self) -> None:
        """Boot: uptime from zero, everything dynamic gone. Sessions must have been ended before."""
        for table in self.tables.values():
            if table.menu.forget_on_reboot:
                table.clear()
                continue
            if "dynamic" in table.menu.by_name:
                for row in [row for row in table.rows.values() if row.is_dynamic]:
                    table.delete(row)
        self.boot_at = self.clock.now()
        self.boot_count += 1
        for hook in self.on_boot:
            hook()
        self.log("system,info", "router rebooted")

    def _forget_file(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        if change == "remove":
            self.file_contents.pop(row.values["name"], None)
        elif "name" in before and before["name"] in self.file_contents:
            self.file_contents[row.values["name"]] = self.file_contents.pop(str(before["name"]))

    def _follow_references(self, table: Table, change: str, row: Row, before: dict[str, str | None]) -> None:
        """A renamed object takes its references along; a deleted one leaves its id in them."""
        old_name = before.get("name") if change == "set" else row.values.get("name")
        if change == "add" or old_name is None or (change == "set" and "name" not in before):
            return
        new_name = row.values["name"] if change == "set" else row.id
        for path, column in references_of(self.version)[table.menu.path]:
            other = self.tables[path]
            for holder in other.by(column, old_name):
                other.update(holder, {column: new_name})

    def session_rates(self, interface: str) -> tuple[int, int]:
        """Bits per second received and sent on an interface right now."""
        for source in self.rate_sources:
            rates = source(interface)
            if rates is not None:
                return rates
        if self.tables["interface"].by("name", interface)[:1] and interface.startswith("ether1"):
            return self.random.randint(40_000, 90_000), self.random.randint(20_000, 60_000)
        return 0, 0

    def snapshot_values(self) -> dict[str, Any]:
        """Facts about the device for the control API."""
        return {
            "version": self.version_text,
            "model": self.model.board_name,
            "serial": self.serial,
            "identity": self.single("system/identity")["name"],
            "uptime": self.uptime(),
            "uptime_text": format_duration(self.uptime()),
            "wall": self.clock.wall().isoformat(),
            "boot_count": self.boot_count,
            "writes": self.writes,
        }


@functools.cache
def _cached_defaults(path: str, version: Version) -> tuple[tuple[str, str], ...]:
    props = menus_of(version)[path].props
    return tuple((p.name, p.default) for p in props if p.default is not None)


def _defaults(menu: Menu, version: Version) -> list[tuple[str, str]]:
    epoch = "jan/01/1970 00:00:00" if version < (7, 10, 0) else "1970-01-01 00:00:00"
    found = _cached_defaults(menu.path, version)
    return [(name, epoch if value == "@epoch" else value) for name, value in found]


def _new_serial() -> str:
    return secrets.token_hex(6).upper()


def require_single_row(table: Table) -> Row:
    """The one row of a single menu. Raises Trap when the table is empty (cannot happen on a booted
    device)."""
    for row in table.rows.values():
        return row
    raise Trap("no such item", 0)

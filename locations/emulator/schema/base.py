"""What a menu table says: properties, keys, commands. The commands themselves are generic and live
elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..values import Version

V6: Version = (6, 0, 0)
FOREVER: Version = (99, 0, 0)

TABLE = frozenset({"print", "getall", "find", "get", "listen", "add", "set", "edit", "remove"})
TOGGLE = frozenset({"enable", "disable", "comment"})
READ = frozenset({"print", "getall", "find", "get", "listen"})
SINGLE = frozenset({"print", "getall", "get", "set"})


@dataclass(frozen=True, slots=True)
class Prop:
    """One property of a menu.

    ``kind``: string, bool, enum, enumlist, int, bytes, duration, rates (pair), ip, prefix, mac, ref, reflist,
    ranges, targets. ``default``: stored and printed when the client says nothing; None: omitted while unset.
    ``extra``: words accepted beside the kind. ``omit``: a value that means unset and is not printed.
    ``ref``: the menu whose names are accepted. ``secret``: needs the policy ``sensitive`` to be read.
    ``hidden``: can be set and is never printed. ``when``: printed only while another property is, or lists, a value.
    ``settable_since``: read-only before that version.
    """

    name: str
    kind: str = "string"
    default: str | None = None
    ro: bool = False
    required: bool = False
    extra: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    omit: str | None = None
    ref: str = ""
    secret: bool = False
    hidden: bool = False
    when: tuple[str, str] | None = None
    settable_since: Version = V6
    since: Version = V6
    until: Version = FOREVER
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    """Columns that may not repeat together, and the router's words when they do."""

    columns: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu. ``is_single``: one row without .id. ``is_ordered``: move and place-before. ``first_id``: where a
    table's numbers start. ``interface_type``: its rows are interfaces too, and share their ids with /interface."""

    path: str
    props: tuple[Prop, ...]
    commands: frozenset[str]
    unique: tuple[Unique, ...] = ()
    is_single: bool = False
    is_ordered: bool = False
    print_flags: frozenset[str] = frozenset()
    since: Version = V6
    until: Version = FOREVER
    name_column: str = "name"
    first_id: int = 1
    interface_type: str = ""
    write_policies: frozenset[str] = frozenset({"write"})
    forget_on_reboot: bool = False
    command_since: dict[str, Version] = field(default_factory=dict)
    command_until: dict[str, Version] = field(default_factory=dict)
    by_name: dict[str, Prop] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({prop.name: prop for prop in self.props})

    def at_version(self, version: Version) -> Menu:
        """The same menu with only what the version knows."""
        props = tuple(
            prop if prop.settable_since <= version else replace(prop, ro=True, required=False)
            for prop in self.props
            if prop.since <= version < prop.until
        )
        commands = frozenset(
            command
            for command in self.commands
            if self.command_since.get(command, V6) <= version < self.command_until.get(command, FOREVER)
        )
        return replace(self, props=props, commands=commands)

    def at_path(self, path: str, since: Version = V6) -> Menu:
        """The same menu somewhere else."""
        return replace(self, path=path, since=since)

    def before(self, version: Version) -> Menu:
        """The same menu, gone from that version on."""
        return replace(self, until=version)


def ro(name: str, kind: str = "string", default: str | None = None, since: Version = V6) -> Prop:
    """A read-only property."""
    return Prop(name, kind, ro=True, default=default, since=since)


def shown(names: str, kind: str = "string", since: Version = V6) -> tuple[Prop, ...]:
    """Several read-only properties of one kind, named in one text."""
    return tuple(ro(name, kind, since=since) for name in names.split())


def texts(names: str, **options: Any) -> tuple[Prop, ...]:
    """Several settable properties that are alike, named in one text."""
    return tuple(Prop(name, **options) for name in names.split())


def view(path: str, names: str, *, flags: str = "", since: Version = V6, commands: str = "") -> Menu:
    """A menu that can only be looked at, and the few commands it has besides."""
    return Menu(
        path,
        shown(names),
        READ | frozenset(commands.split()),
        name_column="name" if "name" in names.split() else "",
        print_flags=frozenset(flags.split()),
        since=since,
    )


COMMENT = Prop("comment", omit="")
DISABLED = Prop("disabled", "bool", default="false")
DYNAMIC = ro("dynamic", "bool", default="false")
INVALID = ro("invalid", "bool", default="false")
DEFAULT = ro("default", "bool")

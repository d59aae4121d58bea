"""What a menu table says: properties, keys, commands. The commands themselves are generic and live
elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
    ``hidden``: can be set and is never printed.
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
    """One menu. ``is_single``: one row without .id. ``is_ordered``: move and place-before."""

    path: str
    props: tuple[Prop, ...]
    commands: frozenset[str]
    unique: tuple[Unique, ...] = ()
    is_single: bool = False
    is_ordered: bool = False
    print_flags: frozenset[str] = frozenset()
    since: Version = V6
    name_column: str = "name"
    first_dynamic_id: int = 0
    write_policies: frozenset[str] = frozenset({"write"})
    forget_on_reboot: bool = False
    command_since: dict[str, Version] = field(default_factory=dict)
    command_until: dict[str, Version] = field(default_factory=dict)
    by_name: dict[str, Prop] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({prop.name: prop for prop in self.props})

    def at_version(self, version: Version) -> Menu:
        """The same menu with only what the version knows."""
        props = tuple(prop for prop in self.props if prop.since <= version < prop.until)
        commands = frozenset(
            command
            for command in self.commands
            if self.command_since.get(command, V6) <= version < self.command_until.get(command, FOREVER)
        )
        return replace(self, props=props, commands=commands)


def ro(name: str, kind: str = "string", default: str | None = None, since: Version = V6) -> Prop:
    """A read-only property."""
    return Prop(name, kind, ro=True, default=default, since=since)


COMMENT = Prop("comment", omit="")
DISABLED = Prop("disabled", "bool", default="false")
DYNAMIC = ro("dynamic", "bool", default="false")
INVALID = ro("invalid", "bool", default="false")
DEFAULT = ro("default", "bool")

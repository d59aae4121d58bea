"""Menus under /system, /log and /file."""

from __future__ import annotations

from .base import COMMENT, DISABLED, READ, SINGLE, TABLE, TOGGLE, V6, Menu, Prop, Unique, ro

POLICIES = (
    "local",
    "telnet",
    "ssh",
    "ftp",
    "reboot",
    "read",
    "write",
    "policy",
    "test",
    "winbox",
    "password",
    "web",
    "sniff",
    "sensitive",
    "api",
    "romon",
    "rest-api",
)
_SCRIPT_POLICIES = (
    "ftp",
    "reboot",
    "read",
    "write",
    "policy",
    "test",
    "password",
    "sniff",
    "sensitive",
    "romon",
)
_ALL_SCRIPT_POLICIES = ",".join(_SCRIPT_POLICIES)
_VIEW = frozenset({"print", "getall", "get"})

RESOURCE = Menu(
    "system/resource",
    (
        ro("uptime", "duration"),
        ro("version"),
        ro("build-time"),
        ro("factory-software"),
        ro("free-memory", "int"),
        ro("total-memory", "int"),
        ro("cpu"),
        ro("cpu-count", "int"),
        ro("cpu-frequency", "int"),
        ro("cpu-load", "int"),
        ro("free-hdd-space", "int"),
        ro("total-hdd-space", "int"),
        ro("write-sect-since-reboot", "int"),
        ro("write-sect-total", "int"),
        ro("bad-blocks"),
        ro("architecture-name"),
        ro("board-name"),
        ro("platform"),
    ),
    _VIEW,
    is_single=True,
)

IDENTITY = Menu("system/identity", (Prop("name", default="MikroTik"),), SINGLE, is_single=True)

CLOCK = Menu(
    "system/clock",
    (
        Prop("time"),
        Prop("date"),
        Prop("time-zone-autodetect", "bool", default="true", since=(6, 27, 0)),
        Prop("time-zone-name", default="UTC"),
        ro("gmt-offset"),
        ro("dst-active", "bool"),
    ),
    SINGLE,
    is_single=True,
)

ROUTERBOARD = Menu(
    "system/routerboard",
    (
        ro("routerboard", "bool"),
        ro("board-name"),
        ro("model"),
        ro("revision"),
        ro("serial-number"),
        ro("firmware-type"),
        ro("factory-firmware"),
        ro("current-firmware"),
        ro("upgrade-firmware"),
    ),
    _VIEW,
    is_single=True,
)

LICENSE = Menu(
    "system/license",
    (
        ro("software-id"),
        ro("nlevel", "int"),
        ro("features"),
        ro("system-id"),
        ro("level"),
        ro("next-renewal-at"),
        ro("deadline-at"),
        ro("limited-upgrades", "bool"),
    ),
    _VIEW,
    is_single=True,
)

PACKAGE = Menu(
    "system/package",
    (
        ro("name"),
        ro("version"),
        ro("build-time"),
        ro("scheduled"),
        ro("bundle"),
        ro("size", "int", since=(7, 18, 0)),
        ro("available", "bool", since=(7, 18, 0)),
        ro("disabled", "bool"),
    ),
    READ,
)

HEALTH = Menu(
    "system/health",
    (ro("name"), ro("value"), ro("type")),
    READ,
    since=(7, 0, 0),
)

HEALTH_V6 = Menu("system/health", (ro("voltage"), ro("temperature")), _VIEW, is_single=True)

SCHEDULER = Menu(
    "system/scheduler",
    (
        Prop("name", required=True),
        Prop("start-date", "date"),
        Prop("start-time"),
        Prop("interval", "duration", default="0s"),
        Prop("on-event", default=""),
        ro("owner"),
        Prop("policy", "enumlist", default=_ALL_SCRIPT_POLICIES, enum=POLICIES),
        ro("run-count", "int", default="0"),
        ro("next-run"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("name",), "failure: item with this name already exists"),),
)

SCRIPT = Menu(
    "system/script",
    (
        Prop("name", required=True),
        Prop("owner"),
        Prop("policy", "enumlist", default=_ALL_SCRIPT_POLICIES, enum=POLICIES),
        Prop("dont-require-permissions", "bool", default="false", since=(6, 35, 0)),
        ro("last-started"),
        ro("run-count", "int", default="0"),
        Prop("source", default=""),
        ro("invalid", "bool", default="false"),
        COMMENT,
    ),
    TABLE | {"comment", "run"},
    unique=(Unique(("name",), "failure: item with such name already exists"),),
)

SCRIPT_JOB = Menu(
    "system/script/job",
    (ro("script"), ro("type"), ro("owner"), ro("policy"), ro("started")),
    READ | {"remove"},
    name_column="",
)

LOG = Menu(
    "log",
    (
        ro("time"),
        ro("buffer", default="memory"),
        ro("topics"),
        ro("message"),
        ro("extra-info", since=(7, 19, 0)),
    ),
    READ | {"info", "warning", "error", "debug"},
    name_column="",
    forget_on_reboot=True,
    print_flags=frozenset({"with-extra-info"}),
)

FILE = Menu(
    "file",
    (
        Prop("name", required=True),
        Prop("type", "enum", enum=("directory", "file"), settable_since=(7, 15, 0)),
        ro("size", "int"),
        ro("creation-time", since=V6),
        ro("last-modified", since=(7, 14, 0)),
        Prop("contents"),
    ),
    TABLE | {"read"},
    unique=(Unique(("name",), "failure: file already exists"),),
    write_policies=frozenset({"write", "ftp"}),
    command_since={"add": (7, 9, 0), "read": (7, 13, 0)},
    print_flags=frozenset({"path", "recursive", "relative"}),
)

BACKUP = Menu("system/backup", (), frozenset({"save", "load"}), name_column="")
REBOOT = Menu("system", (), frozenset({"reboot", "shutdown", "reset-configuration"}), name_column="")

MENUS = (
    RESOURCE,
    IDENTITY,
    CLOCK,
    ROUTERBOARD,
    LICENSE,
    PACKAGE,
    HEALTH,
    SCHEDULER,
    SCRIPT,
    SCRIPT_JOB,
    LOG,
    FILE,
    BACKUP,
    REBOOT,
)

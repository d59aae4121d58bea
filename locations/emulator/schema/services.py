"""Logging, time, SNMP, certificates, users' settings, netwatch: what stands around the billing menus."""

from __future__ import annotations

from ..values import Version
from .base import (
    COMMENT,
    DEFAULT,
    DISABLED,
    INVALID,
    READ,
    SINGLE,
    TABLE,
    TOGGLE,
    Menu,
    Prop,
    Unique,
    ro,
    shown,
    texts,
    view,
)

V7: Version = (7, 0, 0)
_POLICY = frozenset({"write", "policy"})

LOGGING = Menu(
    "system/logging",
    (
        Prop("topics", default="info"),
        Prop("prefix", default=""),
        Prop("regex", omit="", since=(7, 15, 0)),
        Prop("action", "ref", default="memory", ref="system/logging/action"),
        INVALID,
        ro("default", "bool", since=V7),
        DISABLED,
        Prop("comment", omit="", since=(7, 17, 0)),
    ),
    TABLE | {"enable", "disable"},
    name_column="",
)

LOGGING_ACTION = Menu(
    "system/logging/action",
    (
        Prop("name", required=True),
        Prop("target", "enum", required=True, enum=("disk", "echo", "email", "memory", "remote")),
        Prop("memory-lines", "int", default="1000", when=("target", "memory")),
        Prop("memory-stop-on-full", "bool", default="false", when=("target", "memory")),
        Prop("disk-file-name", default="log", when=("target", "disk")),
        Prop("disk-lines-per-file", "int", default="1000", when=("target", "disk")),
        Prop("disk-file-count", "int", default="2", when=("target", "disk")),
        Prop("disk-stop-on-full", "bool", default="false", when=("target", "disk")),
        Prop("remember", "bool", default="true", when=("target", "echo")),
        Prop("email-to", default="", when=("target", "email")),
        Prop("remote", default="0.0.0.0", when=("target", "remote")),  # noqa: S104 - a value, nothing is bound
        Prop("remote-port", "int", default="514", when=("target", "remote")),
        Prop("src-address", default="0.0.0.0", when=("target", "remote")),  # noqa: S104 - see above
        Prop("bsd-syslog", "bool", default="false", when=("target", "remote")),
        Prop("syslog-facility", default="daemon", when=("target", "remote")),
        Prop("syslog-severity", default="auto", when=("target", "remote")),
        DEFAULT,
    ),
    TABLE,
    unique=(Unique(("name",), "failure: action with the same name already exists"),),
    first_id=0,
)

NTP_CLIENT = Menu(
    "system/ntp/client",
    (
        Prop("enabled", "bool", default="false"),
        Prop("mode", "enum", default="unicast", enum=("broadcast", "manycast", "multicast", "unicast")),
        Prop("servers", default="", since=V7),
        *(Prop(name, default="0.0.0.0", until=V7) for name in ("primary-ntp", "secondary-ntp")),  # noqa: S104 - value
        Prop("vrf", default="main", since=V7),
        ro("freq-drift", default="0", since=V7),
        ro("status", default="stopped", since=V7),
    ),
    SINGLE,
    is_single=True,
)

CLOCK_MANUAL = Menu(
    "system/clock/manual",
    (
        Prop("time-zone", default="+00:00"),
        Prop("dst-delta", default="+00:00"),
        *texts("dst-start dst-end", default="@epoch"),
    ),
    SINGLE,
    is_single=True,
)

NOTE = Menu(
    "system/note",
    (Prop("show-at-login", "bool", default="true"), Prop("note", default="")),
    SINGLE,
    is_single=True,
)

SNMP = Menu(
    "snmp",
    (
        Prop("enabled", "bool", default="false"),
        *texts("contact location", default=""),
        ro("engine-id", default=""),
        Prop("engine-id-suffix", default="", since=(7, 10, 0)),
        Prop("src-address", default="::"),
        Prop("trap-target", default=""),
        Prop("trap-community", default="public"),
        Prop("trap-version", "int", default="1", low=1, high=3),
        Prop("trap-generators", default="temp-exception"),
        Prop("trap-interfaces", default=""),
        Prop("vrf", default="main", since=V7),
    ),
    SINGLE,
    is_single=True,
)

SNMP_COMMUNITY = Menu(
    "snmp/community",
    (
        Prop("name", required=True),
        Prop("addresses", default="::/0"),
        Prop("security", "enum", default="none", enum=("authorized", "none", "private")),
        Prop("read-access", "bool", default="true"),
        Prop("write-access", "bool", default="false"),
        Prop("authentication-protocol", "enum", default="MD5", enum=("MD5", "SHA1")),
        Prop("encryption-protocol", "enum", default="DES", enum=("AES", "DES")),
        *texts("authentication-password encryption-password", default="", secret=True),
        DEFAULT,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("name",), "failure: community with the same name already exists"),),
    first_id=0,
)

CERTIFICATE = Menu(
    "certificate",
    (
        Prop("name", required=True),
        Prop("common-name", required=True),
        Prop("subject-alt-name", default=""),
        Prop("key-size", default="2048"),
        Prop("days-valid", "int", default="365"),
        Prop("key-usage", default="digital-signature,key-cert-sign,crl-sign,tls-server,tls-client"),
        *texts("country state locality organization unit", omit=""),
        Prop("trusted", "bool", default="false"),
        *shown("invalid-before invalid-after expires-after fingerprint serial-number digest-algorithm key-type issuer"),
        *(ro(name, "bool") for name in ("private-key", "authority", "expired", "revoked", "crl")),
    ),
    TABLE | {"sign"},
    unique=(Unique(("name",), "failure: certificate with the same name already exists"),),
    print_flags=frozenset({"detail"}),
)

USER_AAA = Menu(
    "user/aaa",
    (
        Prop("use-radius", "bool", default="false"),
        Prop("accounting", "bool", default="true"),
        Prop("interim-update", "duration", default="0s"),
        Prop("default-group", "ref", default="read", ref="user/group"),
        Prop("exclude-groups", default=""),
    ),
    SINGLE,
    is_single=True,
    write_policies=_POLICY,
)

USER_SETTINGS = Menu(
    "user/settings",
    (
        Prop("minimum-password-length", "int", default="0"),
        Prop("minimum-categories", "int", default="0", low=0, high=4),
    ),
    SINGLE,
    is_single=True,
    since=(7, 1, 0),
    write_policies=_POLICY,
)

NETWATCH = Menu(
    "tool/netwatch",
    (
        Prop("name", omit="", since=(7, 4, 0)),
        Prop("host", required=True),
        Prop("type", default="simple", since=(7, 4, 0)),
        Prop("interval", "duration", default="10s"),
        Prop("timeout", "milliseconds", default="3s"),
        *texts("up-script down-script", default=""),
        ro("status", default="unknown"),
        ro("since"),
        ro("done-tests", "int", default="0", since=(7, 4, 0)),
        ro("failed-tests", "int", default="0", since=(7, 4, 0)),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    name_column="",
)

EMAIL = Menu(
    "tool/e-mail",
    (
        Prop("server", default="0.0.0.0"),  # noqa: S104 - a value of the router, nothing is bound
        Prop("port", "int", default="25", low=1, high=65535),
        Prop("tls", "enum", default="no", enum=("no", "starttls", "yes"), since=V7),
        Prop("start-tls", "enum", default="no", enum=("no", "tls-only", "yes"), until=V7),
        Prop("from", default="<>"),
        Prop("user", default=""),
        Prop("password", default="", secret=True),
        Prop("vrf", default="main", since=V7),
    ),
    SINGLE,
    is_single=True,
)

UPDATE = Menu(
    "system/package/update",
    (
        Prop("channel", "enum", default="stable", enum=("development", "long-term", "stable", "testing")),
        ro("installed-version"),
        ro("latest-version"),
        ro("status"),
    ),
    SINGLE,
    is_single=True,
)

MENUS = (
    LOGGING,
    LOGGING_ACTION,
    NTP_CLIENT,
    CLOCK_MANUAL,
    NOTE,
    SNMP,
    SNMP_COMMUNITY,
    CERTIFICATE,
    USER_AAA,
    USER_SETTINGS,
    NETWATCH,
    EMAIL,
    UPDATE,
    Menu("user/ssh-keys", shown("user bits key-owner info"), READ | {"remove"}, name_column=""),
    view("system/history", "action by time policy undoable redoable"),
    view("system/resource/cpu", "cpu load irq disk"),
)

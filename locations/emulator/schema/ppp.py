"""Menus under /ppp and /interface/pppoe-server."""

from __future__ import annotations

from .base import COMMENT, DEFAULT, DISABLED, INVALID, READ, SINGLE, TABLE, TOGGLE, Menu, Prop, Unique, ro
from .hotspot import QUEUE_TYPES

SERVICES = ("any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp")
_YES_NO_DEFAULT = ("default", "no", "yes")
_FOUR = ("default", "no", "required", "yes")

SECRET = Menu(
    "ppp/secret",
    (
        Prop("name", required=True),
        Prop("service", "enum", default="any", enum=SERVICES),
        Prop("caller-id", default=""),
        Prop("password", default="", secret=True),
        Prop("profile", "ref", default="default", ref="ppp/profile"),
        Prop("local-address", omit=""),
        Prop("remote-address", omit=""),
        Prop("remote-ipv6-prefix", omit=""),
        Prop("routes", default=""),
        Prop("ipv6-routes", default="", since=(7, 0, 0)),
        Prop("limit-bytes-in", "bytes", default="0"),
        Prop("limit-bytes-out", "bytes", default="0"),
        ro("last-logged-out", default="@epoch"),
        ro("last-caller-id", since=(6, 45, 0)),
        ro("last-disconnect-reason", since=(6, 45, 0)),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset"},
    unique=(Unique(("name", "service"), "failure: secret with the same name already exists"),),
)

PROFILE = Menu(
    "ppp/profile",
    (
        Prop("name", required=True),
        Prop("local-address", omit=""),
        Prop("remote-address", "address-or-pool", omit=""),
        Prop("remote-ipv6-prefix-pool", omit="none"),
        Prop("remote-ipv6-prefix-reuse", "bool", since=(7, 20, 0)),
        Prop("dhcpv6-pd-pool", omit="none"),
        Prop("dhcpv6-lease-time", "duration", since=(7, 20, 0)),
        Prop("dhcpv6-use-radius", "bool", since=(7, 20, 0)),
        Prop("bridge", omit=""),
        Prop("bridge-horizon"),
        Prop("bridge-learning", "enum", default="default", enum=_YES_NO_DEFAULT),
        Prop("bridge-path-cost"),
        Prop("bridge-port-priority"),
        Prop("bridge-port-trusted", "bool", since=(7, 17, 0)),
        Prop("bridge-port-vid", "int", since=(7, 17, 0)),
        Prop("session-timeout", "duration", omit="0s"),
        Prop("idle-timeout", "duration", omit="0s"),
        Prop("use-ipv6", "enum", default="yes", enum=_FOUR, since=(6, 20, 0)),
        Prop("use-mpls", "enum", default="default", enum=_FOUR),
        Prop("use-compression", "enum", default="default", enum=_YES_NO_DEFAULT),
        Prop("use-encryption", "enum", default="default", enum=_FOUR),
        Prop("rate-limit", omit=""),
        Prop("only-one", "enum", default="default", enum=_YES_NO_DEFAULT),
        Prop("change-tcp-mss", "enum", default="yes", enum=_YES_NO_DEFAULT),
        Prop("use-upnp", "enum", default="default", enum=_YES_NO_DEFAULT),
        Prop("incoming-filter", omit=""),
        Prop("outgoing-filter", omit=""),
        Prop("address-list", default=""),
        Prop("interface-list", omit=""),
        Prop("dns-server", omit=""),
        Prop("wins-server", omit=""),
        Prop("parent-queue", omit="none"),
        Prop("queue-type", "enum", enum=QUEUE_TYPES),
        Prop("insert-queue-before", omit=""),
        Prop("on-up", default=""),
        Prop("on-down", default=""),
        DEFAULT,
        COMMENT,
    ),
    TABLE | {"comment", "unset"},
    unique=(Unique(("name",), "failure: profile with the same name already exists"),),
    first_id=0,
)

ACTIVE = Menu(
    "ppp/active",
    (
        ro("name"),
        ro("service"),
        ro("caller-id"),
        ro("address", "ip"),
        ro("uptime", "duration"),
        ro("encoding", default=""),
        ro("session-id"),
        ro("limit-bytes-in", "int", default="0"),
        ro("limit-bytes-out", "int", default="0"),
        ro("radius", "bool", default="false"),
        ro("comment"),
    ),
    READ | {"remove"},
    first_id=0x80000001,
    print_flags=frozenset({"stats"}),
    forget_on_reboot=True,
)

AAA = Menu(
    "ppp/aaa",
    (
        Prop("use-radius", "bool", default="false"),
        Prop("accounting", "bool", default="true"),
        Prop("interim-update", "duration", default="0s"),
        Prop("use-circuit-id-in-nas-port-id", "bool", default="false", since=(6, 43, 0)),
        Prop("enable-ipv6-accounting", "bool", default="false", since=(7, 15, 0)),
    ),
    SINGLE,
    is_single=True,
)

L2TP_SECRET = Menu(
    "ppp/l2tp-secret",
    (Prop("address"), Prop("secret", secret=True), COMMENT),
    TABLE | {"comment"},
    name_column="",
)

PPPOE = Menu(
    "interface/pppoe-server",
    (
        Prop("name", required=True),
        Prop("user", default=""),
        Prop("service", default=""),
        ro("remote-address"),
        ro("interface"),
        ro("mtu", "int"),
        ro("mru", "int"),
        ro("uptime", "duration"),
        ro("encoding"),
        ro("running", "bool", default="false"),
        ro("dynamic", "bool", default="false"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("name",), "failure: already have interface with such name"),),
)

PPPOE_SERVER = Menu(
    "interface/pppoe-server/server",
    (
        Prop("service-name", default=""),
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("max-mtu", "int", default="auto", extra=("auto",)),
        Prop("max-mru", "int", default="auto", extra=("auto",)),
        Prop("mrru", "int", default="disabled", extra=("disabled",)),
        Prop(
            "authentication",
            "enumlist",
            default="pap,chap,mschap1,mschap2",
            enum=("pap", "chap", "mschap1", "mschap2"),
        ),
        Prop("keepalive-timeout", "int", default="10", extra=("disabled",)),
        Prop("one-session-per-host", "bool", default="false"),
        Prop("max-sessions", "int", default="unlimited", extra=("unlimited",)),
        Prop("pado-delay", "int", default="0"),
        Prop("default-profile", "ref", default="default", ref="ppp/profile"),
        Prop("accept-empty-service", "bool", default="true", since=(7, 10, 0)),
        Prop("accept-untagged", "bool", default="true", since=(7, 20, 0)),
        Prop("pppoe-over-vlan-range", since=(7, 17, 0), omit=""),
        INVALID,
        Prop("disabled", "bool", default="true"),
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("service-name", "interface"), "failure: already have such service"),),
    name_column="",
)

MENUS = (SECRET, PROFILE, ACTIVE, AAA, L2TP_SECRET, PPPOE, PPPOE_SERVER)

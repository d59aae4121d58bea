"""Menus under /ip/dhcp-server and /ip/dhcp-client."""

from __future__ import annotations

from .base import COMMENT, DISABLED, DYNAMIC, INVALID, SINGLE, TABLE, TOGGLE, Menu, Prop, Unique, ro, shown, texts

SERVER = Menu(
    "ip/dhcp-server",
    (
        Prop("name", required=True),
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("relay", omit="0.0.0.0"),  # noqa: S104 - means unset
        Prop("address-pool", "ref", default="static-only", ref="ip/pool", extra=("static-only",)),
        Prop("lease-time", "duration", default="30m"),
        Prop("authoritative", default="yes"),
        Prop("bootp-support", "enum", omit="static", enum=("dynamic", "none", "static")),
        Prop("delay-threshold", "duration", omit="none", extra=("none",)),
        Prop("always-broadcast", "bool", omit="false"),
        Prop("add-arp", "bool", omit="false"),
        Prop("use-radius", "bool", default="false", extra=("accounting",)),
        Prop("lease-script", default=""),
        Prop("conflict-detection", "bool", omit="true", since=(6, 43, 0)),
        Prop("client-mac-limit", "int", omit="unlimited", extra=("unlimited",)),
        *texts("parent-queue insert-queue-before dhcp-option-set server-address", omit=""),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"setup"},
    unique=(Unique(("name",), "failure: already have dhcp server with such name"),),
)

CONFIG = Menu(
    "ip/dhcp-server/config",
    (
        Prop("store-leases-disk", "duration", default="5m", extra=("immediately", "never")),
        Prop("accounting", "bool", default="true", since=(7, 0, 0)),
        Prop("interim-update", "duration", default="0s", since=(7, 0, 0)),
    ),
    SINGLE,
    is_single=True,
)

NETWORK = Menu(
    "ip/dhcp-server/network",
    (
        Prop("address", "ip-prefix", required=True),
        *texts("gateway netmask next-server", omit=""),
        *texts("dns-server wins-server ntp-server caps-manager domain dhcp-option dhcp-option-set", default=""),
        Prop("dns-none", "bool", omit="false", since=(6, 44, 0)),
        Prop("boot-file-name", omit=""),
        DYNAMIC,
        COMMENT,
    ),
    TABLE | {"comment"},
    name_column="",
)

OPTION = Menu(
    "ip/dhcp-server/option",
    (
        Prop("name", required=True),
        Prop("code", "int", required=True, low=1, high=254),
        Prop("value", default=""),
        Prop("force", "bool", default="false", since=(6, 46, 0)),
        ro("raw-value", default=""),
        Prop("comment", omit="", since=(7, 16, 0)),
    ),
    TABLE,
    unique=(Unique(("name",), "failure: option with the same name already exists"),),
)

OPTION_SET = Menu(
    "ip/dhcp-server/option/sets",
    (Prop("name", required=True), Prop("options", default=""), Prop("comment", omit="", since=(7, 16, 0))),
    TABLE,
    unique=(Unique(("name",), "failure: set with the same name already exists"),),
)

LEASE = Menu(
    "ip/dhcp-server/lease",
    (
        Prop("address"),
        Prop("mac-address", "mac"),
        Prop("client-id", omit=""),
        Prop("address-lists", default=""),
        Prop("server", extra=("all",), omit="all"),
        Prop("dhcp-option", default=""),
        Prop("rate-limit", omit=""),
        Prop("lease-time", "duration", omit="0s"),
        Prop("always-broadcast", "bool", omit="false"),
        Prop("block-access", "bool", omit="false"),
        Prop("use-src-mac", "bool", omit="false"),
        *texts("insert-queue-before parent-queue dhcp-option-set routes", omit=""),
        ro("status"),
        ro("expires-after", "duration"),
        ro("last-seen"),
        ro("active-address"),
        ro("active-mac-address", "mac"),
        *shown("active-client-id active-server host-name agent-circuit-id class-id"),
        ro("radius", "bool", default="false"),
        DYNAMIC,
        ro("blocked", "bool", default="false"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset"},
    name_column="",
    print_flags=frozenset({"active"}),
)

CLIENT = Menu(
    "ip/dhcp-client",
    (
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("add-default-route", "enum", default="yes", enum=("no", "special-classless", "yes")),
        Prop("default-route-distance", "int", default="1"),
        Prop("use-peer-dns", "bool", default="true"),
        Prop("use-peer-ntp", "bool", default="true"),
        Prop("dhcp-options", default="hostname,clientid"),
        *shown("status address gateway dhcp-server primary-dns secondary-dns expires-after"),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset"},
    unique=(Unique(("interface",), "failure: dhcp-client on that interface already exists"),),
    name_column="",
)

MENUS = (SERVER, CONFIG, NETWORK, OPTION, OPTION_SET, LEASE, CLIENT)

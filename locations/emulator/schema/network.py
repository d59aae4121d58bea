"""Interfaces, addresses, pools, queues, services and the neighbours a monitoring client asks for."""

from __future__ import annotations

from .base import COMMENT, DISABLED, DYNAMIC, INVALID, READ, TABLE, TOGGLE, Menu, Prop, Unique, ro
from .hotspot import NONE, QUEUE_TYPES

_DIRECTIONS = ("rx", "tx")
_NET_COUNTERS = (
    *(ro(f"{way}-{what}", "int", default="0") for what in ("byte", "packet", "drop", "error") for way in _DIRECTIONS),
    ro("tx-queue-drop", "int", default="0"),
    *(ro(f"fp-{way}-{what}", "int", default="0") for what in ("byte", "packet") for way in _DIRECTIONS),
)

INTERFACE = Menu(
    "interface",
    (
        Prop("name", required=True),
        ro("default-name"),
        ro("type"),
        Prop("mtu", "int", default="1500", extra=("auto",)),
        ro("actual-mtu", "int", default="1500"),
        Prop("l2mtu", "int"),
        ro("max-l2mtu", "int"),
        ro("mac-address", "mac"),
        ro("last-link-down-time"),
        ro("last-link-up-time"),
        ro("link-downs", "int", default="0"),
        *_NET_COUNTERS,
        ro("dynamic", "bool"),
        ro("slave", "bool"),
        ro("running", "bool", default="true"),
        DISABLED,
        COMMENT,
    ),
    READ | {"set", "edit", "enable", "disable", "comment", "reset-counters", "monitor-traffic"},
    unique=(Unique(("name",), "failure: already have interface with such name"),),
    print_flags=frozenset({"stats", "stats-detail"}),
)

ETHERNET = Menu(
    "interface/ethernet",
    (
        Prop("name", required=True),
        ro("default-name"),
        Prop("mtu", "int", default="1500"),
        Prop("l2mtu", "int"),
        Prop("mac-address", "mac"),
        ro("orig-mac-address", "mac"),
        Prop(
            "arp",
            "enum",
            default="enabled",
            enum=("disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only"),
        ),
        ro("running", "bool", default="true"),
        ro("slave", "bool"),
        DISABLED,
        COMMENT,
    ),
    READ | {"set", "edit", "enable", "disable", "comment", "monitor"},
    print_flags=frozenset({"stats"}),
    unique=(Unique(("name",), "failure: already have interface with such name"),),
    interface_type="ether",
)

ADDRESS = Menu(
    "ip/address",
    (
        Prop("address", "ip-prefix", required=True),
        Prop("network", "ip"),
        Prop("interface", "ref", required=True, ref="interface"),
        ro("actual-interface"),
        Prop("netmask", omit=""),
        Prop("broadcast", omit=""),
        INVALID,
        DYNAMIC,
        ro("slave", "bool", since=(7, 13, 0)),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("address", "interface"), "failure: already have such address"),),
    name_column="",
)

POOL = Menu(
    "ip/pool",
    (
        Prop("name", required=True),
        Prop("ranges", "ranges", required=True),
        Prop("next-pool", "ref", omit="none", ref="ip/pool", extra=NONE),
        ro("total", "int", since=(7, 18, 0)),
        ro("used", "int", since=(7, 18, 0)),
        ro("available", "int", since=(7, 18, 0)),
        COMMENT,
    ),
    TABLE | {"comment"},
    unique=(Unique(("name",), "failure: pool with such name exists"),),
)

POOL_USED = Menu(
    "ip/pool/used",
    (ro("pool"), ro("address", "ip"), ro("owner"), ro("info")),
    READ,
    name_column="",
    forget_on_reboot=True,
)

SERVICE = Menu(
    "ip/service",
    (
        ro("name"),
        Prop("port", "int", low=1, high=65535),
        Prop("address", default=""),
        Prop("certificate", omit=""),
        Prop("tls-version", "enum", enum=("any", "only-1.2"), since=(6, 45, 0)),
        Prop("vrf", default="main", since=(7, 1, 0)),
        Prop("max-sessions", "int", default="20", since=(7, 16, 0), low=1, high=1000),
        INVALID,
        DISABLED,
    ),
    READ | {"set", "edit", "enable", "disable"},
    first_id=0,
)

QUEUE_SIMPLE = Menu(
    "queue/simple",
    (
        Prop("name"),
        Prop("target", "targets", required=True),
        Prop("dst", omit=""),
        Prop("parent", "ref", default="none", ref="queue/simple", extra=NONE),
        Prop("packet-marks", default=""),
        Prop("priority", default="8/8"),
        Prop("queue", "queue-pair", default="default-small/default-small"),
        Prop("limit-at", "rates", default="0/0"),
        Prop("max-limit", "rates", default="0/0"),
        Prop("burst-limit", "rates", default="0/0"),
        Prop("burst-threshold", "rates", default="0/0"),
        Prop("burst-time", "duration-pair", default="0s/0s"),
        Prop("bucket-size", default="0.1/0.1", since=(6, 35, 0)),
        Prop("time", omit=""),
        *(Prop(f"total-{name}", omit="") for name in ("bucket-size", "burst-limit", "burst-threshold", "burst-time")),
        *(Prop(f"total-{name}", omit="") for name in ("limit-at", "max-limit", "priority")),
        Prop("total-queue", "enum", omit="", enum=QUEUE_TYPES),
        *(
            ro(prefix + name, default="0" if prefix else zero)
            for name, zero in (
                ("bytes", "0/0"),
                ("packets", "0/0"),
                ("dropped", "0/0"),
                ("rate", "0/0"),
                ("packet-rate", "0/0"),
                ("queued-packets", "0/0"),
                ("queued-bytes", "0/0"),
            )
            for prefix in ("", "total-")
        ),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move", "unset", "reset-counters", "reset-counters-all"},
    unique=(Unique(("name",), "failure: already have such name"),),
    is_ordered=True,
    print_flags=frozenset({"stats", "rate", "bytes", "packets"}),
)

ARP = Menu(
    "ip/arp",
    (
        Prop("address", "ip", required=True),
        Prop("mac-address", "mac"),
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("published", "bool", default="false"),
        INVALID,
        ro("DHCP", "bool", default="false"),
        DYNAMIC,
        ro("complete", "bool", default="true"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    name_column="",
)

MENUS = (
    INTERFACE,
    ETHERNET,
    ADDRESS,
    POOL,
    POOL_USED,
    SERVICE,
    QUEUE_SIMPLE,
    ARP,
)

"""Firewall: address lists, filter and NAT rules. Rules are kept and shown; no packet is ever judged by them."""

from __future__ import annotations

from .base import COMMENT, DISABLED, DYNAMIC, INVALID, SINGLE, TABLE, TOGGLE, Menu, Prop, Unique, ro, view

ADDRESS_LIST = Menu(
    "ip/firewall/address-list",
    (
        Prop("list", required=True),
        Prop("address", "list-address", required=True),
        ro("creation-time", since=(6, 36, 0)),
        Prop("timeout", "duration", omit="0s", extra=("none-dynamic", "none-static")),
        Prop("dynamic", "bool", default="false"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("list", "address"), "failure: already have such entry"),),
    name_column="",
)

_RULE_COMMANDS = TABLE | TOGGLE | {"move", "unset", "reset-counters", "reset-counters-all"}
_MATCHERS = tuple(
    Prop(name, omit="")
    for name in (
        "connection-bytes",
        "connection-limit",
        "connection-mark",
        "connection-rate",
        "connection-type",
        "content",
        "dscp",
        "dst-address",
        "dst-address-list",
        "dst-address-type",
        "dst-limit",
        "dst-port",
        "hotspot",
        "icmp-options",
        "in-bridge-port",
        "in-bridge-port-list",
        "in-interface",
        "in-interface-list",
        "ingress-priority",
        "ipsec-policy",
        "ipv4-options",
        "layer7-protocol",
        "limit",
        "nth",
        "out-bridge-port",
        "out-bridge-port-list",
        "out-interface",
        "out-interface-list",
        "packet-mark",
        "packet-size",
        "per-connection-classifier",
        "port",
        "priority",
        "protocol",
        "psd",
        "random",
        "routing-mark",
        "src-address",
        "src-address-list",
        "src-address-type",
        "src-mac-address",
        "src-port",
        "tcp-mss",
        "time",
        "ttl",
    )
)
_COMMON = (
    Prop("address-list", omit=""),
    Prop("address-list-timeout", omit=""),
    Prop("jump-target", omit=""),
    Prop("log", "bool", default="false"),
    Prop("log-prefix", default=""),
    Prop("tls-host", omit="", since=(6, 41, 0)),
    ro("bytes", "int", default="0"),
    ro("packets", "int", default="0"),
    INVALID,
    DYNAMIC,
    DISABLED,
    COMMENT,
)

FILTER = Menu(
    "ip/firewall/filter",
    (
        Prop("chain", required=True),
        Prop(
            "action",
            "enum",
            default="accept",
            enum=(
                "accept",
                "add-dst-to-address-list",
                "add-src-to-address-list",
                "drop",
                "fasttrack-connection",
                "jump",
                "log",
                "passthrough",
                "reject",
                "return",
                "tarpit",
            ),
        ),
        *_MATCHERS,
        Prop("connection-nat-state", omit=""),
        Prop("connection-state", omit=""),
        Prop("fragment", omit=""),
        Prop("p2p", omit="", until=(7, 1, 0)),
        Prop("reject-with", omit=""),
        Prop("tcp-flags", omit=""),
        *_COMMON,
    ),
    _RULE_COMMANDS,
    is_ordered=True,
    name_column="",
    print_flags=frozenset({"stats", "bytes", "packets"}),
)

NAT = Menu(
    "ip/firewall/nat",
    (
        Prop("chain", required=True),
        Prop(
            "action",
            "enum",
            default="accept",
            enum=(
                "accept",
                "add-dst-to-address-list",
                "add-src-to-address-list",
                "dst-nat",
                "endpoint-independent-nat",
                "jump",
                "log",
                "masquerade",
                "netmap",
                "passthrough",
                "redirect",
                "return",
                "same",
                "src-nat",
            ),
        ),
        *_MATCHERS,
        Prop("to-addresses", omit=""),
        Prop("to-ports", omit=""),
        Prop("randomise-ports", omit=""),
        Prop("same-not-by-dst", omit=""),
        *_COMMON,
    ),
    _RULE_COMMANDS,
    is_ordered=True,
    name_column="",
    print_flags=frozenset({"stats", "bytes", "packets"}),
)

_MARKING = Menu(
    "ip/firewall/mangle",
    (
        Prop("chain", required=True),
        Prop("action", default="accept"),
        *_MATCHERS,
        *(Prop(name, omit="") for name in ("connection-state", "connection-nat-state", "fragment", "tcp-flags")),
        *(Prop(name, omit="") for name in ("new-connection-mark", "new-packet-mark", "new-routing-mark")),
        *(Prop(name, omit="") for name in ("new-dscp", "new-mss", "new-priority", "new-ttl", "route-dst")),
        Prop("passthrough", "bool", omit=""),
        *_COMMON,
    ),
    _RULE_COMMANDS,
    is_ordered=True,
    name_column="",
    print_flags=frozenset({"stats", "bytes", "packets"}),
)
MANGLE = _MARKING
RAW = _MARKING.at_path("ip/firewall/raw", since=(6, 36, 0))

TRACKING = Menu(
    "ip/firewall/connection/tracking",
    (
        Prop("enabled", default="auto"),
        Prop("tcp-established-timeout", "duration", default="1d"),
        Prop("udp-timeout", "duration", default="30s"),
        Prop("udp-stream-timeout", "duration", default="3m"),
        Prop("icmp-timeout", "duration", default="10s"),
        Prop("generic-timeout", "duration", default="10m"),
        Prop("loose-tcp-tracking", "bool", default="true"),
        ro("max-entries", "int", default="1048576"),
        ro("total-entries", "int", default="0"),
    ),
    SINGLE,
    is_single=True,
)

LAYER7 = Menu(
    "ip/firewall/layer7-protocol",
    (Prop("name", required=True), Prop("regexp", default=""), COMMENT),
    TABLE | {"comment"},
    unique=(Unique(("name",), "failure: protocol with the same name already exists"),),
)

_CONNECTION = (
    "protocol src-address dst-address reply-src-address reply-dst-address tcp-state timeout orig-bytes repl-bytes"
)

MENUS = (
    ADDRESS_LIST,
    FILTER,
    NAT,
    MANGLE,
    RAW,
    view("ip/firewall/connection", _CONNECTION, commands="remove"),
    TRACKING,
    LAYER7,
)

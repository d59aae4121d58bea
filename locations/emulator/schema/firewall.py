"""Firewall: address lists, filter and NAT rules. Rules are kept and shown; no packet is ever judged by them."""

from __future__ import annotations

from .base import COMMENT, DISABLED, DYNAMIC, INVALID, TABLE, TOGGLE, Menu, Prop, Unique, ro

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

MENUS = (ADDRESS_LIST, FILTER, NAT)

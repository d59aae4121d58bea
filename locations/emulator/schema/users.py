"""Menus under /user, and /radius."""

from __future__ import annotations

from .base import COMMENT, DISABLED, READ, SINGLE, TABLE, TOGGLE, Menu, Prop, Unique, ro
from .system import POLICIES

_POLICY = frozenset({"write", "policy"})

USER = Menu(
    "user",
    (
        Prop("name", required=True),
        Prop("password", omit="", hidden=True),
        Prop("group", "ref", required=True, ref="user/group"),
        Prop("address", default=""),
        Prop("inactivity-timeout", "duration", default="10m", since=(7, 16, 0)),
        Prop(
            "inactivity-policy",
            "enum",
            default="none",
            enum=("lockscreen", "logout", "none"),
            since=(7, 16, 0),
        ),
        ro("last-logged-in"),
        ro("expired", "bool", default="false", since=(7, 0, 0)),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("name",), "failure: user with the same name already exists"),),
    write_policies=_POLICY,
)

GROUP = Menu(
    "user/group",
    (
        Prop("name", required=True),
        Prop("policy", "policies", default="", enum=POLICIES),
        Prop("skin", default="default"),
        COMMENT,
    ),
    TABLE | {"comment"},
    unique=(Unique(("name",), "failure: group with the same name already exists"),),
    write_policies=_POLICY,
)

ACTIVE = Menu(
    "user/active",
    (
        ro("when"),
        ro("name"),
        ro("address"),
        ro("via"),
        ro("group"),
        ro("radius", "bool", default="false"),
        ro("by-romon", "bool"),
    ),
    READ | {"remove", "request-logout"},
    name_column="",
    forget_on_reboot=True,
    command_since={"remove": (7, 20, 0)},
    command_until={"request-logout": (7, 20, 0)},
)

RADIUS = Menu(
    "radius",
    (
        Prop(
            "service",
            "enumlist",
            default="",
            enum=("ppp", "login", "hotspot", "wireless", "dhcp", "ipsec", "dot1x"),
        ),
        Prop("called-id", default=""),
        Prop("domain", default=""),
        Prop("address", default="0.0.0.0"),  # noqa: S104 - a value of the router, nothing is bound
        Prop("secret", default="", secret=True),
        Prop("authentication-port", "int", default="1812", low=1, high=65535),
        Prop("accounting-port", "int", default="1813", low=1, high=65535),
        Prop("timeout", "milliseconds", default="300ms"),
        Prop("accounting-backup", "bool", default="false"),
        Prop("realm", omit=""),
        Prop("src-address", default="0.0.0.0"),  # noqa: S104 - see above
        Prop("protocol", "enum", default="udp", enum=("radsec", "udp"), since=(6, 43, 0)),
        Prop("radsec-timeout", "milliseconds", default="3300ms", since=(7, 19, 3)),
        Prop("certificate", default="none"),
        Prop(
            "require-message-auth",
            "enum",
            default="yes-for-request-resp",
            enum=("no", "yes-for-request-resp"),
            since=(7, 15, 0),
        ),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move"},
    is_ordered=True,
    name_column="",
)

RADIUS_INCOMING = Menu(
    "radius/incoming",
    (
        Prop("accept", "bool", default="false"),
        Prop("port", "int", default="3799", low=1, high=65535),
        Prop("vrf", default="main", since=(7, 0, 0)),
    ),
    SINGLE,
    is_single=True,
)

MENUS = (USER, GROUP, ACTIVE, RADIUS, RADIUS_INCOMING)

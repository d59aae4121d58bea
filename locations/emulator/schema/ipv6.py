"""The IPv6 menus that clients of all kinds print. Nothing of it is routed."""

from __future__ import annotations

from .base import COMMENT, DISABLED, DYNAMIC, INVALID, TABLE, TOGGLE, Menu, Prop, Unique, ro, shown, view
from .firewall import ADDRESS_LIST, FILTER, MANGLE, NAT, RAW

ADDRESS = Menu(
    "ipv6/address",
    (
        Prop("address", "ip-prefix", required=True),
        Prop("from-pool", default=""),
        Prop("interface", "ref", required=True, ref="interface"),
        ro("actual-interface"),
        Prop("eui-64", "bool", default="false"),
        Prop("advertise", "bool", default="true"),
        Prop("no-dad", "bool", default="false"),
        ro("global", "bool"),
        ro("link-local", "bool"),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    name_column="",
)

POOL = Menu(
    "ipv6/pool",
    (
        Prop("name", required=True),
        Prop("prefix", "ip-prefix", required=True),
        Prop("prefix-length", "int", required=True),
        ro("expires-after"),
        DYNAMIC,
        Prop("comment", omit="", since=(7, 16, 0)),
    ),
    TABLE,
    unique=(Unique(("name",), "failure: pool with such name exists"),),
)

ROUTE = Menu(
    "ipv6/route",
    (
        Prop("dst-address", "ip-prefix", default="::/0"),
        Prop("gateway", omit=""),
        Prop("distance", "int", default="1", low=1, high=255),
        Prop("scope", "int", default="30"),
        Prop("target-scope", "int", default="10"),
        *shown("active static connect bgp ospf dhcp", "bool"),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    name_column="",
)

MENUS = (
    ADDRESS,
    POOL,
    ROUTE,
    view("ipv6/neighbor", "address interface mac-address status router comment"),
    view("ipv6/dhcp-server/binding", "address duid server iaid status expires-after"),
    ADDRESS_LIST.at_path("ipv6/firewall/address-list"),
    FILTER.at_path("ipv6/firewall/filter"),
    NAT.at_path("ipv6/firewall/nat", since=(7, 1, 0)),
    MANGLE.at_path("ipv6/firewall/mangle"),
    RAW.at_path("ipv6/firewall/raw", since=(7, 1, 0)),
    view("ipv6/firewall/connection", "protocol src-address dst-address timeout"),
)

"""Firewall address lists."""

from __future__ import annotations

from .base import COMMENT, DISABLED, TABLE, TOGGLE, Menu, Prop, Unique, ro

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

MENUS = (ADDRESS_LIST,)

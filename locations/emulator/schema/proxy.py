"""The web proxy: what clients' own test suites write rules into."""

from __future__ import annotations

from ..values import Version
from .base import COMMENT, DISABLED, SINGLE, TABLE, TOGGLE, Menu, Prop, ro

V7: Version = (7, 0, 0)

PROXY = Menu(
    "ip/proxy",
    (
        Prop("enabled", "bool", default="false"),
        Prop("src-address", default="::"),
        Prop("port", default="8080"),
        Prop("anonymous", "bool", default="false"),
        Prop("parent-proxy", default="::"),
        Prop("parent-proxy-port", "int", default="0"),
        Prop("cache-administrator", default="webmaster"),
        Prop("max-cache-size", default="unlimited"),
        Prop("max-cache-object-size", "int", default="2048"),
        Prop("cache-on-disk", "bool", default="false"),
        Prop("max-client-connections", "int", default="600"),
        Prop("max-server-connections", "int", default="600"),
        Prop("max-fresh-time", "duration", default="3d"),
        Prop("serialize-connections", "bool", default="false"),
        Prop("always-from-cache", "bool", default="false"),
        Prop("cache-hit-dscp", "int", default="4", low=0, high=63),
        Prop("cache-path", default="web-proxy"),
    ),
    SINGLE,
)

ACCESS = Menu(
    "ip/proxy/access",
    (
        Prop("src-address"),
        Prop("dst-address"),
        Prop("dst-port"),
        Prop("local-port", "int"),
        Prop("dst-host"),
        Prop("path"),
        Prop("method"),
        Prop("action", "enum", default="allow", enum=("allow", "deny", "redirect")),
        Prop("action-data", since=V7),
        Prop("redirect-to", until=V7),
        ro("hits", "int", default="0"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move", "unset", "reset-counters", "reset-counters-all"},
    is_ordered=True,
    name_column="",
)

CACHE = Menu(
    "ip/proxy/cache",
    (
        Prop("src-address"),
        Prop("dst-address"),
        Prop("dst-port"),
        Prop("local-port", "int"),
        Prop("dst-host"),
        Prop("path"),
        Prop("method"),
        Prop("action", "enum", default="allow", enum=("allow", "deny")),
        ro("hits", "int", default="0"),
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"move", "unset"},
    is_ordered=True,
    name_column="",
)

MENUS = (PROXY, ACCESS, CACHE)

"""Routes, DNS, neighbours and what monitoring clients ask a router besides."""

from __future__ import annotations

from ..values import Version
from .base import (
    COMMENT,
    DISABLED,
    DYNAMIC,
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

ROUTE = Menu(
    "ip/route",
    (
        Prop("dst-address", "ip-prefix", default="0.0.0.0/0"),
        Prop("routing-table", default="main", since=V7),
        Prop("routing-mark", omit="", until=V7),
        Prop("pref-src", omit=""),
        Prop("gateway", omit=""),
        ro("immediate-gw", since=V7),
        Prop("check-gateway", "enum", omit="none", enum=("arp", "bfd", "none", "ping")),
        Prop("distance", "int", default="1", low=1, high=255),
        Prop("scope", "int", default="30", low=0, high=255),
        Prop("target-scope", "int", default="10", low=0, high=255),
        Prop("suppress-hw-offload", "bool", default="false", since=V7),
        Prop("blackhole", "bool", omit="false", since=V7),
        Prop("vrf-interface", omit=""),
        *(ro(name, "bool") for name in ("active", "static", "connect", "dhcp", "bgp", "ospf", "inactive", "ecmp")),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset"},
    name_column="",
)

DNS = Menu(
    "ip/dns",
    (
        Prop("servers", default=""),
        ro("dynamic-servers", default=""),
        Prop("use-doh-server", default="", since=(6, 47, 0)),
        Prop("verify-doh-cert", "bool", default="false", since=(6, 47, 0)),
        Prop("doh-max-server-connections", "int", default="5", since=V7),
        Prop("doh-max-concurrent-queries", "int", default="50", since=V7),
        Prop("doh-timeout", "duration", default="5s", since=V7),
        Prop("allow-remote-requests", "bool", default="false"),
        Prop("max-udp-packet-size", "int", default="4096"),
        Prop("query-server-timeout", "duration", default="2s"),
        Prop("query-total-timeout", "duration", default="10s"),
        Prop("max-concurrent-queries", "int", default="100"),
        Prop("max-concurrent-tcp-sessions", "int", default="20"),
        Prop("cache-size", "size", default="2048"),
        Prop("cache-max-ttl", "duration", default="1w"),
        Prop("address-list-extra-time", "duration", default="0s", since=(7, 14, 0)),
        Prop("vrf", default="main", since=(7, 15, 0)),
        Prop("mdns-repeat-ifaces", default="", since=(7, 16, 0)),
        ro("cache-used", default="48"),
    ),
    SINGLE,
    is_single=True,
)

DNS_STATIC = Menu(
    "ip/dns/static",
    (
        Prop("name", omit=""),
        Prop("regexp", omit=""),
        Prop("type", "enum", omit="A", enum=("A", "AAAA", "CNAME", "FWD", "MX", "NS", "NXDOMAIN", "SRV", "TXT")),
        Prop("address", "ip"),
        *texts("cname forward-to text ns mx-exchange srv-target address-list", omit=""),
        Prop("ttl", "duration", default="1d"),
        Prop("match-subdomain", "bool", omit="false", since=(7, 8, 0)),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(
        Unique(
            ("name", "regexp", "type", "address", "cname", "forward-to", "text", "ns", "mx-exchange", "srv-target"),
            "failure: entry already exists",
        ),
    ),
    name_column="",
)

CLOUD = Menu(
    "ip/cloud",
    (
        Prop("ddns-enabled", "bool", default="false", extra=("auto",)),
        Prop("ddns-update-interval", "duration", default="none", extra=("none",)),
        Prop("update-time", "bool", default="true"),
        *shown("public-address dns-name status"),
    ),
    SINGLE,
    is_single=True,
)

SETTINGS = Menu(
    "ip/settings",
    (
        Prop("ip-forward", "bool", default="true"),
        Prop("send-redirects", "bool", default="true"),
        Prop("accept-source-route", "bool", default="false"),
        Prop("accept-redirects", "bool", default="false"),
        Prop("secure-redirects", "bool", default="true"),
        Prop("rp-filter", "enum", default="no", enum=("loose", "no", "strict")),
        Prop("tcp-syncookies", "bool", default="false"),
        Prop("max-neighbor-entries", "int", default="16384"),
        Prop("arp-timeout", default="30s"),
        Prop("icmp-rate-limit", "int", default="10"),
        Prop("allow-fast-path", "bool", default="true"),
        ro("ipv4-fast-path-active", "bool", default="true"),
        ro("ipv4-fasttrack-active", "bool", default="false"),
    ),
    SINGLE,
    is_single=True,
)

DISCOVERY = Menu(
    "ip/neighbor/discovery-settings",
    (
        Prop("discover-interface-list", default="static", extra=("all", "none")),
        Prop("lldp-med-net-policy-vlan", default="disabled", since=(6, 42, 0)),
        Prop("protocol", default="cdp,lldp,mndp", since=(6, 44, 0)),
    ),
    SINGLE,
    is_single=True,
    since=(6, 41, 0),
)

ROUTING_TABLE = Menu(
    "routing/table",
    (Prop("name", required=True), Prop("fib", default=""), ro("invalid", "bool"), DYNAMIC, DISABLED, COMMENT),
    TABLE | TOGGLE,
    unique=(Unique(("name",), "failure: already have such table"),),
    since=V7,
)

KID_CONTROL = Menu(
    "ip/kid-control",
    (
        Prop("name", required=True),
        *texts("mon tue wed thu fri sat sun rate-limit", omit=""),
        *shown("paused blocked", "bool"),
        DISABLED,
    ),
    TABLE | {"enable", "disable"},
    unique=(Unique(("name",), "failure: already have such name"),),
    since=(6, 41, 0),
)

_NEIGHBOR = (
    "interface address address4 address6 mac-address identity platform version unpack age uptime software-id board "
    "ipv6 interface-name system-description system-caps system-caps-enabled discovered-by"
)

MENUS = (
    ROUTE,
    DNS,
    DNS_STATIC,
    view("ip/dns/cache", "name type data ttl static"),
    CLOUD,
    SETTINGS,
    Menu("ip/neighbor", shown(_NEIGHBOR), READ | {"unset"}, name_column=""),
    DISCOVERY,
    ROUTING_TABLE,
    KID_CONTROL,
    view("ip/kid-control/device", "name user mac-address ip-address rate-up rate-down bytes-up bytes-down inactive",
         since=(6, 41, 0)),
    view("ip/ipsec/active-peers", "id state uptime side local-address remote-address ph2-total", flags="stats"),
    view("routing/bgp/session", "name remote.address remote.as local.address established uptime prefix-count",
         since=(7, 1, 0)),
    view("routing/bfd/session", "remote-address up uptime multihop vrf", since=(7, 1, 0)),
    view("routing/ospf/neighbor", "instance area address router-id state adjacency", since=(7, 1, 0)),
    view("routing/stats/process", "tasks private-mem-blocks shared-mem-blocks pid kernel-time process-time",
         since=(7, 1, 0)),
    view("routing/bgp/peer", "name remote-address remote-as state uptime prefix-count").before(V7),
    view("routing/ospf/instance", "name router-id version vrf disabled"),
)  # fmt: skip

"""Interfaces of every kind besides the physical ones, bridges and interface lists."""

from __future__ import annotations

from ..values import Version
from .base import (
    COMMENT,
    DISABLED,
    DYNAMIC,
    INVALID,
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
_NAMES = (Unique(("name",), "failure: already have interface with such name"),)
_ARP = Prop(
    "arp", "enum", default="enabled", enum=("disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only")
)
_ARP_TIMEOUT = Prop("arp-timeout", "duration", default="auto", extra=("auto",), since=(6, 39, 0))
_RUNNING = ro("running", "bool", default="true")
_DOWN = ro("running", "bool", default="false")
_CLIENT_ALLOW = Prop(
    "allow", "enumlist", default="pap,chap,mschap1,mschap2", enum=("pap", "chap", "mschap1", "mschap2")
)
_PASSWORD = Prop("password", default="", secret=True)


def _port(path: str, kind: str, props: tuple[Prop, ...], since: Version = (6, 0, 0), flags: str = "") -> Menu:
    """A kind of interface that can be added."""
    return Menu(
        path,
        (Prop("name", required=True), *props, DISABLED, COMMENT),
        TABLE | TOGGLE | {"unset"},
        unique=_NAMES,
        interface_type=kind,
        since=since,
        print_flags=frozenset(flags.split()),
    )


BRIDGE = _port(
    "interface/bridge",
    "bridge",
    (
        Prop("mtu", default="auto"),
        ro("actual-mtu", "int", default="1500"),
        ro("l2mtu", "int"),
        _ARP,
        _ARP_TIMEOUT,
        ro("mac-address", "mac"),
        Prop("protocol-mode", "enum", default="rstp", enum=("mstp", "none", "rstp", "stp")),
        Prop("fast-forward", "bool", default="true", since=(6, 39, 0)),
        Prop("igmp-snooping", "bool", default="false", since=(6, 41, 0)),
        Prop("auto-mac", "bool", default="true"),
        Prop("admin-mac", "mac"),
        Prop("ageing-time", "duration", default="5m"),
        Prop("priority", default="0x8000"),
        Prop("max-message-age", "duration", default="20s"),
        Prop("forward-delay", "duration", default="15s"),
        Prop("transmit-hold-count", "int", default="6"),
        Prop("vlan-filtering", "bool", default="false", since=(6, 41, 0)),
        Prop("dhcp-snooping", "bool", default="false", since=(6, 43, 0)),
        Prop("pvid", "int", default="1", when=("vlan-filtering", "true"), since=(6, 41, 0)),
        _RUNNING,
    ),
)

BRIDGE_PORT = Menu(
    "interface/bridge/port",
    (
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("bridge", "ref", required=True, ref="interface/bridge"),
        Prop("priority", default="0x80"),
        Prop("path-cost", "int", default="10"),
        Prop("internal-path-cost", "int", default="10", since=(6, 41, 0)),
        Prop("edge", default="auto"),
        Prop("point-to-point", default="auto"),
        Prop("learn", default="auto", since=(6, 41, 0)),
        Prop("horizon", default="none"),
        Prop("hw", "bool", default="true", since=(6, 41, 0)),
        Prop("auto-isolate", "bool", default="false"),
        Prop("restricted-role", "bool", default="false"),
        Prop("restricted-tcn", "bool", default="false"),
        Prop("pvid", "int", default="1", since=(6, 41, 0)),
        Prop("frame-types", default="admit-all", since=(6, 41, 0)),
        Prop("ingress-filtering", "bool", default="true", since=(6, 41, 0)),
        Prop("unknown-unicast-flood", "bool", default="true"),
        Prop("unknown-multicast-flood", "bool", default="true"),
        Prop("broadcast-flood", "bool", default="true"),
        Prop("trusted", "bool", default="false", since=(6, 43, 0)),
        Prop("bpdu-guard", "bool", default="false", since=(6, 43, 0)),
        *shown("status role", since=V7),
        INVALID,
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("interface",), "failure: device already added as bridge port"),),
    name_column="",
)

BRIDGE_VLAN = Menu(
    "interface/bridge/vlan",
    (
        Prop("bridge", "ref", required=True, ref="interface/bridge"),
        Prop("vlan-ids", required=True),
        *texts("tagged untagged", default=""),
        *shown("current-tagged current-untagged"),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    name_column="",
    since=(6, 41, 0),
)

VLAN = _port(
    "interface/vlan",
    "vlan",
    (
        Prop("mtu", "int", default="1500"),
        ro("l2mtu", "int"),
        ro("mac-address", "mac"),
        _ARP,
        _ARP_TIMEOUT,
        Prop("loop-protect", default="default"),
        Prop("vlan-id", "int", required=True, low=1, high=4095),
        Prop("interface", "ref", required=True, ref="interface"),
        Prop("use-service-tag", "bool", default="false"),
        _RUNNING,
    ),
)

WIREGUARD = _port(
    "interface/wireguard",
    "wg",
    (
        Prop("mtu", "int", default="1420", extra=("auto",)),
        Prop("listen-port", "int", low=0, high=65535),
        Prop("private-key", secret=True),
        ro("public-key"),
        _RUNNING,
    ),
    V7,
)

WIREGUARD_PEERS = Menu(
    "interface/wireguard/peers",
    (
        Prop("interface", "ref", required=True, ref="interface/wireguard"),
        Prop("name", since=(7, 15, 0)),
        Prop("public-key", required=True),
        Prop("private-key", omit="", secret=True, since=(7, 15, 0)),
        Prop("preshared-key", omit="", secret=True),
        Prop("endpoint-address", default=""),
        Prop("endpoint-port", "int", default="0", low=0, high=65535),
        Prop("allowed-address", required=True),
        Prop("persistent-keepalive", "duration", omit="0s"),
        Prop("responder", "bool", omit="false", since=(7, 17, 0)),
        *shown("current-endpoint-address current-endpoint-port last-handshake"),
        *(ro(name, "int", default="0") for name in ("rx", "tx")),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE | {"unset"},
    since=V7,
)

_TUNNEL = (
    Prop("mtu", default="auto"),
    ro("actual-mtu", "int", default="1476"),
    Prop("local-address", default="0.0.0.0"),  # noqa: S104 - a value of the router, nothing is bound
    Prop("remote-address", "ip", required=True),
    Prop("keepalive", default="10s,10"),
    Prop("dscp", default="inherit"),
    Prop("clamp-tcp-mss", "bool", default="true"),
    Prop("dont-fragment", "bool", default="false", extra=("inherit",)),
    Prop("allow-fast-path", "bool", default="true"),
    Prop("ipsec-secret", omit="", secret=True),
    _DOWN,
)
GRE = _port("interface/gre", "gre-tunnel", _TUNNEL)
IPIP = _port("interface/ipip", "ipip-tunnel", _TUNNEL)
EOIP = _port(
    "interface/eoip",
    "eoip",
    (
        *_TUNNEL,
        Prop("tunnel-id", "int", required=True, low=0, high=65535),
        ro("l2mtu", "int", default="65535"),
        Prop("mac-address", "mac"),
        _ARP,
    ),
)

_DIAL = (
    Prop("user", default=""),
    _PASSWORD,
    Prop("profile", "ref", default="default-encryption", ref="ppp/profile"),
    _CLIENT_ALLOW,
    Prop("add-default-route", "bool", default="false"),
    Prop("default-route-distance", "int", default="1"),
    Prop("dial-on-demand", "bool", default="false"),
    Prop("keepalive-timeout", default="60"),
    _DOWN,
)
PPPOE_CLIENT = _port(
    "interface/pppoe-client",
    "pppoe-out",
    (
        Prop("interface", "ref", required=True, ref="interface"),
        *texts("service-name ac-name", default=""),
        *texts("max-mtu max-mru", default="auto"),
        Prop("mrru", default="disabled"),
        Prop("use-peer-dns", "bool", default="false"),
        *_DIAL,
    ),
)
L2TP_CLIENT = _port(
    "interface/l2tp-client",
    "l2tp-out",
    (
        Prop("connect-to", required=True),
        *texts("max-mtu max-mru", default="1450"),
        Prop("mrru", default="disabled"),
        Prop("use-ipsec", "bool", default="false"),
        Prop("ipsec-secret", default="", secret=True),
        *_DIAL,
    ),
)
SSTP_CLIENT = _port(
    "interface/sstp-client",
    "sstp-out",
    (
        Prop("connect-to", required=True),
        Prop("port", "int", default="443", low=1, high=65535),
        *texts("max-mtu max-mru", default="1500"),
        Prop("mrru", default="disabled"),
        *texts("http-proxy", default="0.0.0.0:443"),
        Prop("certificate", default="none"),
        *texts("verify-server-certificate verify-server-address-from-certificate", kind="bool", default="false"),
        Prop("pfs", "bool", default="false", extra=("required",)),
        Prop("tls-version", "enum", default="any", enum=("any", "only-1.2")),
        Prop(
            "authentication",
            "enumlist",
            default="pap,chap,mschap1,mschap2",
            enum=("pap", "chap", "mschap1", "mschap2"),
        ),
        *(prop for prop in _DIAL if prop.name != "allow"),
    ),
)
OVPN_CLIENT = _port(
    "interface/ovpn-client",
    "ovpn-out",
    (
        Prop("connect-to", required=True),
        Prop("port", "int", default="1194", low=1, high=65535),
        Prop("mode", "enum", default="ip", enum=("ethernet", "ip")),
        Prop("protocol", "enum", default="tcp", enum=("tcp", "udp"), since=V7),
        Prop("certificate", default="none"),
        *texts("cipher auth", omit=""),
        *_DIAL,
    ),
)

LIST = Menu(
    "interface/list",
    (
        Prop("name", required=True),
        *texts("include exclude", default=""),
        ro("builtin", "bool"),
        DYNAMIC,
        COMMENT,
    ),
    TABLE | {"comment"},
    unique=(Unique(("name",), "failure: already have such name"),),
    since=(6, 36, 0),
)
LIST_MEMBER = Menu(
    "interface/list/member",
    (
        Prop("list", "ref", required=True, ref="interface/list"),
        Prop("interface", "ref", required=True, ref="interface"),
        DYNAMIC,
        DISABLED,
        COMMENT,
    ),
    TABLE | TOGGLE,
    unique=(Unique(("list", "interface"), "failure: already have such interface list member"),),
    name_column="",
    since=(6, 36, 0),
)

MENUS = (
    BRIDGE,
    BRIDGE_PORT,
    BRIDGE_VLAN,
    view("interface/bridge/host", "mac-address vid on-interface bridge interface age dynamic local external invalid"),
    VLAN,
    WIREGUARD,
    WIREGUARD_PEERS,
    GRE,
    IPIP,
    EOIP,
    PPPOE_CLIENT,
    L2TP_CLIENT,
    SSTP_CLIENT,
    OVPN_CLIENT,
    LIST,
    LIST_MEMBER,
    view("interface/lte", "name comment running disabled", commands="monitor"),
    view("interface/w60g", "name comment running disabled", commands="monitor", since=(6, 40, 0)),
    view("interface/ethernet/poe", "name poe-out poe-priority", commands="monitor"),
    view("interface/ethernet/switch", "name type invalid"),
    view("interface/ethernet/switch/port", "name switch running invalid", flags="stats"),
    view("interface/wifi/capsman/remote-cap", "address identity state version board-name", since=(7, 13, 0)),
    view("interface/wireless", "name comment running ssid frequency band mode disabled", flags="advanced"),
    view("interface/wireless/registration-table", "interface mac-address signal-strength uptime bytes", flags="stats"),
    view("interface/wifi", "name comment running configuration.ssid disabled", since=(7, 13, 0)),
    view(
        "interface/wifi/registration-table", "interface mac-address ssid signal uptime bytes packets", since=(7, 13, 0)
    ),
)

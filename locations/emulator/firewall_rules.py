"""Words of a firewall rule that must name something the router knows."""

from __future__ import annotations

from .device import Device
from .errors import no_match
from .sentence import Caller
from .table import Row, Table

PROTOCOLS = frozenset(
    "icmp igmp ggp ip-encap ipencap st tcp egp pup udp hmp xns-idp rdp iso-tp4 dccp xtp ddp idpr-cmtp ipv6 ipv6-encap rsvp gre "
    "ipsec-esp ipsec-ah rspf vmtp ospf ipip etherip encap pim vrrp l2tp sctp udp-lite icmpv6 ipv6-route ipv6-frag ipv6-nonxt "
    "ipv6-opts".split()
)
_GROUPS = frozenset("all all-ethernet all-ppp all-vlan all-wireless dynamic static".split())
_INTERFACES = ("in-interface", "out-interface")


def check_rule(
    device: Device,
    caller: Caller,
    table: Table,
    row: Row | None,
    values: dict[str, str],
    given: frozenset[str],
) -> None:
    """Protocol, interfaces and routing mark; ``!`` in front turns the meaning round. Raises Trap."""
    named = {name: values[name].removeprefix("!") for name in given if values.get(name)}
    protocol = named.get("protocol", "")
    is_number = protocol.isdigit() and protocol.isascii() and len(protocol) < 4 and int(protocol) < 256
    if protocol and protocol not in PROTOCOLS and not is_number:
        raise no_match("protocol")
    for name in _INTERFACES:
        wanted = named.get(name, "")
        if wanted and wanted not in _GROUPS and device.lookup_name("interface", wanted) is None:
            raise no_match(name)
    mark = named.get("new-routing-mark", "")
    # captured on a 7.x router by a TypeScript client: since v7 a mark is the name of a routing table
    if mark and device.version >= (7, 0, 0) and device.tables["routing/table"].named(mark) is None:
        raise no_match("new-routing-mark")

"""Which addresses may be a router's: never this server itself, nor the services that give away a machine's secrets.

Judged where it counts, on the address that is connected to: a name that was harmless when it was saved may lead to
another place a minute later (DNS rebinding), and `127.1` or `2130706433` are loopback too.
"""

from __future__ import annotations

import ipaddress
import socket

from django.conf import settings

from locations.routeros.errors import HostRefused, RouterUnreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds tell a machine its passwords, outside the link-local range. AWS (IPv6), Alibaba, Oracle, Azure.
METADATA = frozenset(
    ipaddress.ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def address_problem(address: Address) -> str:
    """`itself` (loopback) or `impossible`; empty when a router may live there."""
    address = _unwrapped(address)
    if address.is_loopback:
        return "" if settings.ROUTER_LOOPBACK_ALLOWED else "itself"
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA:
        return "impossible"
    return "impossible" if address.version == 4 and (address.is_reserved or address.packed[0] == 0) else ""


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def numeric_problem(host: str) -> str:
    """The same for a host that is written as a number, in any spelling the system understands; names ask no one."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return ""
    return next(filter(None, (address_problem(_of(sockaddr[0])) for *_rest, sockaddr in found)), "")


def open_connection(host: str, port: int, timeout: float) -> socket.socket:
    """Like `socket.create_connection`, to addresses that may be a router's only. Raises HostRefused when none may."""
    last: OSError | None = None
    refused = ""
    for family, kind, protocol, _name, sockaddr in socket.getaddrinfo(host.strip("[]"), port, 0, socket.SOCK_STREAM):
        if address_problem(_of(sockaddr[0])):
            refused = refused or str(sockaddr[0])
            continue
        raw = socket.socket(family, kind, protocol)
        try:
            raw.settimeout(timeout)
            raw.connect(sockaddr)
        except OSError as error:
            raw.close()
            last = error
        else:
            return raw
    if last is not None:
        raise last
    if refused:
        raise HostRefused(refused)
    raise RouterUnreachable("the name has no address")


def _of(text: object) -> Address:
    return ipaddress.ip_address(str(text).partition("%")[0])

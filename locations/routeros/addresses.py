"""Which addresses may be a router's: never this server itself, nor the services that give away a machine's secrets.

Judged where it counts, on the address that is connected to: a name that was harmless when it was saved may lead to
another place a minute later (DNS rebinding), and `127.1` or `2130706433` are loopback too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from locations.routeros.errors import HostRefused, RouterRefusedConnection, RouterUnreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds tell a machine its passwords, outside the link-local range. AWS, Google, Scaleway (IPv6), Alibaba, Oracle, Azure.
METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    )
)  # fmt: skip
# IPv6 ranges that only carry an IPv4 address in their last four bytes: NAT64 (two), stateless translation, the old
# "compatible" form.
_CARRIERS = tuple(ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))
_ITSELF_V6 = (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1"))
MOST_ADDRESSES = 4  # of one name: each is waited for, and a name with fifty must not hold a thread for minutes
_SERVICES_SECONDS = 60.0


def address_problem(address: Address) -> str:
    """`itself` (this server, or what keeps its data) or `impossible`; empty when a router may live there."""
    address = _unwrapped(address)
    if is_impossible(address):
        return "impossible"
    if settings.ROUTER_LOOPBACK_ALLOWED:
        return ""
    return "itself" if address.is_loopback or _is_ours(address) or address in _services() else ""


def is_impossible(address: Address) -> bool:
    """No router has this address, wherever this server stands."""
    address = _unwrapped(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA:
        return True
    return address.version == 4 and not address.is_loopback and (address.is_reserved or address.packed[0] == 0)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only carries."""
    if isinstance(address, ipaddress.IPv4Address) or address in _ITSELF_V6:
        return address
    if any(address in carrier for carrier in _CARRIERS):
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_ours(address: Address) -> bool:
    """Whether an interface of this machine has it: only then does the system bind to it. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _services() -> frozenset[Address]:
    """Addresses of the database and of Redis, where they are other machines. Asked of DNS once a minute."""
    return _services_at(int(time.monotonic() / _SERVICES_SECONDS), *_service_hosts())


def _service_hosts() -> tuple[str, ...]:
    database = str(settings.DATABASES["default"].get("HOST") or "")
    redis = urlsplit(settings.REDIS_URL or "").hostname or ""
    return tuple(host for host in (database, redis) if host and not host.startswith(("/", "@")))


@lru_cache(maxsize=4)
def _services_at(_minute: int, *hosts: str) -> frozenset[Address]:
    found: set[Address] = set()
    for host in hosts:
        with contextlib.suppress(OSError):  # not resolved now: then nobody can connect to it by this name either
            found |= {_of(sockaddr[0]) for *_rest, sockaddr in socket.getaddrinfo(host, None)}
    return frozenset(found)


def numeric_problem(host: str) -> str:
    """The same for a host that is written as a number, in any spelling the system understands; names ask no one."""
    return next(filter(None, map(address_problem, numeric_addresses(host))), "")


def numeric_addresses(host: str) -> list[Address]:
    """What the system understands by a host written as a number; empty for a name. Asks no one."""
    try:
        found = socket.getaddrinfo(bare(host), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []
    return [_of(sockaddr[0]) for *_rest, sockaddr in found]


def is_host(host: str) -> bool:
    """Whether this is written as a name or an address, without http:// and without a port."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return not any(c.isspace() or c in "/@:?#" for c in host.replace("::", "").strip("[]"))
    return True


def is_localhost(host: str) -> bool:
    """A name of this server itself, or a loopback address in any spelling."""
    if host.rstrip(".").lower() in {"localhost", "localhost.localdomain"}:
        return True
    return any(_unwrapped(address).is_loopback for address in numeric_addresses(host))


def bare(host: str) -> str:
    """Without the brackets that people write around IPv6 addresses."""
    return host.removeprefix("[").removesuffix("]")


def open_connection(host: str, port: int, timeout: float) -> socket.socket:
    """Like `socket.create_connection`, to addresses that may be a router's only. Raises HostRefused when none may.

    The address that was judged is the one that is connected to; the name is not asked twice.
    """
    last: OSError | None = None
    refused = ""
    try:
        found = socket.getaddrinfo(bare(host), port, 0, socket.SOCK_STREAM)
    except ValueError:  # a label too long, a zero byte
        raise RouterUnreachable("not a host name") from None
    for family, kind, protocol, _name, sockaddr in found[:MOST_ADDRESSES]:
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


def dial(host: str, port: int, timeout: float) -> socket.socket:
    """`open_connection` whose every failure is a RouterError."""
    try:
        return open_connection(host, port, timeout)
    except ConnectionRefusedError:
        raise RouterRefusedConnection("connection refused") from None
    except TimeoutError:
        raise RouterUnreachable("no answer") from None
    except OSError as error:
        raise RouterUnreachable(error.strerror or type(error).__name__) from None


def source_towards(host: str) -> str:
    """This server's address as a router in the same network sees it; empty when it cannot be told. Nothing is sent."""
    try:
        found = socket.getaddrinfo(bare(host), 9, type=socket.SOCK_DGRAM)
        with socket.socket(found[0][0], socket.SOCK_DGRAM) as probe:
            probe.connect(found[0][4])
            return str(probe.getsockname()[0]).partition("%")[0]
    except (OSError, ValueError, IndexError):
        return ""


def _of(text: object) -> Address:
    return ipaddress.ip_address(str(text).partition("%")[0])

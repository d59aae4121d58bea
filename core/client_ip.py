"""The address a request came from. `X-Forwarded-For` is only believed as far as `TRUSTED_PROXIES` says."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

IPv6_PREFIX = 64


def client_ip(request: HttpRequest | None) -> str | None:
    """The caller's address in its canonical form, or None when there is none (a unix socket without a proxy).

    With n trusted proxies the caller is the n-th entry from the right of `X-Forwarded-For`: what stands further left
    was written by the caller himself.
    """
    if request is None:
        return None
    hops = settings.TRUSTED_PROXIES
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if hops and chain:
        forwarded = _canonical(chain[-min(hops, len(chain))])
        if forwarded:
            return forwarded
    return _canonical(request.META.get("REMOTE_ADDR", ""))


def is_loopback(request: HttpRequest) -> bool:
    """Whether the caller is on this machine. A request forwarded by a proxy we do not trust is not."""
    if request.META.get("HTTP_X_FORWARDED_FOR") and not settings.TRUSTED_PROXIES:
        return False
    address = client_ip(request)
    return address is not None and ipaddress.ip_address(address).is_loopback


def address_network(address: str | None) -> str:
    """What one caller can easily vary is one caller: IPv6 by its /64. `unknown` without an address."""
    if address is None:
        return "unknown"
    if ":" in address:
        return str(ipaddress.ip_network(f"{address}/{IPv6_PREFIX}", strict=False).network_address)
    return address


def _canonical(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.split(":", 1)[0]
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

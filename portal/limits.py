"""How often one address may ask. Customers of a provider often share one address, so a bill that exists is cheap to see;
what is limited hard is guessing."""

from __future__ import annotations

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from core.client_ip import client_ip

PAGES = "600/10m"  # of one address
MISSES = "30/10m"  # unknown links of one address: nobody guesses 128 bits, but nobody shall try either
FILES = "30/10m"  # PDFs of one bill: each costs a fifth of a second


def is_over_limit(request: HttpRequest) -> bool:
    """Count this request, and say whether its address asked too often or guessed too often."""
    address = client_ip(request) or "local"
    return _count(request, "portal.pages", address, PAGES) or _count(
        request, "portal.misses", address, MISSES, adds=False
    )


def miss_count(request: HttpRequest) -> None:
    """Remember that this address asked for a link that does not exist."""
    _count(request, "portal.misses", client_ip(request) or "local", MISSES)


def is_file_over_limit(request: HttpRequest, token: str) -> bool:
    return _count(request, "portal.files", token, FILES)


def _count(request: HttpRequest, group: str, value: str, rate: str, *, adds: bool = True) -> bool:
    usage = get_usage(request, group=group, key=lambda _group, _request: value, rate=rate, increment=adds)
    # an unreadable counter (limit 0) lets people see their bill; guessing 128 bits stays hopeless
    return bool(usage and usage["limit"] and usage["count"] > usage["limit"])

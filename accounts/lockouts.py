"""The counters of failed logins: per account and per address, on django-ratelimit and the shared cache.

Every attempt counts before the password is looked at, so a hundred attempts at once cannot slip through together; a
successful one is taken back. An account's count starts anew by a new generation of its counter (after a success, or
when a Super Admin unlocks it); an address's successes are counted beside its attempts, because a person with one
account of his own must not be able to wipe the count of his attacks on others.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from core.client_ip import address_network

WINDOW_SECONDS = 300
PER_ACCOUNT = 5
PER_ADDRESS = 20
ACCOUNT, ADDRESS = "account", "address"
_UNCOUNTED = 1_000_000_000  # a limit that is never reached: used to count only
_GENERATION_SECONDS = 2 * WINDOW_SECONDS  # outlives every counter of the generations before


@dataclass(frozen=True)
class Verdict:
    """What the counters say about one attempt. `is_first` is true for the attempt that found the limit passed."""

    kind: str
    is_locked: bool
    is_first: bool
    seconds_left: int


def account_key(username: str) -> str:
    """Names that Django would take for the same person, or a reader for the same word, share a counter."""
    name = unicodedata.normalize("NFKC", username).casefold().strip()
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def attempt_count(request: HttpRequest, username: str, address: str | None) -> list[Verdict]:
    """Count one attempt on both counters."""
    account = _usage(request, _account_group(username), account_key(username), increment=True)
    network = address_network(address)
    tries = _usage(request, "login.address", network, increment=True)
    good = _usage(request, "login.address.ok", network, increment=False)
    return [
        _verdict(ACCOUNT, account[0], PER_ACCOUNT, account[1]),
        _verdict(ADDRESS, tries[0] - good[0], PER_ADDRESS, tries[1]),
    ]


def success_count(request: HttpRequest, username: str, address: str | None) -> None:
    """Take a successful attempt back."""
    account_reset(username)
    _usage(request, "login.address.ok", address_network(address), increment=True)


def account_reset(username: str) -> None:
    """Let the account's count start at zero."""
    key = _generation_key(username)
    cache.add(key, 0, _GENERATION_SECONDS)
    cache.incr(key)
    cache.touch(key, _GENERATION_SECONDS)


def _account_group(username: str) -> str:
    return f"login.account.{cache.get(_generation_key(username), 0)}"


def _generation_key(username: str) -> str:
    return f"login-generation:{account_key(username)}"


def _usage(request: HttpRequest, group: str, value: str, *, increment: bool) -> tuple[int, int]:
    """Count and seconds left in the window."""
    usage = get_usage(
        request, group=group, key=lambda _group, _request: value, rate=f"{_UNCOUNTED}/{WINDOW_SECONDS}s",
        increment=increment,
    )  # fmt: skip
    if usage is None:  # RATELIMIT_ENABLE = False
        return 0, 0
    if usage["limit"] == 0:  # the counter could not be read: count as over the limit rather than let everybody try
        return _UNCOUNTED, WINDOW_SECONDS
    return int(usage["count"]), max(1, int(usage["time_left"]))


def _verdict(kind: str, count: int, limit: int, seconds_left: int) -> Verdict:
    return Verdict(kind, count > limit, count == limit + 1, seconds_left)

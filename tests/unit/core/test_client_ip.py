from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from core.client_ip import address_network, client_ip, is_loopback


def request(remote: str, forwarded: str = "") -> object:
    extra = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **extra)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "found"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "203.0.113.9", "192.0.2.1"),  # nobody vouches for the header
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left part is the caller's own words
        (2, "10.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "unknown", "10.0.0.1"),
        (1, "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        (1, "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (0, "", "", None),
        (1, "", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_address(settings: LazySettings, proxies: int, remote: str, forwarded: str, found: str | None) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert client_ip(request(remote, forwarded)) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "local"),
    [
        (0, "127.0.0.1", "", True),
        (0, "::1", "", True),
        (0, "192.0.2.1", "", False),
        (0, "127.0.0.1", "203.0.113.9", False),  # a local proxy nobody told us about
        (1, "127.0.0.1", "203.0.113.9", False),
        (1, "127.0.0.1", "127.0.0.1", True),
        (0, "", "", False),
    ],
)
def test_loopback(settings: LazySettings, proxies: int, remote: str, forwarded: str, local: bool) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert is_loopback(request(remote, forwarded)) is local  # type: ignore[arg-type]


def test_networks() -> None:
    assert address_network("192.0.2.1") == "192.0.2.1"
    assert address_network("2001:db8:0:1:2:3:4:5") == "2001:db8:0:1::"
    assert address_network(None) == "unknown"

"""Clients as anybody would use them, one round trip per user: what our pipelined writer is compared with."""

from __future__ import annotations

import time
from collections.abc import Sequence

import routeros_api

from tests.perf.fleet import PASSWORD, USER, Router


def users(prefix: str, count: int) -> list[dict[str, str]]:
    """The same words per user that our writer sends."""
    return [
        {
            "name": f"{prefix}{number:05}", "password": f"{prefix}{number:05}", "profile": "default",
            "comment": "compared", "disabled": "no", "limit-uptime": "36000s", "limit-bytes-total": "5000000000",
        }
        for number in range(count)
    ]  # fmt: skip


def add_with_stock_routeros_api(router: Router, rows: Sequence[dict[str, str]]) -> float:
    """Seconds per user with routeros-api as it comes: a packet per word, no TCP_NODELAY."""
    pool = routeros_api.RouterOsApiPool("127.0.0.1", USER, PASSWORD, port=router.port, plaintext_login=True)
    try:
        resource = pool.get_api().get_resource("/ip/hotspot/user")
        started = time.perf_counter()
        for row in rows:
            resource.add(**row)
        return (time.perf_counter() - started) / len(rows)
    finally:
        pool.disconnect()


def add_with_librouteros(router: Router, rows: Sequence[dict[str, str]]) -> float:
    """Seconds per user with librouteros, one after the other."""
    client = router.client()
    try:
        menu = client.path("/ip/hotspot/user")
        started = time.perf_counter()
        for row in rows:
            menu.add(**row)
        return (time.perf_counter() - started) / len(rows)
    finally:
        client.close()

"""One kept connection per location, in the routers worker only; it belongs to whoever holds the location's lease.

Frequent logins upset routers and write a log row each (routeros.md 7.2), so a connection is kept between runs.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings

from locations.models import Location
from locations.routeros.client import RouterClient, RouterTarget
from locations.routeros.errors import RouterError

IDLE_SECONDS = 300.0
ASKED_AFTER_SECONDS = 45.0  # a poll comes every 30 s; who was silent for longer proves that he is there
ASKED_SECONDS = 5.0

_lock = threading.Lock()
_kept: dict[int, tuple[RouterTarget, RouterClient, float]] = {}


def target_of(location: Location) -> RouterTarget:
    return RouterTarget(
        host=location.host, port=location.port, username=location.username, password=location.password,
        tls_mode=location.tls_mode, fingerprint=location.tls_fingerprint,
    )  # fmt: skip


def take(location: Location) -> tuple[RouterClient, bool]:
    """The kept connection if it still fits the location's settings, else a fresh one; says whether it is fresh."""
    target = target_of(location)
    with _lock:
        entry = _kept.pop(location.pk, None)
    if entry is not None:
        kept_target, client, since = entry
        if kept_target == target and _is_healthy(client, time.monotonic() - since):
            return client, False
        client.close()
    client = RouterClient(target, timeout=settings.ROUTER_TIMEOUT_SECONDS)
    client.connect()
    return client, True


def _is_healthy(client: RouterClient, idle_seconds: float) -> bool:
    """Open, nothing unasked for has arrived, and after a longer silence the router answers a question.

    What this finds costs one new login; found by a batch it would count as a failure of the router.
    """
    if not client.is_open or idle_seconds >= IDLE_SECONDS or not client.is_quiet():
        return False
    if idle_seconds < ASKED_AFTER_SECONDS:
        return True
    client.deadline = time.monotonic() + ASKED_SECONDS
    try:
        client.print("/system/identity")
    except RouterError:
        return False
    finally:
        client.deadline = None
    return True


def keep(location: Location, client: RouterClient) -> None:
    """Put it back for the next run; a broken one is dropped."""
    if not client.is_open:
        return
    with _lock:
        old = _kept.pop(location.pk, None)
        _kept[location.pk] = (client.target, client, time.monotonic())
    if old is not None:
        old[1].close()


def close_idle() -> int:
    """Close what nobody used for a while; returns how many."""
    limit = time.monotonic() - IDLE_SECONDS
    with _lock:
        idle = [key for key, (_target, _client, since) in _kept.items() if since < limit]
        entries = [_kept.pop(key) for key in idle]
    for _target, client, _since in entries:
        client.close()
    return len(entries)


def drop(location_id: int) -> None:
    """The location is not worked for any more: its router keeps no login of ours."""
    with _lock:
        entry = _kept.pop(location_id, None)
    if entry is not None:
        entry[1].close()


def close_all() -> None:
    """For the end of a process and between tests."""
    with _lock:
        entries = list(_kept.values())
        _kept.clear()
    for _target, client, _since in entries:
        client.close()

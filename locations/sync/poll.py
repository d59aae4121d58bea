"""Ask a router what is going on: who it is, who is online, what they used. Network only; `observe` takes it in.

The answer becomes one insert-only `Observation`, so that a subscriber that fails is retried, not lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from locations.choices import Kind
from locations.models import AccessAccount, Location, Observation, RouterSession, RouterState
from locations.routeros.client import Reply, RouterClient, Row
from locations.routeros.errors import RouterTrap, RouterUnreachable
from locations.routeros.values import duration_seconds, is_true, whole
from locations.sync.health import health_read
from locations.sync.identity import Identity, has_restarted
from locations.sync.menus import MENUS
from locations.sync.pipeline import Command, pipelined

POLL_SECONDS = 30
USAGE_SWEEP = timedelta(minutes=10)
USER_PROPERTIES = "name,uptime,bytes-in,bytes-out"
STATIC_QUEUES = ("dynamic=false",)
REPLY_BYTES = 16 * 1024 * 1024  # of one answer to a poll: about 35,000 sessions, 43,000 interfaces
USER_BYTES = 512  # of one user in the sweep over all counters, which no memory may be short for
MAX_INTERFACES = 64  # of a router's own; whoever has more keeps the first


def is_poll_due(state: RouterState, now: datetime) -> bool:
    """Staggered by location, so that a hundred routers are not asked in the same second."""
    stagger = timedelta(seconds=state.location_id % 10)
    return state.polled_at is None or now - state.polled_at >= timedelta(seconds=POLL_SECONDS) + stagger


def poll(
    location: Location, client: RouterClient, seen: Identity, now: datetime, *, confirm: Callable[[], None]
) -> Observation:
    """Read sessions and counters and store them as an Observation. Raises RouterUnreachable; a short list is never stored.

    `confirm` raises when what was read does not count any more: the location was switched off, or another writer came.
    """
    with client.limited(REPLY_BYTES):
        payload = _read(location, client, seen, now)
    confirm()
    return Observation.objects.create(location=location, observed_at=now, payload=payload)


def _read(location: Location, client: RouterClient, seen: Identity, now: datetime) -> dict[str, Any]:
    state = location.state
    restarted = has_restarted(state, seen, now)
    health = health_read(client, seen, location.timezone, now)
    ppp = _sessions(client, Kind.PPP)
    interfaces = _interfaces(client)
    sessions = _sessions(client, Kind.HOTSPOT) + _with_counters(ppp, interfaces)
    has_static = AccessAccount.objects.filter(location=location, kind=Kind.STATIC).exists()
    sweep = restarted or state.usage_swept_at is None or now - state.usage_swept_at >= USAGE_SWEEP
    return {
        "identity": {
            "identity": seen.identity, "model": seen.model, "version": seen.version, "serial": seen.serial,
            "uptime": seen.uptime_seconds, "cpu": seen.cpu_load, "memory": seen.free_memory,
            "licence": seen.licence_level,
        },
        "health": health,
        "restarted": restarted,
        "swept": sweep,
        "entries": client.count("/ip/hotspot/user") + client.count("/ppp/secret")
        + (client.count(MENUS[Kind.STATIC].users, STATIC_QUEUES) if has_static else 0),
        "sessions": sessions,
        "users": _used_users(client, location, restarted=restarted) if sweep else _changed_users(client, location, sessions),
        "queues": _queues(client) if has_static else [],
        "interfaces": [row for row in interfaces if not row["dynamic"]][:MAX_INTERFACES],
    }  # fmt: skip


def _sessions(client: RouterClient, kind: str) -> list[dict[str, Any]]:
    menu = MENUS[kind]
    key = menu.active_name
    mac = "mac-address" if kind == Kind.HOTSPOT else "caller-id"
    service = ("service",) if kind == Kind.PPP else ()
    rows = client.print(menu.active, (".id", key, "uptime", mac, "address", "bytes-in", "bytes-out", *service))
    once = {row[".id"]: row for row in rows}  # a row that came twice must not count twice against a guest
    return [
        {
            "kind": str(kind), "id": row[".id"], "name": row.get(key, "")[:128],
            "uptime": _seconds(row), "mac": row.get(mac, "")[:32], "address": row.get("address", "")[:64],
            "service": row.get("service", "")[:16], **_counters(row.get("bytes-in", ""), row.get("bytes-out", "")),
        }
        for row in once.values()
    ]  # fmt: skip


def _interfaces(client: RouterClient) -> list[dict[str, Any]]:
    """Every interface with its counters: the router's own, and one per PPP session (routeros.md 2.12, 2.16)."""
    rows = client.print("/interface", ("name", "dynamic", "running", "rx-byte", "tx-byte"))
    return [
        {
            "name": row.get("name", "")[:160], "dynamic": is_true(row.get("dynamic", "")),
            "running": is_true(row.get("running", "")), **_counters(row.get("rx-byte", ""), row.get("tx-byte", "")),
        }
        for row in rows
    ]  # fmt: skip


def _with_counters(sessions: list[dict[str, Any]], interfaces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PPP sessions do not count bytes themselves; their interface does: `<pppoe-NAME>`, `<pppoe-NAME-1>`, oldest first."""
    free = {row["name"]: row for row in interfaces if row["dynamic"]}
    count = Counter(session["name"] for session in sessions)
    for session in sorted(sessions, key=lambda s: -s["uptime"]):
        base = f"<{session['service']}-{session['name']}"
        names = [f"{base}>", *(f"{base}-{number}>" for number in range(1, count[session["name"]]))]
        found = next((free.pop(name) for name in names if name in free), None)
        if found is not None:
            session.update({key: found[key] for key in ("in", "out", "bytes")})
    return sessions


def _counters(received: str, sent: str) -> dict[str, int]:
    """`in` is what the customer sent (RouterOS counts from the router's side), `out` what he got."""
    first, second = whole(received), whole(sent)
    return {"in": first, "out": second, "bytes": first + second}


def _used_users(client: RouterClient, location: Location, *, restarted: bool) -> list[dict[str, Any]]:
    """Every hotspot user whose counter moved: finds sessions that came and went between two polls.

    After a restart also those with a counter of bytes only: their lost seconds must be noticed, or they are free.
    """
    moved = [">uptime=0s"] + ([">bytes-in=0", ">bytes-out=0", "#|", "#|"] if restarted else [])
    ours = AccessAccount.objects.filter(location=location, kind=Kind.HOTSPOT).count()
    with client.limited(max(REPLY_BYTES, ours * USER_BYTES)):
        rows = client.print(MENUS[Kind.HOTSPOT].users, USER_PROPERTIES.split(","), moved)
    users = [_usage(row) for row in rows if row.get("name")]
    return [user for user in users if user["uptime"] or (restarted and user["bytes"])]


def _changed_users(client: RouterClient, location: Location, sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The counters of users whose session is new or ended since the last poll."""
    now_on = {(s["id"], s["name"]) for s in sessions if s["kind"] == Kind.HOTSPOT}
    before = set(RouterSession.objects.filter(location=location, kind=Kind.HOTSPOT).values_list("router_id", "name"))
    names = sorted({name for _id, name in now_on ^ before})

    def command(name: str) -> Command:
        return f"{MENUS[Kind.HOTSPOT].users}/print", {".proplist": USER_PROPERTIES}, (f"name={name}",)

    found: list[dict[str, Any]] = []
    for _name, answer in pipelined(client, names, command):
        if isinstance(answer, RouterTrap):
            raise RouterUnreachable(answer.words)
        assert isinstance(answer, Reply)  # noqa: S101  # narrows the union for mypy
        found += [_usage(row) for row in answer.rows if row.get("name")]
    return found


def _queues(client: RouterClient) -> list[dict[str, Any]]:
    """Bytes of the queues that are not a session's: the only sign of life of a static address."""
    rows = client.print(MENUS[Kind.STATIC].users, (".id", "name", "bytes"), STATIC_QUEUES)
    found = [{"name": row.get("name", "")[:64], "id": row[".id"], **_pair(row.get("bytes", ""))} for row in rows]
    return [row for row in found if row["bytes"]]


def _pair(text: str) -> dict[str, int]:
    """`upload/download` of a queue."""
    up, _slash, down = text.partition("/")
    return _counters(up, down)


def _usage(row: Row) -> dict[str, Any]:
    counters = _counters(row.get("bytes-in", ""), row.get("bytes-out", ""))
    return {"name": row["name"][:128], "uptime": _seconds(row), **counters}


def _seconds(row: Row) -> int:
    """A session's or user's uptime; 0 when absent. A router's nonsense is not a crash."""
    try:
        return duration_seconds(row.get("uptime", "") or "0")
    except ValueError:
        return 0

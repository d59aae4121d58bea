"""Is it still the same router, and did it restart? Asked on every new connection, before the first write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from locations.choices import Kind
from locations.models import RouterState
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import NotRouterOs, RouterError, RouterTrap
from locations.routeros.values import duration_seconds, whole

RESTART_SLACK_SECONDS = 30
IDENTITY_BYTES = 1024 * 1024  # of one answer; a router's are below 2 KiB


class WrongRouter(RouterError):
    """Another router answers at this address: nothing may be written until a person chose."""

    problem = "wrong_router"

    def __init__(self, serial: str):
        super().__init__(f"serial {serial}")
        self.serial = serial


@dataclass(frozen=True)
class Identity:
    identity: str
    model: str
    version: str
    serial: str
    uptime_seconds: int
    cpu_load: int
    free_memory: int
    licence_level: str
    total_memory: int | None = None
    write_sectors: int | None = None  # of the flash, since the restart; a CHR has none
    write_sectors_total: int | None = None
    bad_blocks: float | None = None  # per cent


def read_identity(client: RouterClient) -> Identity:
    """Who answers."""
    with client.limited(IDENTITY_BYTES):
        return _read(client)


def _read(client: RouterClient) -> Identity:
    resource = _single(client.print("/system/resource"))
    try:
        uptime = duration_seconds(resource.get("uptime", ""))
    except ValueError:
        raise NotRouterOs("no uptime") from None
    board = _optional(client, "/system/routerboard")
    licence = _optional(client, "/system/license")
    name = _single(client.print("/system/identity")).get("name", "")
    return Identity(
        identity=name[:128],
        model=(board.get("model") or resource.get("board-name", ""))[:128],
        version=resource.get("version", "").split(" ")[0][:64],
        serial=_serial(board, licence),
        uptime_seconds=uptime,
        cpu_load=min(whole(resource.get("cpu-load", "")), 100),
        free_memory=whole(resource.get("free-memory", "")),
        licence_level=licence.get("nlevel", "") or licence.get("level", ""),
        total_memory=_whole(resource, "total-memory"),
        write_sectors=_whole(resource, "write-sect-since-reboot"),
        write_sectors_total=_whole(resource, "write-sect-total"),
        bad_blocks=_percent(resource.get("bad-blocks", "")),
    )


def check_same_router(state: RouterState, seen: Identity) -> None:
    """Raises WrongRouter when a serial was remembered and another one answers."""
    if state.serial and seen.serial != state.serial:
        raise WrongRouter(seen.serial)


def check_serial(state: RouterState, client: RouterClient) -> None:
    """The same for those who need nothing else of its identity."""
    if not state.serial:
        return
    with client.limited(IDENTITY_BYTES):
        board = _optional(client, "/system/routerboard")
        licence = {} if board.get("serial-number") else _optional(client, "/system/license")
    if _serial(board, licence) != state.serial:
        raise WrongRouter(_serial(board, licence))


def _serial(board: Row, licence: Row) -> str:
    """The routerboard's; a CHR or x86 without one has its licence's system or software id."""
    return (board.get("serial-number") or licence.get("system-id") or licence.get("software-id") or "")[:64]


def has_restarted(state: RouterState, seen: Identity, now: datetime) -> bool:
    """Its uptime is lower than it would be had it run on since we last saw it."""
    if state.uptime_seconds is None or state.polled_at is None:
        return False
    elapsed = int((now - state.polled_at).total_seconds())
    slack = RESTART_SLACK_SECONDS + elapsed // 100  # two clocks never run equally fast
    return seen.uptime_seconds + slack < state.uptime_seconds + elapsed


def is_unread(state: RouterState) -> bool:
    """What is on it was never compared since it was first seen, accepted or restarted: a link may have broken meanwhile.

    Nothing may be sent before: ids may be other entries' now, and counters that started anew would pass for old ones.
    """
    if state.uptime_seconds is None or state.reconciled_at is None:
        return True
    return state.restarted_at is not None and state.reconciled_at < state.restarted_at


LICENCE_SESSIONS = {"1": 1, "3": 1, "4": 200, "5": 500}
LICENCE_PPP = 200  # PPPoE sessions of the levels that allow one hotspot session; the others allow as many of both


def licence_limit(level: str) -> int | None:
    """Hotspot sessions a licence level allows; None: no limit known (level 6, CHR). MikroTik manual, routeros.md 7.1."""
    return LICENCE_SESSIONS.get(level)


def licence_limits(hotspot: int | None) -> dict[str, int]:
    """Sessions of each kind that a router may have, from its limit of hotspot sessions; each kind counts for itself."""
    return {} if hotspot is None else {Kind.HOTSPOT: hotspot, Kind.PPP: max(hotspot, LICENCE_PPP)}


def _single(rows: list[Row]) -> Row:
    if not rows:
        raise NotRouterOs("an empty answer where there is always one row")
    return rows[0]


def _whole(row: Row, name: str) -> int | None:
    """None for what this device does not print."""
    return whole(row[name]) if name in row else None


def _percent(text: str) -> float | None:
    """`0`, `0%` or `0.4%`; None for anything else."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)\s*%?", text)
    return min(float(found[1]), 100.0) if found else None


def _optional(client: RouterClient, menu: str) -> Row:
    """A menu some devices lack (routerboard on CHR)."""
    try:
        rows = client.print(menu)
    except RouterTrap:
        return {}
    return rows[0] if rows else {}

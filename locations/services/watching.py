"""Traffic as it is now, while somebody looks: one reading of a router for all who watch it, none when nobody does.

Every watcher asks every few seconds; who comes first after `EVERY` reads for all, the others are shown what he found.
The samples of the last minutes are in the cache, so that all processes show the same. Beside the writer: a connection of
its own, kept for the next reading and closed soon after the last one, because RouterOS writes every login into its log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from core.db.locks import session_lock
from core.errors import DomainError
from locations.choices import Kind
from locations.models import AccessAccount, Location
from locations.routeros.client import RouterClient, Row
from locations.routeros.errors import RouterError, RouterTrap
from locations.routeros.values import whole
from locations.services.asking import AskError, router_connected, router_problems_told, switched_on_only
from locations.sync.connections import target_of

EVERY = 2.0  # seconds between two readings of one router, whoever watches
ASK_SECONDS = 4.0  # for everything of one reading
REST = 10.0  # seconds in which a router that failed is not asked again
WATCHED = 10.0  # seconds after which somebody who does not ask any more has gone
KEPT = 15.0  # seconds that the connection stays open for the next reading
MOST_SAMPLES, MOST_SOURCES = 100, 16
GAP = 30.0  # seconds between two counters beyond which no rate is said
_TURN = 0x6D62_0004  # upper half of the advisory lock's key, beside those of `asking`
TUNNELS = ("pppoe", "l2tp", "pptp", "sstp", "ovpn")


@dataclass(frozen=True)
class Sample:
    """Bits per second at a moment. From the router's side of an interface, from the customer's of an account."""

    at: float  # seconds since 1970
    received: int
    sent: int


@dataclass(frozen=True)
class Watch:
    """What is known now. `is_there`: the router has it (None: not read yet). `problem`: why the last reading failed.

    Asking for one raises DomainError when the location is switched off or too much of it is watched already.
    """

    samples: list[Sample]
    is_there: bool | None
    problem: str = ""
    words: str = ""


def interface_watch(location: Location, name: str, now: datetime) -> Watch:
    """One of a router's interfaces: the rates that `/interface/monitor-traffic` says. Not inside a transaction."""
    return _watch(location, f"interface:{name}", now)


def account_watch(account: AccessAccount, now: datetime) -> Watch:
    """What one login receives and sends, all its sessions together: the growth of the router's counters."""
    return _watch(account.location, f"{account.kind}:{account.name}", now)


def _watch(location: Location, source: str, now: datetime) -> Watch:
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("a reading talks to the network and must not run inside a transaction")
    switched_on_only(location)
    key = f"traffic-now:{location.pk}"
    with session_lock([_TURN << 32 | location.pk & 0xFFFF_FFFF]) as is_our_turn:
        state: dict[str, Any] = cache.get(key) or {"at": 0.0, "rest": 0.0, "problem": "", "words": "", "sources": {}}
        if is_our_turn:
            _turn(location, source, state, now.timestamp())
            cache.set(key, state, timeout=300)
    if is_our_turn and source not in state["sources"]:
        raise DomainError(
            "router.busy",
            _("%(count)d other things are being watched at this router. Try again in a minute.")
            % {"count": MOST_SOURCES},
            status=409,
        )
    mine = state["sources"].get(source, {})
    samples = [Sample(*row) for row in mine.get("samples", [])]
    return Watch(samples, mine.get("there"), state["problem"], state["words"])


def _turn(location: Location, source: str, state: dict[str, Any], now: float) -> None:
    """Note that this is watched; read when it is time."""
    sources = {name: kept for name, kept in state["sources"].items() if now - kept["asked"] <= WATCHED}
    if source in sources or len(sources) < MOST_SOURCES:
        mine = sources.setdefault(source, {"samples": [], "last": None, "there": None})
        mine["asked"] = now
    state["sources"] = sources
    if now - state["at"] < EVERY or now < state["rest"]:
        return
    try:
        with router_problems_told(location):
            _read_all(location, sources, now)
        state |= {"at": now, "problem": "", "words": ""}
    except AskError as error:
        state |= {"at": now, "rest": now + REST, "problem": error.problem, "words": error.words[:200]}


def _read_all(location: Location, sources: dict[str, Any], now: float) -> None:
    with _lines.line(location) as client:
        tags = {name: client.send(*_question(name)) for name in sources}
        for name, tag in tags.items():
            try:
                rows = client.receive(tag).rows
            except RouterTrap as trap:
                if trap.is_permission:
                    raise
                rows = []  # an interface that is not there
            _note(name, sources[name], rows, now)


def _question(source: str) -> tuple[str, dict[str, str], list[str]]:
    kind, _colon, name = source.partition(":")
    if kind == "interface":
        return "/interface/monitor-traffic", {"interface": name, "once": ""}, []
    if kind == Kind.HOTSPOT:
        return "/ip/hotspot/active/print", {".proplist": ".id,bytes-in,bytes-out"}, [f"user={name}"]
    if kind == Kind.STATIC:
        return "/queue/simple/print", {".proplist": ".id,bytes"}, [f"name={name}"]
    names = [f"name=<{tunnel}-{name}>" for tunnel in TUNNELS]
    return "/interface/print", {".proplist": ".id,rx-byte,tx-byte"}, [*names, f"#{'|' * (len(names) - 1)}"]


def _note(source: str, mine: dict[str, Any], rows: list[Row], now: float) -> None:
    """Add a sample. Counters that fell, or were read too long ago, only begin anew."""
    mine["there"] = bool(rows)
    kind = source.partition(":")[0]
    if kind == "interface":
        rates = [(whole(r.get("rx-bits-per-second", "")), whole(r.get("tx-bits-per-second", ""))) for r in rows[-1:]]
        mine["samples"] = [*mine["samples"], *([now, *one] for one in rates)][-MOST_SAMPLES:]
        return
    counters = [sum(column) for column in zip(*(_counters(kind, row) for row in rows), strict=True)] or [0, 0]
    last, mine["last"] = mine["last"], [now, *counters]
    if last is None or not 0 < now - last[0] <= GAP:
        return
    grown = [new - old for new, old in zip(counters, last[1:], strict=True)]
    if min(grown) >= 0:
        rates_now = [round(bytes_ * 8 / (now - last[0])) for bytes_ in grown]
        mine["samples"] = [*mine["samples"], [now, *rates_now]][-MOST_SAMPLES:]


def _counters(kind: str, row: Row) -> tuple[int, int]:
    """(received, sent) by the customer: RouterOS counts from the router's side."""
    if kind == Kind.HOTSPOT:
        return whole(row.get("bytes-out", "")), whole(row.get("bytes-in", ""))
    if kind == Kind.STATIC:
        up, _slash, down = row.get("bytes", "").partition("/")
        return whole(down), whole(up)
    return whole(row.get("tx-byte", "")), whole(row.get("rx-byte", ""))


class _Lines:
    """This process's connections between two readings, at most one per router, each closed `KEPT` after its last use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[RouterClient, float]] = {}
        self._clocks: set[int] = set()  # routers whose timer runs: one each, however often they are read

    @contextmanager
    def line(self, location: Location) -> Iterator[RouterClient]:
        """The kept connection when it still answers and nothing about the location changed, else a new one."""
        client = self._taken(location)
        try:
            yield client
        except BaseException:
            client.close()
            raise
        with self._lock:
            self._kept[location.pk] = (client, time.monotonic())
            if location.pk not in self._clocks:
                self._clock(location.pk, KEPT)

    def _clock(self, location_id: int, seconds: float) -> None:
        self._clocks.add(location_id)
        timer = threading.Timer(seconds, self._look, (location_id,))
        timer.daemon = True
        timer.start()

    def _taken(self, location: Location) -> RouterClient:
        with self._lock:
            kept = self._kept.pop(location.pk, None)
        if kept is not None:
            client = kept[0]
            client.deadline = time.monotonic() + ASK_SECONDS
            try:
                if client.target == target_of(location) and client.print("/system/identity"):
                    return client
            except RouterError:
                pass  # it was closed meanwhile: a new one says what is the matter
            client.close()
        return router_connected(location, seconds=ASK_SECONDS)

    def _look(self, location_id: int) -> None:
        """Close the connection when it rested long enough, else look again when it will have."""
        with self._lock:
            self._clocks.discard(location_id)
            kept = self._kept.get(location_id)
            if kept is None:  # in use just now: who gives it back starts the next timer
                return
            left = kept[1] + KEPT - time.monotonic()
            if left > 0:
                self._clock(location_id, left)
                return
            del self._kept[location_id]
        kept[0].close()


_lines = _Lines()

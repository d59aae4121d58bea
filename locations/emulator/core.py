"""One router put together: device, sessions, faults, ports, and the verbs by which it
is driven from outside.

Everything here runs in the event loop; ``router.EmulatedRouter`` is the thread-safe face of it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from . import special, state
from .clock import VirtualClock
from .commands import execute
from .connection import ApiConnection
from .defaults import BILLING_POLICIES, policy_text
from .device import Device
from .errors import Trap
from .faults import Faults
from .hotspot import Hotspot
from .listener import Listener
from .login import address_allowed
from .models import model_named
from .oplog import OperationLog, is_write
from .pools import Pools
from .ppp import Ppp
from .sentence import Caller, Outcome, Sentence
from .verbs import Verbs
from .wire import text_in

_CAP_SINCE = (7, 16, 0)
_MOST_CONNECTIONS = 100
"""Of versions that have no setting for it (invented)."""
_TICK_SECONDS = 0.5
_CHECKPOINT_TICKS = 60
_SAVE_SECONDS = 0.5


class RouterCore(Verbs):
    """A whole device. ``rtt_ms`` delays every reply without serialising pipelined commands."""

    def __init__(
        self,
        *,
        version: str,
        model: str,
        user: str,
        password: str,
        group: str = "billing",
        policies: tuple[str, ...] = BILLING_POLICIES,
        identity: str = "MikroTik",
        serial: str | None = None,
        rtt_ms: float = 0.0,
        seed_users: int = 0,
        manual_clock: bool = False,
        live_limits: bool = False,
        random_seed: int | None = None,
        state_file: Path | None = None,
        tls_context: ssl.SSLContext | None = None,
        port: int = 0,
        tls_port: int | None = None,
    ) -> None:
        if not password:
            raise ValueError("the API user needs a password")
        self.clock = VirtualClock(manual=manual_clock)
        self.has_given_serial = serial is not None
        self.device = Device(
            version=version,
            model=model,
            identity=text_in(identity),
            serial=serial,
            clock=self.clock,
            random_seed=random_seed,
        )
        self._set_users(user, password, group, policies)
        self.device.build_tables()
        self.pools = Pools(self.device)
        self.hotspot = Hotspot(self.device, self.pools, live_limits=live_limits)
        self.ppp = Ppp(self.device, self.pools)
        self.device.before_read["queue/simple"] = self._refresh_sessions
        special.install(self)
        self.faults = Faults()
        self.operations = OperationLog()
        self.connections: set[ApiConnection] = set()
        self.rtt_ms = rtt_ms
        self.state_file = state_file
        self.loop: asyncio.AbstractEventLoop = None  # type: ignore[assignment]  # set by start()
        self.listeners = [Listener(lambda: ApiConnection(self, "api"), port)]
        if tls_context is not None:
            self.listeners.append(Listener(lambda: ApiConnection(self, "api-ssl"), tls_port or 0, tls_context))
        self._sessions_made = 0
        self._ticks = 0
        self._timers: list[asyncio.TimerHandle] = []
        self._save_timer: asyncio.TimerHandle | None = None
        self._save_cost = 0.0
        if state_file is not None and state_file.exists():
            state.load(self, state_file)
        elif seed_users:
            self.seed(seed_users)

    # -- life

    async def start(self) -> None:
        """Open the ports."""
        self.loop = asyncio.get_running_loop()
        for listener in self.listeners:
            await listener.open()
        self._tick()

    async def stop(self) -> None:
        """Close the ports and connections and write the state."""
        for listener in self.listeners:
            listener.close()
        self.drop_connections()
        for timer in self._timers:
            timer.cancel()
        self._save_now()

    def drop_connections(self) -> None:
        """Cut every connection."""
        for connection in list(self.connections):
            connection.abort()

    def _tick(self) -> None:
        self._ticks += 1
        is_checkpoint = self._ticks % _CHECKPOINT_TICKS == 0 and bool(self.hotspot.guests)
        if self.clock.run_due() or is_checkpoint:
            self.changed()
        self._timers = [self.loop.call_later(_TICK_SECONDS, self._tick)]

    # -- for connections

    @property
    def reply_delay(self) -> float:
        """Seconds each reply takes to arrive."""
        return self.rtt_ms / 1000 + self.faults.delay_seconds

    def next_session_id(self) -> int:
        """A number for the operation log."""
        self._sessions_made += 1
        return self._sessions_made

    def accepts(self, connection: ApiConnection, via: str) -> bool:
        """Whether the service takes one more connection from there."""
        if self.faults.down:
            return False
        service = self.device.tables["ip/service"].named(via)
        values = service.values if service is not None else {}
        if values.get("disabled") == "true" or not address_allowed(values.get("address", ""), connection.address):
            return False
        cap = self.faults.session_cap
        if cap is None and self.device.version >= _CAP_SINCE:
            cap = int(values.get("max-sessions", "20"))
        cap = _MOST_CONNECTIONS if cap is None else cap
        return sum(1 for other in self.connections if other.via == via) < cap

    def execute(self, caller: Caller, session_id: int, sentence: Sentence) -> Outcome:
        """Run a command and note it. Raises Trap."""
        self.clock.run_due()
        try:
            outcome = execute(self.device, caller, sentence)
        except Trap as trap:
            self.record(session_id, caller.name, sentence, trap.message)
            raise
        self.record(session_id, caller.name, sentence, "ok")
        if is_write(sentence.command):
            self.changed()
        return outcome

    def record(self, session_id: int, user: str, sentence: Sentence, result: str) -> None:
        """Note an executed command."""
        self.operations.record(self.clock.now(), session_id, user, sentence, result)

    def truncated_rows(self, sentence: Sentence) -> int | None:
        """After how many rows the fault ``truncate`` cuts this list."""
        faults = self.faults
        if faults.truncate_rows is None or faults.truncate_pattern is None:
            return None
        command = "/" + sentence.command.strip("/")
        return faults.truncate_rows if faults.truncate_pattern.search(command) else None

    # -- state

    def changed(self) -> None:
        """Something to be saved happened."""
        if self.state_file is None or self.loop is None or self._save_timer is not None:
            return
        self._save_timer = self.loop.call_later(max(_SAVE_SECONDS, self._save_cost * 20), self._save_now)

    def _save_now(self) -> None:
        if self._save_timer is not None:
            self._save_timer.cancel()
            self._save_timer = None
        if self.state_file is None:
            return
        started = time.monotonic()
        state.save(self, self.state_file)
        self._save_cost = time.monotonic() - started

    # -- building

    def _set_users(self, user: str, password: str, group: str, policies: tuple[str, ...]) -> None:
        device = self.device
        if group not in ("full", "read", "write"):
            device.groups_at_reset = [{"name": group, "policy": policy_text(policies)}]
        device.users_at_reset = [
            {"name": "admin", "group": "full", "comment": "system default user", "disabled": "true"},
            {"name": text_in(user), "group": group, "password": text_in(password)},
        ]
        if user == "admin":
            del device.users_at_reset[0]

    def _refresh_sessions(self) -> None:
        self.hotspot.refresh()
        self.ppp.refresh()

    def become(self, *, serial: str | None, model: str | None) -> None:
        """Be another piece of hardware from now on."""
        fresh = Device(
            version=self.device.version_text,
            model=model or self.device.model.board_name,
            identity=self.device.identity_at_reset,
            serial=serial,
            clock=self.clock,
        )
        self.device.serial, self.device.system_id = fresh.serial, fresh.system_id
        self.device.model = model_named(fresh.model.board_name)

"""The thread-safe face of an emulated router. All routers of a process share one event loop in one thread."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from .control import ControlServer
from .core import RouterCore
from .defaults import BILLING_POLICIES
from .driver import Driver
from .tls import anonymous_context, certificate_context

R = TypeVar("R")


class _LoopThread:
    """One event loop, started with the first router and kept."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="emulator", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


@functools.cache
def _loop_thread() -> _LoopThread:
    return _LoopThread()


class EmulatedRouter(Driver):
    """A RouterOS device on loopback.

    ``version`` and ``model`` decide what it knows; ``user``/``password`` is its API user in ``group`` with
    ``policies``. ``tls``: None, ``"anonymous"`` (as a router without certificate) or ``(certificate,
    key)`` files.
    ``clock``: ``"real"`` follows real time plus ``advance``; ``"manual"`` moves only through ``advance``.
    ``live_limits``: limits set on a user also hold for his running session (not so by default).
    Every verb of ``driver.Driver`` may be called from any thread.
    """

    def __init__(
        self,
        version: str = "7.16.1",
        model: str = "hAP ax^2",
        user: str = "billing",
        *,
        password: str,
        group: str = "billing",
        policies: tuple[str, ...] = BILLING_POLICIES,
        tls: str | tuple[Path, Path] | None = None,
        rtt_ms: float = 0.0,
        seed_users: int = 0,
        serial: str | None = None,
        identity: str = "MikroTik",
        state_file: Path | None = None,
        port: int = 0,
        tls_port: int = 0,
        control_port: int | None = None,
        clock: str = "real",
        live_limits: bool = False,
        random_seed: int | None = None,
    ) -> None:
        if clock not in ("real", "manual"):
            raise ValueError("clock is 'real' or 'manual'")
        context = None
        if isinstance(tls, tuple):
            context = certificate_context(*tls)
        elif tls is not None:
            if tls != "anonymous":
                raise ValueError("tls is None, 'anonymous' or (certificate, key)")
            context = anonymous_context()
        self._core = RouterCore(
            version=version,
            model=model,
            user=user,
            password=password,
            group=group,
            policies=policies,
            identity=identity,
            serial=serial,
            rtt_ms=rtt_ms,
            seed_users=seed_users,
            manual_clock=clock == "manual",
            live_limits=live_limits,
            random_seed=random_seed,
            state_file=state_file,
            tls_context=context,
            port=port,
            tls_port=tls_port if context is not None else None,
        )
        self._control = ControlServer(self._core, control_port) if control_port is not None else None
        self._is_running = False
        self.user = user
        self.password = password
        self.host = "127.0.0.1"

    def start(self) -> EmulatedRouter:
        """Open the ports; returns itself."""
        if not self._is_running:
            self._wait(self._core.start())
            if self._control is not None:
                self._wait(self._control.start())
            self._is_running = True
        return self

    def stop(self) -> None:
        """Close everything and write the state file."""
        if self._is_running:
            self._is_running = False
            if self._control is not None:
                self._wait(self._control.stop())
            self._wait(self._core.stop())

    def __enter__(self) -> EmulatedRouter:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The plain API port."""
        return self._core.listeners[0].port

    @property
    def tls_port(self) -> int:
        """The TLS port. Raises IndexError on a router without TLS."""
        return self._core.listeners[1].port

    @property
    def control_port(self) -> int:
        """The control port. Raises RuntimeError on a router without one."""
        if self._control is None:
            raise RuntimeError("this router was made without a control port")
        return self._control.port

    @property
    def serial(self) -> str:
        """The serial number now."""
        return self._core.device.serial

    def _call(self, verb: str, *args: Any, **options: Any) -> Any:
        async def work() -> Any:
            result = getattr(self._core, verb)(*args, **options)
            return await result if asyncio.iscoroutine(result) else result

        return self._wait(work())

    def _wait(self, work: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(work, _loop_thread().loop).result()

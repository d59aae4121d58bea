"""A small supervisor: starts named children, restarts the fallen, stops all of them in order."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config.embedded import leftovers
from config.embedded.child import end_group, group_is_empty, start_child
from config.embedded.postgres import EmbeddedPostgres

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_LIMIT = 10 * 1024 * 1024
FIRST_DELAY, LONGEST_DELAY, STEADY_AFTER = 1.0, 30.0, 60.0
"""Seconds: the wait before a restart doubles up to the longest; after a steady run it starts over."""
_TICK = 0.1


class StopRequestedError(Exception):
    """Somebody asked to stop (Ctrl-C, SIGTERM, a closed terminal) while a step was running."""


@dataclass(frozen=True)
class ChildSpec:
    """A long-running program. `stops_last` children stay until the others have finished their work."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    stops_last: bool = False


@dataclass
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay: float = FIRST_DELAY
    restart_at: float | None = None
    restarts: int = field(default=0)


class Supervisor:
    """Runs children of one scope (a lock file its caller holds). Use from the main thread, as a context
    manager.

    Each child has its own process group, so a Ctrl-C at the terminal reaches only the supervisor, which stops
    children first; the caller stops PostgreSQL after `stop`. `say` gets sentences for the person at the
    terminal. Output goes to `log_folder/<name>.log`.
    """

    def __init__(
        self,
        *,
        scope: Path,
        folder: Path,
        log_folder: Path,
        say: Callable[[str], None],
        stop_seconds: float = 12.0,
    ) -> None:
        self.run_id = secrets.token_hex(8)
        self._scope = scope
        self._folder = folder
        self._log_folder = log_folder
        self._say = say
        self._server: EmbeddedPostgres | None = None
        self._stop_seconds = stop_seconds
        self._children: list[_Child] = []
        self._signals = 0
        self._previous: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Supervisor:
        for number in STOP_SIGNALS:
            self._previous[number] = signal.signal(number, self._on_signal)
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    @property
    def stop_requested(self) -> bool:
        return self._signals > 0

    def request_stop(self) -> None:
        """The same as a Ctrl-C."""
        self._signals += 1

    def watch_server(self, server: EmbeddedPostgres) -> None:
        """Start this running server again when it falls. Stopping it is left to the caller."""
        self._server = server

    def end_leftovers(self) -> int:
        """End children of earlier runs of this scope that lost their supervisor; returns how many."""
        return leftovers.end_marked(self._scope, not_run=self.run_id)

    def log_path(self, name: str) -> Path:
        return self._log_folder / f"{name}.log"

    def log_tail(self, name: str, characters: int = 2000) -> str:
        """The last words of a child, for an error message."""
        try:
            return self.log_path(name).read_text(encoding="utf-8", errors="replace")[-characters:].strip()
        except FileNotFoundError:
            return ""

    def run_once(self, name: str, command: Sequence[str], env: Mapping[str, str], *, shown: bool = False) -> int:
        """Run a program to its end and return its exit code; `shown` sends its output to the terminal.

        Raises StopRequestedError after ending it when a stop is asked for meanwhile.
        """
        return self.run_together({name: command}, env, shown=shown)[name]

    def run_together(
        self, commands: Mapping[str, Sequence[str]], env: Mapping[str, str], *, shown: bool = False
    ) -> dict[str, int]:
        """Run programs side by side to their ends; exit codes by name. Raises StopRequestedError."""
        running = {name: self._spawn(ChildSpec(name, command, env), shown=shown) for name, command in commands.items()}
        try:
            while any(process.poll() is None for process in running.values()):
                self.pause()
        finally:
            self._end(list(running.values()))
        return {name: process.returncode for name, process in running.items()}

    def start(self, spec: ChildSpec) -> None:
        """Start a child that shall run until the end."""
        self._children.append(_Child(spec))
        self._launch(self._children[-1])

    def restarts(self, name: str) -> int:
        """How often a child had to be started again."""
        return next(child.restarts for child in self._children if child.spec.name == name)

    def failing(self, *, restarts: int = 3) -> str | None:
        """Name of a child that fell again and again, or None."""
        return next((child.spec.name for child in self._children if child.restarts >= restarts), None)

    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now."""
        return {
            child.spec.name: child.process.pid
            for child in self._children
            if child.process is not None and child.process.poll() is None
        }

    def pause(self) -> None:
        """Wait a moment while watching over everything. Raises StopRequestedError."""
        if self.stop_requested:
            raise StopRequestedError
        self.watch()
        time.sleep(_TICK)

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Watch until the condition holds (True) or time is up (False). Raises StopRequestedError."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.pause()
        return True

    def run_forever(self) -> None:
        """Watch over the children until a stop is requested."""
        try:
            while True:
                self.pause()
        except StopRequestedError:
            return

    def watch(self) -> None:
        """Start again what fell: PostgreSQL first, because everything else would only fail without it."""
        if self._server is not None and not self._server.is_running():
            self._say("PostgreSQL ended unexpectedly; starting it again.")
            self._server.start()
        now = time.monotonic()
        for child in self._children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    child.restarts += 1
                    self._launch(child)
            elif child.process is not None and child.process.poll() is not None:
                self._plan_restart(child, now)

    def stop(self) -> None:
        """Ask all children to end, those marked `stops_last` after the others; then kill what is left."""
        first = [child for child in self._children if not child.spec.stops_last]
        last = [child for child in self._children if child.spec.stops_last]
        self._children = []
        self._server = None
        for group in (first, last):
            self._end([child.process for child in group if child.process is not None])
        leftovers.end_marked(self._scope, run=self.run_id, wait_seconds=2.0)

    # -- steps
    # -------------------------------------------------------------------------------------------------

    def _launch(self, child: _Child) -> None:
        child.restart_at = None
        child.started_at = time.monotonic()
        child.process = self._spawn(child.spec)

    def _spawn(self, spec: ChildSpec, *, shown: bool = False) -> subprocess.Popen[bytes]:
        env = dict(spec.env) | {leftovers.SCOPE: str(self._scope), leftovers.RUN: self.run_id}
        if shown:
            return start_child(spec.command, env=env, cwd=self._folder)
        path = self.log_path(spec.name)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            return start_child(spec.command, env=env, cwd=self._folder, output=descriptor)
        finally:
            os.close(descriptor)

    def _plan_restart(self, child: _Child, now: float) -> None:
        process = child.process
        if process is None:
            return
        child.process = None
        # What it had started itself would hold ports and locks of the next one.
        end_group(process, signal.SIGKILL)
        if now - child.started_at > STEADY_AFTER:
            child.delay = FIRST_DELAY
        child.restart_at = now + child.delay
        self._say(
            f"{child.spec.name} ended ({_how(process.returncode)}); starting it again in {child.delay:.0f} s."
            f" See {self.log_path(child.spec.name)}"
        )
        child.delay = min(child.delay * 2, LONGEST_DELAY)

    def _end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        """SIGTERM to each program (it ends its own children), SIGKILL to whole groups when time is up.

        A second Ctrl-C cuts the wait short.
        """
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._stop_seconds
        patience = self._signals + 1
        while any(process.poll() is None for process in processes):
            if time.monotonic() > deadline or self._signals > patience:
                break
            time.sleep(0.05)
        for process in processes:
            if not group_is_empty(process):
                end_group(process, signal.SIGKILL)
            process.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"

"""Finds and ends processes of an earlier run whose supervisor was killed.

Every child carries two environment variables: the scope (the lock file of its supervisor) and the run's id.
Whoever holds that lock now knows that processes of the same scope with another id have no supervisor any
more. Forked grandchildren inherit the marker, so none is missed.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

SCOPE = "MB_RUN_SCOPE"
RUN = "MB_RUN_ID"


def find_marked(scope: Path, *, run: str | None = None, not_run: str | None = None) -> list[int]:
    """Pids marked with `scope`, of one run or of all runs but one; only those this account may look into."""
    wanted = f"{SCOPE}={scope}".encode()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        marks = _marks(int(entry.name))
        if wanted not in marks:
            continue
        if run is not None and f"{RUN}={run}".encode() not in marks:
            continue
        if not_run is not None and f"{RUN}={not_run}".encode() in marks:
            continue
        found.append(int(entry.name))
    return found


def end_marked(scope: Path, *, run: str | None = None, not_run: str | None = None, wait_seconds: float = 5.0) -> int:
    """End those processes, asking first and then killing. Returns how many there were at the start."""
    first = find_marked(scope, run=run, not_run=not_run)
    remaining = first
    deadline = time.monotonic() + wait_seconds
    sign = signal.SIGTERM
    while remaining:
        for pid in remaining:
            _signal_if_marked(pid, scope, sign)
        until = min(deadline, time.monotonic() + 1.0) if sign is signal.SIGTERM else time.monotonic() + 0.2
        while remaining and time.monotonic() < until:
            time.sleep(0.05)
            remaining = find_marked(scope, run=run, not_run=not_run)
        if time.monotonic() >= deadline:
            sign = signal.SIGKILL
        if time.monotonic() >= deadline + 10:
            raise TimeoutError(f"Processes {remaining} of an earlier run do not end.")
    return len(first)


def _marks(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _signal_if_marked(pid: int, scope: Path, number: signal.Signals) -> None:
    """Through a pidfd, looking again once it is open: the pid may belong to someone else by now."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if f"{SCOPE}={scope}".encode() in _marks(pid):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)

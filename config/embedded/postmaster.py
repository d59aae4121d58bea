"""Tells whether a server really runs on a data folder, and clears what a dead one left behind."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_STATUS_LINE = 7
"""Zero-based line of postmaster.pid with the status word (PostgreSQL's src/include/utils/pidfile.h)."""


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says; `status` is empty until the server wrote it."""

    pid: int
    status: str


def read_pid_file(data: Path) -> PidFile | None:
    """The pid file of a data folder; None when there is none or it is still being written."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().lstrip("-").isdigit():
        return None
    status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""
    return PidFile(abs(int(lines[0])), status)


def server_pid(data: Path) -> int | None:
    """Pid of the server of this data folder, or None.

    A pid alone proves nothing after a reboot: it may belong to someone else by now. A postmaster works
    inside its data folder, so its working directory tells.
    """
    found = read_pid_file(data)
    return found.pid if found is not None and _works_in(found.pid, data) else None


def clear_stale(data: Path, sockets: Path, *, wait_seconds: float = 10.0) -> None:
    """Remove lock files of a server that is gone, and end backends that outlived it.

    Only for a caller that holds the data folder's own lock. PostgreSQL would refuse to start when the pid
    in an old lock file was given to another process. Raises TimeoutError when orphaned backends do not end.
    """
    deadline = time.monotonic() + wait_seconds
    sign = signal.SIGQUIT
    while orphans := _processes_in(data):
        # Backends keep the shared memory of a killed server; a new server must not start beside them.
        for pid in orphans:
            _send(pid, sign)
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL processes of {data} do not end: {orphans}")
        sign = signal.SIGKILL if time.monotonic() > deadline - wait_seconds / 2 else signal.SIGQUIT
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for path in sockets.glob(".s.PGSQL.*"):
        path.unlink()


def _works_in(pid: int, data: Path) -> bool:
    try:
        folder = str(Path(f"/proc/{pid}/cwd").readlink())
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return folder == str(data.resolve()) and name == "postgres"


def _processes_in(data: Path) -> list[int]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _works_in(pid, data)]


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return

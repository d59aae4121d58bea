"""What other processes of this machine use: memory and processor time, read from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def memory_of(pid: int | str, what: str = "VmRSS") -> int:
    """Resident bytes of a process now; `VmHWM`: the most since it started, or since it was told to forget."""
    (line,) = [text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith(f"{what}:")]
    return int(line.split()[1]) * 1024


def cpu_seconds(pid: int | str) -> float:
    """Processor time a process used up to now, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def database_cpu_seconds(name: str) -> float:
    """Processor time of the server processes that work on this database just now."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if words.startswith("postgres:") and f" {name} " in words:
                total += cpu_seconds(folder.name)
    return total


def mib(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"

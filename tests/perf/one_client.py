"""One client doing one thing to one router, in a process of its own: its processor time and peak memory are its own.

As a program: reads the rows to work on as JSON from stdin, prints what it did as one line of JSON. `ours` is the
connection and the window that our writer has; the others are used as their manuals show, one answer waited for after
the other. Those stop after `--seconds`: the caller extrapolates from what they did.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.perf.databases import CLONE
from tests.perf.fleet import PASSWORD, USER
from tests.perf.processes import memory_of

MENU = "/ip/hotspot/user"
CLIENTS = ("ours", "stock routeros-api", "librouteros")
LONGEST_SECONDS = 3600.0
Rows = Sequence[dict[str, str]]


@dataclass(frozen=True)
class Done:
    """What came of it. `extra` is what memory grew to above what the logged-in client had; bytes. `digest` of names."""

    rows: int
    seconds: float
    cpu: float
    peak: int
    extra: int
    cells: int = 0
    digest: str = ""


def run_client(client: str, work: str, port: int, rows: Rows = (), *, seconds: float = LONGEST_SECONDS) -> Done:
    """Start the process, wait, take its report. Raises RuntimeError with its last words when it failed."""
    command = [
        sys.executable, "-m", "tests.perf.one_client", client, work, "--port", str(port), "--seconds", str(seconds)
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=CLONE, env=dict(os.environ), input=json.dumps(list(rows)), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if ended.returncode:
        raise RuntimeError(f"{client} {work}: {ended.stderr.strip().splitlines()[-1:]}")
    return Done(**json.loads(ended.stdout))


class Client(Protocol):
    """`change` adds, sets or removes each row until the time is over and returns how many; `print` reads the menu."""

    def change(self, verb: str, rows: Rows, ends_at: float) -> int: ...

    def print(self) -> list[dict[str, Any]]: ...


class Ours:
    def __init__(self, port: int) -> None:
        from locations.routeros.client import RouterClient, RouterTarget

        self.client = RouterClient(RouterTarget("127.0.0.1", port, USER, PASSWORD), timeout=120)
        self.client.connect()

    def change(self, verb: str, rows: Rows, ends_at: float) -> int:
        """As the writer does, every row at once; raises the first refusal."""
        from locations.routeros.errors import RouterTrap
        from locations.sync.pipeline import pipelined

        done = 0
        for _row, answer in pipelined(self.client, rows, lambda row: (f"{MENU}/{verb}", row, ())):
            if isinstance(answer, RouterTrap):
                raise answer
            done += 1
        return done

    def print(self) -> list[dict[str, Any]]:
        return list(self.client.print(MENU))


class Stock:
    def __init__(self, port: int) -> None:
        import routeros_api

        pool = routeros_api.RouterOsApiPool("127.0.0.1", USER, PASSWORD, port=port, plaintext_login=True)
        self.resource = pool.get_api().get_resource(MENU)

    def change(self, verb: str, rows: Rows, ends_at: float) -> int:
        work = getattr(self.resource, verb)
        return _one_by_one(lambda row: work(**{key.lstrip("."): value for key, value in row.items()}), rows, ends_at)

    def print(self) -> list[dict[str, Any]]:
        return list(self.resource.get())


class Librouteros:
    def __init__(self, port: int) -> None:
        import librouteros  # type: ignore[import-untyped]

        client = librouteros.connect("127.0.0.1", USER, PASSWORD, port=port, encoding="utf-8", timeout=120)
        self.menu = client.path(MENU)

    def change(self, verb: str, rows: Rows, ends_at: float) -> int:
        work = {
            "add": lambda row: self.menu.add(**row),
            "set": lambda row: self.menu.update(**row),
            "remove": lambda row: self.menu.remove(row[".id"]),
        }[verb]
        return _one_by_one(work, rows, ends_at)

    def print(self) -> list[dict[str, Any]]:
        return list(self.menu)


def _one_by_one(work: Any, rows: Rows, ends_at: float) -> int:
    for done, row in enumerate(rows):
        if time.perf_counter() > ends_at:
            return done
        work(row)
    return len(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("work", choices=("add", "set", "remove", "print"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    rows = json.load(sys.stdin)
    makers: list[type[Ours | Stock | Librouteros]] = [Ours, Stock, Librouteros]
    client: Client = dict(zip(CLIENTS, makers, strict=True))[options.client](options.port)
    before = _watch_memory()
    used, started = time.process_time(), time.perf_counter()
    printed = client.print() if options.work == "print" else None
    changed = client.change(options.work, rows, started + options.seconds) if printed is None else 0
    took, used = time.perf_counter() - started, time.process_time() - used
    peak = memory_of("self", "VmHWM")
    cells, digest = (0, "") if printed is None else (sum(map(len, printed)), digest_of(row["name"] for row in printed))
    count = changed if printed is None else len(printed)
    done = Done(rows=count, seconds=took, cpu=used, peak=peak, extra=peak - before, cells=cells, digest=digest)
    sys.stdout.write(json.dumps(asdict(done)))
    sys.stdout.flush()
    os._exit(0)  # nothing of what follows is the client's work


def digest_of(names: Iterable[object]) -> str:
    """Of a set of names, whatever their order."""
    return hashlib.sha256("\n".join(sorted(str(name) for name in names)).encode()).hexdigest()


def _watch_memory() -> int:
    """Forget the highest mark (Linux); returns what is in use now."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return memory_of("self")


if __name__ == "__main__":
    main()

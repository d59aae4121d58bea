"""The routers worker in a process of its own: the thread pools, kicks and sweeps of production without a broker.

Model: queue `routers` has 16 threads, `routers_slow` 4; a kick arrives 100 ms after the commit, the polling interval of
the filesystem broker; a message older than its expiry is dropped; the sweep runs when it is asked for. As a program it
reads one JSON message per line and ends when stdin closes (also when its parent died).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from tests.perf.databases import CLONE

QUEUES = {"routers": 16, "routers_slow": 4}
KICK_SECONDS = 0.1
MODEL = "16 + 4 writer threads in one process, kicks 100 ms after commit"
SWEEP = "locations.tasks.sweep"
Sender = Callable[[str, tuple[int | str, ...], str, int], None]


@dataclass(frozen=True)
class Running:
    """A worker that runs: called with a task and its arguments, it is sent them. `pid` is its process."""

    pid: int
    _send: Sender

    def __call__(self, task: str, *args: int | str) -> None:
        self._send(task, args, "routers", 60)


@contextmanager
def worker() -> Iterator[Running]:
    """Start it and hand this process's kicks to it. Yields `send(task, *args)` for messages of one's own."""
    from core import kick as kicking

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.perf.worker"], cwd=CLONE, env=dict(os.environ), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()  # ready
    stdin, lock = process.stdin, threading.Lock()

    def send(task: str, args: tuple[int | str, ...], queue: str, expires_seconds: int) -> None:
        with lock:
            stdin.write(json.dumps([task, list(args), queue, expires_seconds]) + "\n")
            stdin.flush()

    before, kicking._send = kicking._send, send
    try:
        yield Running(process.pid, send)
    finally:
        kicking._send = before
        stdin.close()
        try:
            process.wait(timeout=180)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Pools:
    """Messages wait for a thread of their queue, as Celery's thread pools let them."""

    def __init__(self, run: Callable[[str, list[Any]], object]) -> None:
        self.run = run
        self.pools = {name: ThreadPoolExecutor(threads, name) for name, threads in QUEUES.items()}
        self.is_closing = False

    def send(self, task: str, args: tuple[int | str, ...], queue: str, expires_seconds: int) -> None:
        expires_at = time.monotonic() + expires_seconds
        timer = threading.Timer(KICK_SECONDS, self._submit, [task, list(args), queue, expires_at])
        timer.daemon = True
        timer.start()

    def _submit(self, task: str, args: list[Any], queue: str, expires_at: float) -> None:
        if not self.is_closing:
            self.pools[queue].submit(self._work, task, args, expires_at)

    def _work(self, task: str, args: list[Any], expires_at: float) -> None:
        from django.db import connection

        if self.is_closing or time.monotonic() > expires_at:
            return
        try:
            self.run(task, args)
        except Exception as error:
            sys.stderr.write(f"worker: {task}{tuple(args)}: {type(error).__name__}: {error}\n")
        finally:
            connection.close()

    def close(self) -> None:
        self.is_closing = True
        for pool in self.pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def serve(source: IO[str]) -> None:
    import django

    django.setup()
    from core import kick as kicking
    from locations import tasks
    from locations.sync.sweep import sweep

    # the functions behind the tasks: what Celery would call, without its broker
    work: dict[str, Callable[..., object]] = {"locations.tasks.location_sync": tasks.location_sync.run, SWEEP: sweep}
    pools = Pools(lambda task, args: work[task](*args) if task in work else None)
    kicking._send = pools.send
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in source:
        task, args, queue, expires_seconds = json.loads(line)
        if task in work:
            pools.send(task, tuple(args), queue, expires_seconds)
    pools.close()
    os._exit(0)  # a thread that waits for a dead router would keep the process for its time-out


if __name__ == "__main__":
    serve(sys.stdin)

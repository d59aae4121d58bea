"""Emulated routers in a process of their own, so that router and client share no interpreter lock.

As a program: starts the routers, prints one JSON line per router, ends when stdin closes (also when its parent died).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import librouteros  # type: ignore[import-untyped]

from locations.emulator import ControlClient, EmulatedRouter
from locations.emulator.defaults import BILLING_POLICIES
from tests.perf.databases import CLONE

USER, PASSWORD = "billing", "router-password-for-benchmarks"
DELAY = "{rtt} ms RTT on every reply; commands in flight overlap"


@dataclass
class Router:
    """One router of the fleet: its API port, and its console."""

    port: int
    console: ControlClient
    pid: int = 0  # of the process it lives in, with the rest of its fleet

    def client(self) -> Any:
        """librouteros, a client we did not write: it is asked what the router has."""
        return librouteros.connect("127.0.0.1", USER, PASSWORD, port=self.port, encoding="utf-8", timeout=120)

    def rows(self, menu: str) -> list[dict[str, Any]]:
        client = self.client()
        try:
            return [dict(row) for row in client.path(menu)]
        finally:
            client.close()


def delay_text(rtt_ms: float) -> str:
    return f"{rtt_ms:g} ms RTT"


@contextmanager
def fleet(*rtts_ms: float, policies: Sequence[str] = BILLING_POLICIES) -> Iterator[list[Router]]:
    """One router per round trip time given. `policies` are what our user may do there."""
    command = [sys.executable, "-m", "tests.perf.fleet", "--policies", ",".join(policies), *map(str, rtts_ms)]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, cwd=CLONE, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        routers = []
        for _rtt in rtts_ms:
            ports = json.loads(process.stdout.readline())
            console = ControlClient("127.0.0.1", ports["control"], timeout=300)
            stack.callback(console.close)
            routers.append(Router(ports["port"], console, process.pid))
        yield routers


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rtts", nargs="+", type=float)
    parser.add_argument("--policies", required=True)
    options, routers = parser.parse_args(), []
    policies = tuple(options.policies.split(","))
    for rtt in options.rtts:
        router = EmulatedRouter(user=USER, password=PASSWORD, policies=policies, rtt_ms=rtt, control_port=0)
        routers.append(router.start())
        sys.stdout.write(json.dumps({"port": router.port, "control": router.control_port}) + "\n")
        sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

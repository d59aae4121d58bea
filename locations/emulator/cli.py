"""Command line: start one emulated router and keep it running until interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from .defaults import BILLING_POLICIES
from .listener import LOOPBACK
from .router import EmulatedRouter
from .schema.system import POLICIES

PASSWORD_VARIABLE = "EMULATOR_PASSWORD"  # noqa: S105 - the name of a variable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, also for a management command that wraps this."""
    parser.add_argument("--port", type=int, default=8728, help="plain API port (0: any free one)")
    parser.add_argument("--tls-port", type=int, help="API port with TLS")
    parser.add_argument("--tls-certificate", type=Path, help="certificate file; without it TLS is anonymous")
    parser.add_argument("--tls-key", type=Path, help="key of the certificate")
    parser.add_argument("--bind", default=LOOPBACK, help=f"only {LOOPBACK} is accepted")
    # A wrapper whose parser already has --version (Django's) needs conflict_handler="resolve".
    parser.add_argument("--version", "--routeros", dest="routeros", default="7.16.1", help="RouterOS release")
    parser.add_argument("--model", default="hAP ax^2", help="board name or product code; CHR for the cloud router")
    parser.add_argument("--user", default="billing", help="name of the API user")
    parser.add_argument("--password", help=f"its password (or the variable {PASSWORD_VARIABLE})")
    parser.add_argument(
        "--policies", default=",".join(BILLING_POLICIES), help="what the API user may do, as in /user group policy"
    )
    parser.add_argument("--identity", default="MikroTik", help="system identity")
    parser.add_argument("--serial", help="serial number (default: random)")
    parser.add_argument("--seed-users", type=int, default=0, help="so many hotspot users exist from the start")
    parser.add_argument("--rtt-ms", type=float, default=0.0, help="round trip of the line in milliseconds")
    parser.add_argument("--state-file", type=Path, help="keep the state there; a restart is a reboot")
    parser.add_argument("--control-port", type=int, help="JSON-lines control port (0: any free one)")
    parser.add_argument("--live-limits", action="store_true", help="changed limits also hold for running sessions")


def router_from(options: argparse.Namespace) -> EmulatedRouter:
    """The router these options describe, not started yet. Raises ValueError with what to change."""
    if options.bind not in (LOOPBACK, "localhost"):
        raise ValueError(f"the emulator serves only {LOOPBACK}: it is no router and must not be reachable")
    password = options.password or os.environ.get(PASSWORD_VARIABLE, "")
    if not password:
        raise ValueError(f"give the API user a password: --password or {PASSWORD_VARIABLE}")
    if bool(options.tls_certificate) != bool(options.tls_key):
        raise ValueError("--tls-certificate and --tls-key belong together")
    policies = tuple(name.strip() for name in options.policies.split(","))
    if unknown := [name for name in policies if name not in POLICIES]:
        raise ValueError(f"no such policy: {', '.join(unknown)}; known: {', '.join(POLICIES)}")
    tls: str | tuple[Path, Path] | None = None
    if options.tls_port is not None:
        tls = (options.tls_certificate, options.tls_key) if options.tls_certificate else "anonymous"
    return EmulatedRouter(
        options.routeros,
        options.model,
        options.user,
        password=password,
        policies=policies,
        tls=tls,
        rtt_ms=options.rtt_ms,
        seed_users=options.seed_users,
        serial=options.serial,
        identity=options.identity,
        state_file=options.state_file,
        port=options.port,
        tls_port=options.tls_port or 0,
        control_port=options.control_port,
        live_limits=options.live_limits,
    )


def run(options: argparse.Namespace) -> int:
    """Start, say where, wait for SIGINT or SIGTERM, stop. Returns the exit code."""
    try:
        router = router_from(options)
        router.start()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    control = f" control={router.control_port}" if options.control_port is not None else ""
    tls = f" tls={router.tls_port}" if options.tls_port is not None else ""
    sys.stdout.write(f"RouterOS {options.routeros} on {LOOPBACK}:{router.port}{tls}{control}\n")
    sys.stdout.flush()
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: finished.set())
    finished.wait()
    router.stop()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="emulator", description="A RouterOS API device for demos and tests.")
    add_arguments(parser)
    return run(parser.parse_args(argv))

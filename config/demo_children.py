"""What the demo runs: setup commands, emulated routers, web, workers and beat, as plain data."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from config.embedded.files import write_private
from config.embedded.ports import free_port, is_free
from config.embedded.processes import ChildSpec

WORKER_QUEUES = "celery,batches"
ROUTER_QUEUES = "routers"
SLOW_ROUTER_QUEUES = "routers_slow"
ROUTER_USER = "billing"
ROUTER_POLICIES = "read,write,api,test,sensitive,ftp,reboot"
"""All the product asks for: `ftp` for configuration backups, `reboot` for the restart that two people confirm."""


@dataclass(frozen=True)
class Emulator:
    """One emulated router. `state_file` is its memory: starting it again is a reboot."""

    name: str
    version: str
    model: str
    port: int = 0
    tls_port: int = 0
    control_port: int = 0
    state_file: str = ""


ROUTERS = (
    Emulator("router-6", "6.49.17", "RB750Gr3"),
    Emulator("router-7", "7.16.1", "RB5009UG+S+"),
)
"""One router of each RouterOS generation that is still sold and supported (research/routeros.md)."""

_PORTS = [(router.name, key) for router in ROUTERS for key in ("port", "tls_port", "control_port")]


def plan_emulators(var: Path, *, taken: set[int]) -> list[Emulator]:
    """Ports of the emulators: those of the last run while free, because locations are stored with them.

    `taken` are ports promised to others that do not listen yet; the chosen ones are added.
    """
    known = {str(item.get("name")): item for item in _read_plan(var).get("emulators", [])}
    chosen: dict[tuple[str, str], int] = {}
    for name, key in _PORTS:
        old = known.get(name, {}).get(key)
        if isinstance(old, int) and old not in taken and is_free(old):
            taken.add(old)
            chosen[name, key] = old
    for name, key in _PORTS:
        # Only now: a router that has to move must not take the place another one comes back to.
        if (name, key) not in chosen:
            chosen[name, key] = free_port(taken, near=str(var))
    return [
        replace(
            router,
            port=chosen[router.name, "port"],
            tls_port=chosen[router.name, "tls_port"],
            control_port=chosen[router.name, "control_port"],
            state_file=str(var / "emulator" / f"{router.name}.json"),
        )
        for router in ROUTERS
    ]


def write_plan(var: Path, emulators: list[Emulator], *, url: str) -> None:
    """Record for `demo_seed` and `demo_check` where everything is: `var/demo.json` (0600, no secrets)."""
    routers = [asdict(emulator) | {"host": "127.0.0.1", "user": ROUTER_USER} for emulator in emulators]
    write_private(plan_path(var), json.dumps({"url": url, "emulators": routers}, indent=2) + "\n")


def plan_path(var: Path) -> Path:
    return var / "demo.json"


def plan_url(var: Path) -> str:
    """Address of the last started demo, or empty."""
    return str(_read_plan(var).get("url", ""))


def _read_plan(var: Path) -> dict[str, list[dict[str, object]]]:
    try:
        content = json.loads(plan_path(var).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def setup_commands(*, static: bool) -> list[dict[str, list[str]]]:
    """Steps before anything serves; the commands of one step do not depend on each other."""
    first = {"migrate": manage("migrate", "--noinput")}
    if static:
        first["collectstatic"] = manage("collectstatic", "--noinput")
    return [first, {"seed": manage("demo_seed")}]


def static_fingerprint(clone: Path) -> str:
    """Changes when a static file, a package or a setting could have: collecting again costs seconds at each start."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "config/settings.py"):
        path = clone / name
        digest.update(path.read_bytes() if path.exists() else b"")
    for path in sorted(clone.glob("[!.]*/static*/**/*")):
        if path.is_relative_to(clone / "var"):
            continue  # what collectstatic wrote
        found = path.stat()
        digest.update(f"{path.relative_to(clone)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def emulator_spec(emulator: Emulator, env: Mapping[str, str]) -> ChildSpec:
    """The router outlives workers at the end, so that they can finish what they are writing to it.

    `manage.py emulate_router` is the same program, but loads all of Django first.
    """
    command = [
        sys.executable, "-m", "locations.emulator", "--port", str(emulator.port), "--tls-port", str(emulator.tls_port),
        "--control-port", str(emulator.control_port), "--version", emulator.version,
        "--model", emulator.model, "--identity", emulator.name, "--user", ROUTER_USER, "--state-file", emulator.state_file,
        "--policies", ROUTER_POLICIES,
    ]  # fmt: skip
    return ChildSpec(f"emulator-{emulator.name}", command, env, stops_last=True)


def child_specs(env: Mapping[str, str], *, port: int) -> list[ChildSpec]:
    """Web, the three kinds of workers, and beat."""
    return [
        ChildSpec("web", _gunicorn(port), env),
        ChildSpec("worker", _worker("worker", WORKER_QUEUES, "prefork", 2), env),
        ChildSpec("routers", _worker("routers", ROUTER_QUEUES, "threads", 16), env),
        ChildSpec("routers-slow", _worker("routers-slow", SLOW_ROUTER_QUEUES, "threads", 4), env),
        ChildSpec("beat", _celery("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"), env),
    ]


def _gunicorn(port: int) -> list[str]:
    # Without --no-control-socket gunicorn 27 opens a socket in the home folder (research/ui_ops.md §8.3).
    return [
        sys.executable, "-m", "gunicorn", "config.wsgi:application", "--worker-class", "gthread",
        "--workers", "2", "--threads", "8", "--bind", f"127.0.0.1:{port}", "--timeout", "30",
        "--no-control-socket",
    ]  # fmt: skip


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "config", *arguments]


def _worker(name: str, queues: str, pool: str, size: int) -> list[str]:
    # Gossip and mingle are broadcasts between workers; on the filesystem broker they only cost start-up time.
    return _celery(
        "worker", "-n", f"{name}@demo", "-Q", queues, "-P", pool, "-c", str(size), "--loglevel", "INFO",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip

"""`bin/demo`: the whole product on this machine, with two emulated routers, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from config import demo_children as children
from config.embedded import names
from config.embedded.broker import prepare_broker
from config.embedded.environment import (
    Databases,
    child_environment,
    remove_embedded_env,
    write_embedded_env,
)
from config.embedded.files import FileLock, LockBusyError, write_private
from config.embedded.ports import answers, free_port, is_free
from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError
from config.embedded.processes import StopRequestedError, Supervisor
from config.embedded.secrets_file import ensure_secrets, secrets_path

READY_SECONDS = 120.0
PORT = 8000
POSTGRES = "postgres"
ADMIN_PASSWORD = "demo-admin-password"  # noqa: S105 - the name of the file that holds it
_DATA_FILES = ("demo.json", ADMIN_PASSWORD, "secrets.env", "embedded.env")
_DATA_FOLDERS = ("emulator", "broker", "media")


class DemoError(Exception):
    """A sentence for the person at the terminal."""


def say(text: str) -> None:
    """One line to the terminal, at once (a pipe would otherwise hold it back)."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 stopped on request or check passed, 1 a problem (said in a sentence)."""
    parser = argparse.ArgumentParser(prog="bin/demo", description="Try the product with two emulated routers.")
    parser.add_argument("--port", type=int, help=f"port on 127.0.0.1 (default {PORT}; with --check a free one)")
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first")
    parser.add_argument("--check", action="store_true", help="run the main job once, print each step, stop")
    options = parser.parse_args(arguments)
    var = Path(os.environ.get("VAR_DIR") or names.VAR).resolve()
    try:
        with _only_demo(var) as scope:
            return _run(var, scope, port=options.port, reset=options.reset, check=options.check)
    except (DemoError, EmbeddedPostgresError) as error:
        sys.stderr.write(f"{error}\n")
    except PermissionError as error:
        sys.stderr.write(f"{error.filename} belongs to another account; run the demo as that account.\n")
    return 1


@contextlib.contextmanager
def _only_demo(var: Path) -> Iterator[Path]:
    """Hold the demo's lock. Its path is also the marker of all the demo's processes."""
    lock = FileLock(var / "demo.lock")
    try:
        lock.acquire()
    except LockBusyError as error:
        where = children.plan_url(var) or "(starting)"
        raise DemoError(f"The demo already runs: {where}, process {error.pid}. Stop it with Ctrl-C there.") from error
    try:
        yield lock.path
    finally:
        lock.release()


def _run(var: Path, scope: Path, *, port: int | None, reset: bool, check: bool) -> int:
    server = None if os.environ.get("DATABASE_URL") else EmbeddedPostgres(var / POSTGRES, "demo")
    supervisor = Supervisor(scope=scope, folder=names.CLONE, log_folder=var / "log", say=say)
    with supervisor:
        if ended := supervisor.end_leftovers():
            say(f"Ended {ended} processes that an earlier, killed demo left behind.")
        if reset:
            _reset(var, server)
        try:
            return _serve(var, supervisor, server, port=port, check=check)
        except StopRequestedError:
            return 130 if check else 0
        finally:
            say("Stopping…")
            supervisor.stop()
            if server is not None:
                server.stop()
                remove_embedded_env(var)
            say("Stopped. Nothing is left running.")


def _serve(var: Path, supervisor: Supervisor, server: EmbeddedPostgres | None, *, port: int | None, check: bool) -> int:
    port = _choose_port(var, port, check=check)
    url = f"http://127.0.0.1:{port}"
    _refuse_lost_keys(var)
    secrets = ensure_secrets(var)
    if server is None:
        databases = Databases(os.environ["DATABASE_URL"], os.environ.get("DATABASE_OWNER_URL", ""), embedded=False)
    else:
        say("Starting PostgreSQL…")
        server.start()
        supervisor.watch_server(server)
        databases = Databases(server.app_url, server.owner_url, embedded=True)
        write_embedded_env(var, databases, url=url)
    prepare_broker(var)
    env = child_environment(os.environ, var=var, databases=databases, secrets=secrets, url=url)
    owner_env = child_environment(os.environ, var=var, databases=databases, secrets=secrets, url=url, as_owner=True)
    _start_emulators(var, supervisor, env, url=url, web_port=port)
    _set_up(var, supervisor, owner_env)
    say("Starting web, workers and beat…")
    for spec in children.child_specs(env, port=port):
        supervisor.start(spec)
    _wait(supervisor, lambda: _is_ready(url), "web", seconds=READY_SECONDS)
    if check:
        quiet = env | {"LOG_LEVEL": "WARNING"}  # each request it makes would otherwise be a line between the steps
        return supervisor.run_once("check", children.manage("demo_check", "--url", url), quiet, shown=True)
    _say_ready(var, url)
    supervisor.run_forever()
    return 0


def _choose_port(var: Path, port: int | None, *, check: bool) -> int:
    if port is None and check:
        return free_port(set(), near=str(var))
    wanted = port or PORT
    if not 1 <= wanted <= 65535:
        raise DemoError(f"--port must be between 1 and 65535, not {wanted}.")
    if not is_free(wanted):
        raise DemoError(f"Port {wanted} is in use by another program. Choose one: bin/demo --port {wanted + 1}")
    return wanted


def _refuse_lost_keys(var: Path) -> None:
    """New keys beside old data would make every stored router password unreadable, and say nothing."""
    if (var / ADMIN_PASSWORD).exists() and not secrets_path(var).exists():
        raise DemoError(
            f"{secrets_path(var)} is missing, but there is data made with it."
            " Put it back, or start anew: bin/demo --reset"
        )


def _start_emulators(var: Path, supervisor: Supervisor, env: dict[str, str], *, url: str, web_port: int) -> None:
    (var / "emulator").mkdir(parents=True, exist_ok=True)
    emulators = children.plan_emulators(var, taken={web_port})
    children.write_plan(var, emulators, url=url)
    say(f"Starting {len(emulators)} emulated routers…")
    for emulator in emulators:
        supervisor.start(children.emulator_spec(emulator, env))
    for emulator in emulators:
        _wait(supervisor, partial(answers, emulator.port), f"emulator-{emulator.name}", seconds=60)


def _set_up(var: Path, supervisor: Supervisor, env: dict[str, str]) -> None:
    stamp, wanted = var / "static.stamp", children.static_fingerprint(names.CLONE)
    is_current = stamp.exists() and stamp.read_text(encoding="ascii").strip() == wanted and (var / "static").is_dir()
    for step in children.setup_commands(static=not is_current):
        _run_step(supervisor, step, env)
    write_private(stamp, wanted + "\n")


def _run_step(supervisor: Supervisor, step: dict[str, list[str]], env: dict[str, str]) -> None:
    say(f"Running {' and '.join(step)}…")
    for name, code in supervisor.run_together(step, env).items():
        if code != 0:
            raise DemoError(f"{name} failed with exit code {code}. {_last_words(supervisor, name)}")


def _last_words(supervisor: Supervisor, name: str) -> str:
    words = supervisor.log_tail(name)
    return f"The end of {supervisor.log_path(name)}:\n{words}" if words else f"See {supervisor.log_path(name)}"


def _wait(supervisor: Supervisor, condition: Callable[[], bool], name: str, *, seconds: float) -> None:
    """Wait for a child to serve; say its last words when it (or another one) does not stay up."""
    in_time = supervisor.wait_until(lambda: supervisor.failing() is not None or condition(), seconds=seconds)
    if fallen := supervisor.failing():
        raise DemoError(f"{fallen} does not stay up. {_last_words(supervisor, fallen)}")
    if not in_time:
        raise DemoError(f"{name} is not ready after {seconds:.0f} s. {_last_words(supervisor, name)}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _reset(var: Path, server: EmbeddedPostgres | None) -> None:
    """Delete what the demo made. A database given from outside is not the demo's to delete."""
    if server is None:
        raise DemoError("DATABASE_URL is set: the demo does not delete a database it does not own.")
    say("Deleting the demo's data…")
    server.destroy()
    for name in _DATA_FOLDERS:
        shutil.rmtree(var / name, ignore_errors=True)
    for name in _DATA_FILES:
        (var / name).unlink(missing_ok=True)


def _say_ready(var: Path, url: str) -> None:
    file = var / ADMIN_PASSWORD
    password = file.read_text(encoding="utf-8").strip() if file.exists() else f"see {file}"
    line = "─" * 64
    say(f"\n{line}\n  Open      {url}\n  User      admin\n  Password  {password}\n")
    say("  Stop with Ctrl-C. The data stays for the next start; bin/demo --reset begins anew.")
    say(f"  Logs: {var / 'log'}\n{line}\n")


if __name__ == "__main__":
    sys.exit(main())

"""What `bin/test` and `bin/soak` do once Python is there: a throw-away PostgreSQL, then pytest."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CLONE), str(CLONE / "bin")]

import psycopg  # noqa: E402 - the path above must come first

from config.embedded.child import end_group, start_child  # noqa: E402
from config.embedded.files import FileLock, LockBusyError  # noqa: E402
from config.embedded.layout import lock_path, orphaned_homes  # noqa: E402
from config.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError  # noqa: E402
from config.embedded.secrets_file import new_secrets  # noqa: E402

PREFIX, NAME = "mb-test-", "test"
LEFT_OUT = ("browser", "redis", "tls", "clients", "soak")
SUITES = ("tests/unit", "tests/integration", "tests/e2e", "tests/soak")
# of bin/soak; as part of bin/test --all the tests' own short defaults hold
SOAK = {"SOAK_STEPS": "3000", "SOAK_SUBSCRIPTIONS": "2000", "SOAK_ACCOUNTS": "50000", "SOAK_MINUTES": "30"}
OLD_SECONDS = 600
# A developer's shell must not decide what the tests see.
DROPPED = ("REDIS_URL", "SENTRY_DSN", "PUBLIC_URL", "ALLOWED_HOSTS", "DEMO_MODE", "VAR_DIR", "LOG_DIR")
DROPPED_PREFIXES = ("MIKROTIK_", "SFTP_", "WHATSAPP_", "RATE_LIMIT_", "MB_")


def say(text: str) -> None:
    print(text, flush=True)


def server_line(url: str) -> str:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute("SELECT current_setting('server_version'), current_user").fetchone()
    return f"PostgreSQL {row[0]}, as {row[1]}" if row else "PostgreSQL"


def remove_old_runs() -> None:
    """Delete what killed test runs left in the temporary folder and, as root, under /var/lib."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        found = folder.lstat()
        if not folder.is_dir() or found.st_uid != os.geteuid() or time.time() - found.st_mtime < OLD_SECONDS:
            continue
        lock = FileLock(lock_path(folder, NAME))
        try:
            lock.acquire()
        except LockBusyError:
            continue
        lock.release()
        EmbeddedPostgres(folder, NAME).destroy()
        shutil.rmtree(folder)
    for home in orphaned_homes(NAME):
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def database(*, fast: bool) -> Iterator[dict[str, str]]:
    """URLs from outside when both are set, else a fresh embedded server that is deleted afterwards."""
    given = {key: os.environ.get(key, "") for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    if all(given.values()):
        yield given
        return
    if any(given.values()):
        sys.exit("Set both DATABASE_URL and DATABASE_OWNER_URL, or neither: the tests check two roles.")
    remove_old_runs()
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    server = EmbeddedPostgres(root, NAME, fast=fast)
    try:
        server.start()
        yield {"DATABASE_URL": server.app_url, "DATABASE_OWNER_URL": server.owner_url}
    finally:
        server.destroy()
        shutil.rmtree(root)


def environment(urls: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in DROPPED and not key.startswith(DROPPED_PREFIXES)
    }
    workers = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or str(max(2, min(os.cpu_count() or 2, 8)))
    # named here because importing `config` above has already put the product's own settings into our environment
    fixed = {
        "PYTHONUNBUFFERED": "1", "PYTEST_XDIST_AUTO_NUM_WORKERS": workers, "DJANGO_SETTINGS_MODULE": "tests.settings",
    }  # fmt: skip
    return kept | new_secrets() | dict(urls) | dict(extra) | fixed


def run(command: list[str], env: Mapping[str, str]) -> int:
    """Run to the end; Ctrl-C and SIGTERM are handed on, so that the child reports before the server stops."""
    process = start_child([sys.executable, *command], env=env, cwd=CLONE)

    def hand_on(number: int, _frame: object) -> None:
        end_group(process, signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    previous = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        return process.wait()
    finally:
        end_group(process, signal.SIGKILL)
        for number, handler in previous.items():
            signal.signal(number, handler)


def has_option(arguments: list[str], *names: str) -> bool:
    return any(argument == name or argument.startswith(f"{name}=") for argument in arguments for name in names) or any(
        len(name) == 2 and argument.startswith(name) for argument in arguments for name in names
    )


def has_path(arguments: list[str]) -> bool:
    return any(not argument.startswith("-") and (CLONE / argument.split("::")[0]).exists() for argument in arguments)


def soak_named(argument: str) -> str:
    """`routers` is tests/soak/test_routers.py."""
    path = f"tests/soak/test_{argument}.py"
    return path if argument.isidentifier() and (CLONE / path).exists() else argument


def pytest_arguments(arguments: list[str], *, everything: bool, soak: bool) -> list[str]:
    """Our defaults unless the caller decided: two or more workers, the markers, the suites, coverage."""
    chosen: list[str] = []
    arguments = [soak_named(argument) for argument in arguments] if soak else arguments
    alone = has_option(arguments, "-n", "--numprocesses", "--pdb", "--trace") or "no:xdist" in arguments or soak
    if not alone:
        chosen += ["-n", "auto", "--dist", "loadgroup"]
    if not has_option(arguments, "-m"):
        wanted = "soak" if soak else " and ".join(f"not {name}" for name in LEFT_OUT)
        chosen += [] if everything else ["-m", wanted]
    if everything and not has_path(arguments):
        if not has_option(arguments, "--cov", "--no-cov"):
            chosen += ["--cov", "--cov-report=term-missing:skip-covered"]
        chosen += [suite for suite in SUITES if (CLONE / suite).is_dir()]
    if soak and not has_path(arguments):
        chosen += ["tests/soak"]
    return [*chosen, *arguments]


def main(arguments: list[str]) -> int:
    everything, soak = "--all" in arguments, "--soak" in arguments
    rest = [argument for argument in arguments if argument not in ("--all", "--soak")]
    with contextlib.ExitStack() as stack:
        extra: dict[str, str] = {key: os.environ.get(key, value) for key, value in SOAK.items()} if soak else {}
        lines: list[str] = []
        if everything:
            import _test_servers

            extra, lines = _test_servers.start(stack)
        urls = stack.enter_context(database(fast=not soak))
        lines.insert(0, server_line(urls["DATABASE_URL"]))
        for line in lines:
            say(line)
        code = run(
            ["-m", "pytest", *pytest_arguments(rest, everything=everything, soak=soak)],
            environment(urls, extra),
        )
        for line in lines:
            say(f"Ran with {line}")
        if not everything and not soak and not has_option(rest, "-m"):
            say(f"Not run: tests marked {', '.join(LEFT_OUT)}. bin/test --all runs them (soak: bin/soak).")
    return code


def raise_exit(_number: int, _frame: object) -> None:
    sys.exit(143)


def guarded(action: Callable[[list[str]], int]) -> int:
    """SIGTERM unwinds like Ctrl-C, so that the servers are stopped and deleted."""
    signal.signal(signal.SIGTERM, raise_exit)
    signal.signal(signal.SIGHUP, raise_exit)
    try:
        return action(sys.argv[1:])
    except EmbeddedPostgresError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(guarded(main))

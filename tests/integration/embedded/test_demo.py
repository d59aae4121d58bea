"""The demo's processes for real, around a stand-in house: start, stop, kill, start again, reset, check."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from config.embedded.files import read_env
from config.embedded.leftovers import end_marked, find_marked
from config.embedded.names import CLONE
from config.embedded.ports import free_port
from config.embedded.postmaster import server_pid

from .waiting import eventually, is_alive

HOUSE = Path(__file__).with_name("house")


class House:
    """A clone of its own with the real demo and the stand-in programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.state = folder / "state"
        self.state.mkdir(mode=0o755)
        shutil.copytree(HOUSE, self.folder)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CLONE / "config" / "embedded", self.folder / "config" / "embedded", ignore=ignore)
        (self.folder / "core" / "db").mkdir(parents=True)
        for name in ("config/demo.py", "config/demo_children.py", "core/db/grants.py"):
            shutil.copy(CLONE / name, self.folder / name)
        for name in ("config", "core", "core/db"):
            (self.folder / name / "__init__.py").touch()
        self.var = self.folder / "var"
        self.scope = self.var / "demo.lock"
        self.started: list[subprocess.Popen[str]] = []
        self.port = free_port(set(), near=f"web of {folder}")
        self.python, self.account = sys.executable, dict[str, Any]()  # of subprocess: user, group, extra_groups

    def environment(self, **more: str) -> dict[str, str]:
        dropped = ("DATABASE_URL", "DATABASE_OWNER_URL", "VAR_DIR", "PYTHONPATH")
        kept = {key: value for key, value in os.environ.items() if key not in dropped}
        return kept | {"MB_STATE_ROOT": str(self.state)} | more

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [self.python, "-m", "config.demo", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**more), capture_output=True, text=True, timeout=120,
            check=False, **self.account,
        )  # fmt: skip

    def start(self) -> subprocess.Popen[str]:
        command = [self.python, "-m", "config.demo", "--port", str(self.port)]
        demo = subprocess.Popen(
            command, cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True, **self.account,
        )  # fmt: skip
        self.started.append(demo)
        return demo

    def postgres_data(self) -> list[Path]:
        return [*self.state.glob("*/demo-*/data"), *self.var.glob("postgres/demo/data")]

    def running(self) -> list[int]:
        """Everything that belongs to this demo: marked processes and the database server."""
        servers = [pid for data in self.postgres_data() if (pid := server_pid(data)) is not None]
        return find_marked(self.scope) + servers


Kind = TypeVar("Kind", bound=House)


@pytest.fixture
def house() -> Iterator[House]:
    with built(House) as house:
        yield house


@contextlib.contextmanager
def built(kind: type[Kind]) -> Iterator[Kind]:
    """A house, and nothing of it afterwards: no process, no file."""
    folder = Path(tempfile.mkdtemp(prefix="mb-house-"))
    folder.chmod(0o755)
    house = kind(folder)
    try:
        yield house
    finally:
        for demo in house.started:
            demo.kill()
            demo.wait()
        end_marked(house.scope, wait_seconds=0)
        for data in house.postgres_data():
            if pid := server_pid(data):
                os.kill(pid, signal.SIGQUIT)
                eventually(lambda pid=pid: not is_alive(pid))  # type: ignore[misc]
        shutil.rmtree(folder)


def read_until(demo: subprocess.Popen[str], word: str) -> str:
    said = ""
    assert demo.stdout is not None
    for line in demo.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"the demo ended before it said {word!r}:\n{said}")


def stop(demo: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    demo.send_signal(number)
    said, _ = demo.communicate(timeout=60)
    return demo.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_says_where_and_ends_without_a_trace(house: House, number: signal.Signals) -> None:
    demo = house.start()
    said = read_until(demo, "Logs:")
    url = f"http://127.0.0.1:{house.port}"
    assert f"Open      {url}\n  User      admin\n  Password  made-for-this-test\n" in said
    with urllib.request.urlopen(f"{url}/readyz") as answer:  # noqa: S310 - the demo's own address
        assert answer.status == 200
    # Web and its worker, three workers and beat with a child each, two routers, PostgreSQL.
    everything = 2 + 4 * 2 + 2 + 1
    assert eventually(lambda: len(house.running()) == everything), house.running()

    known = read_env(house.var / "embedded.env")
    assert known["PUBLIC_URL"] == url
    assert (house.var / "embedded.env").stat().st_mode & 0o777 == 0o600
    assert (house.var / "secrets.env").stat().st_mode & 0o777 == 0o600
    with psycopg.connect(known["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM seeded").fetchone() == (1,)

    code, rest = stop(demo, number)
    assert (code, rest.splitlines()[-1]) == (0, "Stopped. Nothing is left running.")
    assert house.running() == []
    assert not (house.var / "embedded.env").exists()


def test_killed_it_leaves_nothing_after_the_next_start_and_stop_and_keeps_its_data(house: House) -> None:
    demo = house.start()
    read_until(demo, "Logs:")
    before = house.running()
    secrets = (house.var / "secrets.env").read_bytes()
    demo.kill()
    demo.wait()

    again = house.start()
    said = read_until(again, "Logs:")
    assert "that an earlier, killed demo left behind" in said
    assert [pid for pid in before if is_alive(pid)] == []
    with psycopg.connect(read_env(house.var / "embedded.env")["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM seeded").fetchone() == (2,)
    assert (house.var / "secrets.env").read_bytes() == secrets

    assert stop(again, signal.SIGINT)[0] == 0
    assert house.running() == []


def test_a_second_demo_and_a_reset_are_refused_while_one_runs(house: House) -> None:
    demo = house.start()
    read_until(demo, "Logs:")
    running = house.running()
    for arguments in ([], ["--reset"], ["--check"]):
        done = house.run(*arguments)
        expected = (
            f"The demo already runs: http://127.0.0.1:{house.port}, process {demo.pid}. Stop it with Ctrl-C there.\n"
        )
        assert (done.returncode, done.stderr) == (1, expected)
    assert sorted(house.running()) == sorted(running)
    assert stop(demo, signal.SIGTERM)[0] == 0


def test_the_check_decides_the_exit_code_and_data_stays_until_a_reset(house: House) -> None:
    passed = house.run("--check")
    assert passed.returncode == 0
    # The check shows its own output; like web and workers it never gets the owner's URL.
    assert "checked 200\nseeded 1 times; owner known: False\nStopping…" in passed.stdout
    assert house.running() == []

    failed = house.run("--check", CHECK_CODE="1")
    assert failed.returncode == 1
    assert "seeded 2 times" in failed.stdout
    assert house.running() == []

    # Lost keys are not replaced silently: the data could never be read again.
    lost = (house.var / "secrets.env").read_bytes()
    (house.var / "secrets.env").unlink()
    refused = house.run("--check")
    assert refused.returncode == 1
    assert "secrets.env is missing, but there is data made with it." in refused.stderr
    assert not (house.var / "secrets.env").exists()

    anew = house.run("--check", "--reset")
    assert anew.returncode == 0
    assert "seeded 1 times" in anew.stdout
    assert (house.var / "secrets.env").read_bytes() != lost
    assert len(house.postgres_data()) == 1


def test_a_failing_step_says_why_and_leaves_nothing(house: House) -> None:
    (house.folder / "manage.py").write_text(
        (house.folder / "manage.py").read_text().replace("CREATE TABLE IF NOT EXISTS", "CREATE NONSENSE")
    )
    done = house.run("--check")
    assert done.returncode == 1
    assert done.stderr.startswith("migrate failed with exit code 1. The end of ")
    assert "syntax error" in done.stderr
    assert house.running() == []
    assert not (house.var / "embedded.env").exists()


def test_a_database_given_from_outside_is_never_reset(house: House) -> None:
    done = house.run("--reset", DATABASE_URL="postgresql://somebody@/theirs")
    assert done.returncode == 1
    assert done.stderr == "DATABASE_URL is set: the demo does not delete a database it does not own.\n"


def test_a_used_port_is_said_before_anything_starts(house: House) -> None:
    import socket

    with socket.create_server(("127.0.0.1", house.port)):
        done = house.run("--port", str(house.port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {house.port} is in use by another program.")
    assert house.postgres_data() == []

"""The supervisor against real processes: Ctrl-C, SIGTERM and kill -9 leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.leftovers import end_marked, find_marked
from config.embedded.names import CLONE
from config.embedded.processes import ChildSpec, StopRequestedError, Supervisor

from .waiting import eventually, is_alive


class Run:
    """One supervisor process, its run id and the pids of everything it started."""

    def __init__(self, folder: Path) -> None:
        self.scope = folder / "demo.lock"
        command = [sys.executable, "-m", "tests.integration.embedded.supervise", str(self.scope), str(folder)]
        self.process = subprocess.Popen(command, cwd=CLONE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.ended = int(self._line("ended").split()[1])
        words = self._line("ready").split()
        self.run_id, self.pids = words[1], [int(word) for word in words[2:]]

    def _line(self, start: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"the supervisor ended before saying {start!r}")

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    end_marked(tmp_path / "demo.lock", wait_seconds=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything(folder: Path, number: signal.Signals) -> None:
    run = Run(folder)
    assert len(set(run.pids)) == 5  # three programs, and two programs that they started
    assert all(is_alive(pid) for pid in run.pids)

    assert run.stop(number) == 0

    assert [pid for pid in run.pids if is_alive(pid)] == []
    assert find_marked(run.scope) == []


def test_a_killed_supervisor_leaves_nothing_after_the_next_start_and_stop(folder: Path) -> None:
    killed = Run(folder)
    killed.stop(signal.SIGKILL)
    # The kernel ends the direct children; the one that ran away and ignores SIGTERM survives until the next start.
    runaway = int((folder / f"runs-away.{killed.run_id}").read_text())
    assert eventually(lambda: [pid for pid in killed.pids if is_alive(pid)] == [runaway])

    again = Run(folder)
    assert again.ended == 1
    assert [pid for pid in killed.pids if is_alive(pid)] == []
    assert all(is_alive(pid) for pid in again.pids)

    assert again.stop(signal.SIGTERM) == 0
    assert [pid for pid in again.pids if is_alive(pid)] == []
    assert find_marked(again.scope) == []


def test_processes_of_another_scope_are_left_alone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Run(tmp_path_factory.mktemp("other"))
    run = Run(folder)
    run.stop(signal.SIGKILL)

    end_marked(run.scope, wait_seconds=1)

    assert [pid for pid in run.pids if is_alive(pid)] == []
    assert all(is_alive(pid) for pid in other.pids)
    assert other.stop(signal.SIGTERM) == 0


def supervisor_in(folder: Path, said: list[str]) -> Supervisor:
    return Supervisor(
        scope=folder / "demo.lock", folder=folder, log_folder=folder / "log", say=said.append, stop_seconds=5
    )


def test_a_fallen_child_is_started_again_and_said(folder: Path) -> None:
    said: list[str] = []
    code = "import pathlib, sys; p = pathlib.Path('starts'); p.open('a').write('x'); print('boom'); sys.exit(3)"
    with supervisor_in(folder, said) as supervisor:
        supervisor.start(ChildSpec("faller", [sys.executable, "-c", code], dict(os.environ)))
        assert supervisor.wait_until(lambda: supervisor.restarts("faller") == 2, seconds=30)
        assert supervisor.wait_until(lambda: (folder / "starts").read_text() == "xxx", seconds=30)
        assert supervisor.failing(restarts=2) == "faller"
        assert supervisor.failing(restarts=3) is None

    log = folder / "log" / "faller.log"
    assert said[:2] == [
        f"faller ended (exit code 3); starting it again in 1 s. See {log}",
        f"faller ended (exit code 3); starting it again in 2 s. See {log}",
    ]
    assert supervisor.log_tail("faller").splitlines() == ["boom", "boom", "boom"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_children_marked_last_outlive_the_others(folder: Path) -> None:
    # The worker writes, while it ends, whether its router still lives.
    router = "import os, pathlib, time; pathlib.Path('router.pid').write_text(str(os.getpid())); time.sleep(600)"
    worker = """
import os, pathlib, signal, sys
def end(*_):
    os.kill(int(pathlib.Path("router.pid").read_text()), 0)
    pathlib.Path("worker.said").write_text("router alive")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("worker.ready").write_text("x")
signal.pause()
"""
    with supervisor_in(folder, []) as supervisor:
        env = dict(os.environ)
        supervisor.start(ChildSpec("router", [sys.executable, "-c", router], env, stops_last=True))
        assert supervisor.wait_until((folder / "router.pid").exists, seconds=30)
        supervisor.start(ChildSpec("worker", [sys.executable, "-c", worker], env))
        assert supervisor.wait_until((folder / "worker.ready").exists, seconds=30)

    assert (folder / "worker.said").read_text() == "router alive"
    assert not is_alive(int((folder / "router.pid").read_text()))


def test_a_child_that_ignores_the_request_is_killed(folder: Path) -> None:
    code = (
        "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    )
    supervisor = Supervisor(
        scope=folder / "demo.lock", folder=folder, log_folder=folder / "log", say=[].append, stop_seconds=0.5
    )
    with supervisor:
        supervisor.start(ChildSpec("stubborn", [sys.executable, "-c", code], dict(os.environ)))
        assert supervisor.wait_until(
            lambda: (folder / "pid").exists() and (folder / "pid").read_text() != "", seconds=30
        )
        pid = int((folder / "pid").read_text())
    assert not is_alive(pid)


def test_programs_run_side_by_side_and_report_their_codes(folder: Path) -> None:
    # Each waits for the other's file: run one after the other they would never end.
    code = (
        "import pathlib, sys, threading; mine, other, code = sys.argv[1:];"
        "pathlib.Path(mine).touch(); pause = threading.Event()\n"
        "while not pathlib.Path(other).exists(): pause.wait(0.05)\n"
        "sys.exit(int(code))"
    )
    with supervisor_in(folder, []) as supervisor:
        codes = supervisor.run_together(
            {"one": [sys.executable, "-c", code, "a", "b", "0"], "two": [sys.executable, "-c", code, "b", "a", "7"]},
            dict(os.environ),
        )
    assert codes == {"one": 0, "two": 7}


def test_a_stop_request_ends_a_running_step(folder: Path) -> None:
    code = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    with supervisor_in(folder, []) as supervisor:
        # The signal comes from outside, as a Ctrl-C does, once the step runs.
        helper = (
            "import os, pathlib, signal, sys, threading; pause = threading.Event()\n"
            "while not pathlib.Path('pid').exists(): pause.wait(0.05)\n"
            "os.kill(int(sys.argv[1]), signal.SIGTERM)"
        )
        subprocess.Popen([sys.executable, "-c", helper, str(os.getpid())], cwd=folder)
        with pytest.raises(StopRequestedError):
            supervisor.run_once("step", [sys.executable, "-c", code], dict(os.environ))
        assert not is_alive(int((folder / "pid").read_text()))

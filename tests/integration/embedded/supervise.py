"""A supervisor with three small programs, run as its own process so that it can be killed for real.

`python -m tests.integration.embedded.supervise SCOPE FOLDER`. Prints one line `ready RUN_ID PID...` and waits.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.embedded.files import FileLock
from config.embedded.processes import ChildSpec, Supervisor

# Like a pre-forking server: the parent waits for its children and ends them on SIGTERM.
FORKS = """
import signal, subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def end(*_):
    child.terminate(); child.wait(); sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
signal.pause()
"""
# Worst case: its child left the process group and ignores SIGTERM.
RUNS_AWAY = """
import signal, subprocess, sys, pathlib
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
signal.pause()
"""
PLAIN = "import pathlib, sys, os, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
PROGRAMS = {"forks": FORKS, "runs-away": RUNS_AWAY, "plain": PLAIN}


def main() -> None:
    scope, folder = Path(sys.argv[1]), Path(sys.argv[2])
    lock = FileLock(scope)
    lock.acquire()

    def say(text: str) -> None:
        print(text, flush=True)

    supervisor = Supervisor(scope=scope, folder=folder, log_folder=folder / "log", say=say, stop_seconds=5)
    with supervisor:
        say(f"ended {supervisor.end_leftovers()}")
        marks = [folder / f"{name}.{supervisor.run_id}" for name in PROGRAMS]
        for mark, (name, code) in zip(marks, PROGRAMS.items(), strict=True):
            supervisor.start(ChildSpec(name, [sys.executable, "-c", code, str(mark)], dict(os.environ)))
        if not supervisor.wait_until(lambda: all(mark.exists() and mark.read_text() for mark in marks), seconds=30):
            raise TimeoutError("the small programs did not start")
        pids = [str(pid) for pid in supervisor.pids().values()] + [mark.read_text() for mark in marks]
        say(f"ready {supervisor.run_id} {' '.join(pids)}")
        supervisor.run_forever()
    say("stopped")


if __name__ == "__main__":
    main()

"""Starts a program that cannot outlive this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.embedded.account import Account

_EXEC_CHILD = Path(__file__).with_name("exec_child.py")


def start_child(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: int | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    new_session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `command` in its own process group; the kernel sends it `stop_signal` when the calling thread
    ends.

    Its own group keeps a Ctrl-C at the terminal away from it: the caller decides the order in which things
    stop. `output` is a file descriptor for both streams (None: inherit). Raises OSError.
    """
    switch = account is not None and account.switch
    uid, gid = (account.uid, account.gid) if account is not None and switch else (-1, -1)
    wrapped = [
        sys.executable,
        "-I",
        "-S",
        str(_EXEC_CHILD),
        str(os.getpid()),
        str(int(stop_signal)),
        str(uid),
        str(gid),
    ]
    return subprocess.Popen(
        [*wrapped, "--", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd,
        env=dict(env), start_new_session=new_session, process_group=None if new_session else 0,
    )  # fmt: skip


def end_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child and everything it started, also after the child itself is gone."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def group_is_empty(process: subprocess.Popen[bytes]) -> bool:
    """Whether neither the child nor anything it started is left."""
    if process.poll() is None:
        return False
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

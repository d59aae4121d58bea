"""Start one program that ends when its parent ends: `exec_child.py PARENT SIGNAL UID GID -- program args`.

Run as a file with `python -I -S`, so that it is quick and imports nothing of ours. UID and GID are -1 to
stay.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
RESET = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGCHLD", "SIGUSR1", "SIGUSR2")


def main(arguments: list[str]) -> None:
    parent, signal_number, uid, gid = (int(value) for value in arguments[:4])
    program = arguments[5:]
    # `nohup`, `cmd &` in a script and our own waiting leave signals ignored or blocked; a child that inherits
    # that could not be stopped.
    for name in RESET:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the account: the kernel forgets the parent-death signal when credentials change (prctl(2)).
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        # The parent died before the line above: nobody would ever stop this child.
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - the whole purpose: become the program, without a shell


if __name__ == "__main__":
    main(sys.argv[1:])

"""Real processes against the test database, to be killed: what survives a kill -9 cannot be shown with threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
_PRELUDE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
"""


def spawn(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run `code` with Django set up on the test database; `arguments` are `sys.argv[2:]`."""
    return subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + code, str(connection.settings_dict["NAME"]), *map(str, arguments)],
        cwd=ROOT, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def kill(child: subprocess.Popen[str]) -> None:
    """kill -9, and wait until it is gone."""
    os.kill(child.pid, signal.SIGKILL)
    child.wait(20)


def wait_until(is_true: Callable[[], object], seconds: float = 20.0) -> None:
    """Poll a condition of another process or thread, with a deadline. Raises AssertionError when it stays false."""
    ends = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < ends, "the condition never became true"
        threading.Event().wait(0.02)

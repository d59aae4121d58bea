"""A real gunicorn on the test database, as its own process, so that it can be ended and started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
METRICS_HOST = "127.0.0.2"


@dataclass
class Web:
    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    var: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def log(self) -> str:
        file = self.var / "log" / "app.log"
        return file.read_text() if file.exists() else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_database_url() -> str:
    settings = connection.settings_dict
    password = quote(settings["PASSWORD"], safe="")
    host = quote(settings["HOST"], safe="/")
    return f"postgresql://{settings['USER']}:{password}@/{settings['NAME']}?host={host}&port={settings['PORT'] or 5432}"


test_database_url.__test__ = False  # type: ignore[attr-defined]


@contextmanager
def web_process(var: Path, *, workers: int = 1, **environment: str) -> Iterator[Web]:
    """Start, wait for `/healthz`, yield, stop with SIGTERM."""
    port, metrics_port = free_port(), free_port()
    (var / "broker" / "queue").mkdir(parents=True, exist_ok=True)
    (var / "metrics_port").write_text(str(metrics_port))
    env = {
        **os.environ, "DATABASE_URL": test_database_url(), "VAR_DIR": str(var), "LOG_DIR": str(var / "log"),
        "METRICS_PORT_FILE": str(var / "metrics_port"), "METRICS_HOST": METRICS_HOST, "DEMO_MODE": "false",
        "DJANGO_SETTINGS_MODULE": "tests.integration.config.web_settings",
        "PUBLIC_URL": "http://localhost:8000", **environment,
    }  # fmt: skip
    env.pop("DATABASE_OWNER_URL", None)  # leads to the database the tests were started with, and web never has it
    command = [
        sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi", "--bind", f"127.0.0.1:{port}",
        "--workers", str(workers), "--worker-class", "gthread", "--threads", "4", "--no-control-socket",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    web = Web(port, metrics_port, process, var)
    try:
        wait_for(lambda: get(web.url("/healthz")) == "ok\n" or process.poll() is not None)
        if process.poll() is not None and process.stdout is not None:
            raise RuntimeError(process.stdout.read().decode()[-3000:])
        yield web
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(url: str) -> str:
    """The body, or empty when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - only ever our own http address
            return str(answer.read().decode())
    except (urllib.error.URLError, ConnectionError):
        return ""


def wait_for(condition: object, seconds: float = 120) -> None:
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "the condition did not become true in time"
        pause.wait(0.05)

"""The watchdog against a real HTTP server on loopback; `systemctl` is a script that writes down its arguments."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.monitoring import checks
from tests.unit.deploy.files import script

watchdog = script("deploy/systemd/watchdog.py")


class Site:
    """What the pages answer; change it between looks."""

    def __init__(self) -> None:
        self.health = 200
        self.checks: dict[str, bool] = {}


@pytest.fixture
def site() -> Iterator[tuple[Site, tuple[str, int]]]:
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"checks": [{"name": name, "ok": ok} for name, ok in site.checks.items()]}).encode()
            if self.path == "/metrics":
                body = b'mb_queue_age_seconds{queue="routers"} 301.0\n'
            self.send_response(site.health if self.path == "/healthz" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site, ("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    log = tmp_path / "calls"
    log.touch()
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n', encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.delenv("METRICS_PORT", raising=False)
    monkeypatch.delenv("METRICS_HOST", raising=False)
    return log


def restarts(calls: Path) -> list[str]:
    return [line for line in calls.read_text(encoding="ascii").splitlines() if line.startswith("restart")]


def test_healthy_site_is_left_alone(site: tuple[Site, tuple[str, int]], calls: Path, tmp_path: Path) -> None:
    site[0].checks = {"core.database": True, "core.workers": True}
    for _ in range(5):
        assert watchdog.main(tmp_path / "counts.json", site[1]) == 0
    assert calls.read_text(encoding="ascii") == ""


def test_web_is_restarted_at_the_third_silence_and_then_left_alone(
    site: tuple[Site, tuple[str, int]], calls: Path, tmp_path: Path
) -> None:
    site[0].health = 500
    for _ in range(2):
        watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == []
    watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == ["restart mikrotik-billing-web.service"]
    for _ in range(watchdog.LOOKS_AFTER_RESTART + watchdog.LOOKS_BEFORE_RESTART - 1):
        watchdog.main(tmp_path / "counts.json", site[1])
    assert len(restarts(calls)) == 1
    watchdog.main(tmp_path / "counts.json", site[1])
    assert len(restarts(calls)) == 2


def test_one_answer_begins_the_count_anew(site: tuple[Site, tuple[str, int]], calls: Path, tmp_path: Path) -> None:
    for health in (500, 500, 200, 500, 500):
        site[0].health = health
        watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == []


def test_nobody_listens(calls: Path, tmp_path: Path) -> None:
    for _ in range(3):
        watchdog.main(tmp_path / "counts.json", ("127.0.0.1", 1))
    assert restarts(calls) == ["restart mikrotik-billing-web.service"]


def test_old_heartbeat_restarts_worker_and_beat(
    site: tuple[Site, tuple[str, int]], calls: Path, tmp_path: Path
) -> None:
    site[0].checks = {"core.database": True, "core.broker": True, "core.workers": False}
    for _ in range(3):
        watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == ["restart mikrotik-billing-worker.service mikrotik-billing-beat.service"]


@pytest.mark.parametrize(("host", "restarted"), [("", 1), ("127.0.0.1", 1), ("127.0.0.2", 0)])
def test_metrics_are_asked_where_they_are(
    site: tuple[Site, tuple[str, int]],
    calls: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    restarted: int,
) -> None:
    monkeypatch.setenv("METRICS_PORT", str(site[1][1]))
    monkeypatch.setenv("METRICS_HOST", host)
    for _ in range(3):
        watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == ["restart mikrotik-billing-routers.service"] * restarted


@pytest.mark.parametrize("away", ["core.database", "core.migrations", "core.broker"])
def test_a_missing_database_or_broker_restarts_nothing(
    site: tuple[Site, tuple[str, int]], calls: Path, tmp_path: Path, away: str
) -> None:
    site[0].checks = {"core.database": True, "core.broker": True, "core.migrations": True, "core.workers": False}
    site[0].checks[away] = False
    for _ in range(6):
        watchdog.main(tmp_path / "counts.json", site[1])
    assert restarts(calls) == []


def test_names_are_those_of_the_registered_checks() -> None:
    registered = {check.name for check in checks.registered() if check.is_ready}
    assert {watchdog.BACKGROUND, *watchdog.OTHERS_FAULT} <= registered


@pytest.mark.parametrize(("age", "stuck"), [("12.5", False), ("300.0", False), ("300.5", True), ("1.2e+03", True)])
def test_age_of_the_routers_queue(age: str, *, stuck: bool) -> None:
    metrics = (
        f'# HELP x\nmb_queue_age_seconds{{queue="celery"}} 9999.0\nmb_queue_age_seconds{{queue="routers"}} {age}\n'
    )
    assert watchdog.routers_are_stuck(metrics) is stuck


@pytest.mark.parametrize("body", ["", "no json", '{"status": "ready"}', "[]"])
def test_an_unreadable_answer_accuses_nobody(body: str) -> None:
    assert watchdog.background_is_stuck(body) is False

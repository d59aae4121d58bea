"""The log file: JSON, scrubbed, private, rotated right by several processes."""

from __future__ import annotations

import json
import logging
import logging.config
import multiprocessing
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from config.logging import SharedRotatingHandler, formatter, logging_config
from core.request_context import request_context

WORDS = ("hunter2-Xy9", "s3ssion-value-1", "jwt-value-2-long")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[logging.Logger]:
    handler = SharedRotatingHandler(str(tmp_path / "log"))
    handler.setFormatter(formatter())
    logger = logging.getLogger("tests.logging")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.removeHandler(handler)
    handler.close()


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "log" / "app.log").read_text().splitlines()]


def test_a_line_is_json_with_the_request_id(log: logging.Logger, tmp_path: Path) -> None:
    with request_context(request_id="abc12345"):
        log.info("sold %d vouchers in %s", 3, "Pos 2", extra={"location_id": 7, "request": object()})
    log.info("after")
    first, second = lines(tmp_path)
    assert first["event"] == "sold 3 vouchers in Pos 2"
    assert (first["level"], first["logger"], first["request_id"], first["location_id"]) == (
        "info", "tests.logging", "abc12345", 7,
    )  # fmt: skip
    assert first["at"].endswith("Z")
    assert "request" not in first
    assert "request_id" not in second


def test_no_secret_reaches_the_file(log: logging.Logger, tmp_path: Path) -> None:
    log.info("login with password=%s", WORDS[0])
    log.warning("sent %s", ["/login", f"=password={WORDS[0]} x"])
    log.info({"password": WORDS[0], "deep": {"token": WORDS[2]}})
    log.info("Cookie: sessionid=%s", WORDS[1])
    try:
        raise RuntimeError(f"cannot connect to postgresql://mb:{WORDS[0]}@db/mb")
    except RuntimeError:
        log.exception("failed with token=%s", WORDS[2])
    structlog.get_logger("tests.logging").info("native", password=WORDS[0], url=f"redis://:{WORDS[0]}@h/0")
    with request_context(authorization=f"Bearer {WORDS[2]}"):
        log.info("bound")
    text = (tmp_path / "log" / "app.log").read_text()
    for word in WORDS:
        assert word not in text
    assert len(lines(tmp_path)) == 7
    assert "RuntimeError" in lines(tmp_path)[4]["exception"]


def test_only_we_may_read_it(log: logging.Logger, tmp_path: Path) -> None:
    log.info("x")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "log" / "app.log").stat().st_mode) == 0o600


def test_a_line_break_cannot_forge_a_line(log: logging.Logger, tmp_path: Path) -> None:
    log.info("name is %s", 'x\n{"event": "forged"}')
    assert len(lines(tmp_path)) == 1


def test_it_follows_a_file_somebody_else_moved(log: logging.Logger, tmp_path: Path) -> None:
    log.info("one")
    (tmp_path / "log" / "app.log").rename(tmp_path / "log" / "moved")
    log.info("two")
    assert [line["event"] for line in lines(tmp_path)] == ["two"]


def test_it_keeps_so_many_files(tmp_path: Path) -> None:
    handler = SharedRotatingHandler(str(tmp_path), largest=1000, kept=3)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for number in range(100):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, f"{number:099d}", None, None))
    handler.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["app.lock", "app.log", "app.log.1", "app.log.2", "app.log.3"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in names)
    assert (tmp_path / "app.log").read_text().splitlines()[-1] == f"{99:099d}"


def _write_lines(folder: str, who: int, count: int) -> None:
    handler = SharedRotatingHandler(folder, largest=20_000, kept=200)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for number in range(count):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, f"{who}:{number}:" + "y" * 50, None, None))
    handler.close()


def test_four_processes_rotate_one_file_and_lose_no_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_lines, args=(str(tmp_path), who, 1000)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    found = [line for path in tmp_path.glob("app.log*") for line in path.read_text().splitlines()]
    assert sorted(line.rsplit(":", 1)[0] for line in found) == sorted(f"{w}:{n}" for w in range(4) for n in range(1000))
    rotated = [path.stat().st_size for path in tmp_path.glob("app.log.*")]
    assert len(rotated) > 3
    assert min(rotated) > 19_000, "a file that was just begun was rotated by a process that came late"


def test_a_full_disk_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    handler = SharedRotatingHandler(str(tmp_path / "file"))  # a file where the folder should be
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "x", None, None))
    assert "log file" in capsys.readouterr().err


def test_a_wrong_format_breaks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = SharedRotatingHandler(str(tmp_path))
    handler.setFormatter(formatter())
    handler.handle(logging.LogRecord("x", logging.INFO, "x.py", 1, "%d", ("text",), None))
    assert "TypeError" in capsys.readouterr().err


def test_the_libraries_go_the_same_way(tmp_path: Path) -> None:
    config = logging_config("INFO", tmp_path)
    assert config["root"]["handlers"] == ["stdout", "file", "errors"]
    for name in ("django", "celery", "gunicorn.error"):
        assert config["loggers"][name] == {"handlers": [], "propagate": True, "level": "NOTSET"}

"""The request's id crosses the broker: a real message through the file system broker into a real worker."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from celery import Celery
from celery.contrib.testing.worker import start_worker

from config.logging import formatter
from core.request_context import PUBLISHED_AT, request_context, request_id_now

logger = logging.getLogger("tests.request_context")


@pytest.fixture
def app(tmp_path: Path) -> Celery:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    app = Celery("tests", broker="filesystem://", set_as_current=False)
    app.conf.update(
        broker_transport_options={
            "data_folder_in": str(tmp_path / "queue"), "data_folder_out": str(tmp_path / "queue"),
            "control_folder": str(tmp_path / "control"), "polling_interval": 0.02,
        },
        task_ignore_result=True,
    )  # fmt: skip
    return app


def test_a_workers_lines_name_the_request_that_caused_them(app: Celery, tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    @app.task(name="tests.note")  # type: ignore[untyped-decorator]
    def note() -> None:
        record = logging.LogRecord("tests", logging.INFO, "", 0, "worked", None, None)
        line = json.loads(formatter().format(record))
        seen.append((line["request_id"], line["task"]))
        if len(seen) == 1:
            note.apply_async()  # what a task starts belongs to the same request

    with request_context(request_id="abcd-1234"):
        note.apply_async()
    [message] = (tmp_path / "queue").glob("*.msg")
    headers = json.loads(message.read_text())["headers"]
    assert headers["request_id"] == "abcd-1234"
    assert headers[PUBLISHED_AT] > 1_700_000_000
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        deadline_wait(lambda: len(seen) == 2)
    assert seen == [("abcd-1234", "tests.note")] * 2


def test_a_message_of_nobody_gets_its_own_id(app: Celery, tmp_path: Path) -> None:
    for _n in range(2):
        app.send_task("tests.note")
    ids = {json.loads(file.read_text())["headers"]["request_id"] for file in (tmp_path / "queue").glob("*.msg")}
    assert len(ids) == 2


def test_what_was_bound_before_comes_back() -> None:
    with request_context(request_id="outer-123"):
        with request_context(request_id="inner-123"):
            assert request_id_now() == "inner-123"
        assert request_id_now() == "outer-123"
    assert request_id_now() == ""
    assert structlog.contextvars.get_contextvars() == {}


def deadline_wait(condition: Any) -> None:
    import threading
    import time

    pause, deadline = threading.Event(), time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)

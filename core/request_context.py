"""One id for everything a request sets in motion: its log lines, its error records, the tasks it starts.

In a web process the middleware binds it; Celery messages carry it in their headers, so a worker's lines name the
request that caused them. A task started by nobody (a periodic job) gets its own.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import signals

from core.clock import now

HEADER = "X-Request-ID"
_SANE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$")
PUBLISHED_AT = "published_at"


def new_request_id() -> str:
    return uuid.uuid4().hex


def request_id_accept(inbound: str) -> str:
    """The caller's own id when it is harmless in a log (8-64 letters, digits, `._-`), else a new one."""
    return inbound if _SANE.match(inbound) else new_request_id()


def request_id_now() -> str:
    """The id in force in this thread, or empty."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@contextmanager
def request_context(**values: Any) -> Iterator[None]:
    """Every log line inside carries `values`; what was bound before comes back afterwards."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def celery_connect() -> None:
    """Let messages carry the id and their birth, let workers bind it, and keep Celery's hands off our log setup."""
    signals.before_task_publish.connect(_message_marked, dispatch_uid="core.request_context.publish")
    signals.task_prerun.connect(_task_began, dispatch_uid="core.request_context.prerun")
    signals.task_postrun.connect(_task_ended, dispatch_uid="core.request_context.postrun")
    # A receiver makes Celery skip its own logging setup, which would replace formats and capture stdout.
    signals.setup_logging.connect(_logging_is_set_up, dispatch_uid="core.request_context.logging")


def _message_marked(headers: dict[str, Any] | None = None, **_kwargs: Any) -> None:
    if headers is not None:
        headers.setdefault("request_id", request_id_now() or new_request_id())
        headers[PUBLISHED_AT] = now().timestamp()


def _task_began(task_id: str = "", task: Any = None, **_kwargs: Any) -> None:
    carried = str(getattr(task.request, "request_id", None) or "") if task is not None else ""
    structlog.contextvars.bind_contextvars(
        request_id=request_id_accept(carried), task=getattr(task, "name", ""), task_id=task_id
    )


def _task_ended(**_kwargs: Any) -> None:
    structlog.contextvars.unbind_contextvars("request_id", "task", "task_id")


def _logging_is_set_up(**_kwargs: Any) -> None:
    pass

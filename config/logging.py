"""Logs: one JSON object per line, to stdout and to one rotated file, with secrets taken out of both.

All processes write the same `app.log` (0600 in a 0700 folder). Python's own rotating handler loses lines when several
processes rotate one file, so ours rotates under a lock and follows when another process did.
Imported by the settings, so nothing here may import Django models.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from core.scrub import SECRET_KEYS, scrub, scrub_text

FILE = "app.log"
LARGEST_BYTES = 10 * 1024 * 1024
FILES_KEPT = 10
EXTRA = {"status", "ms", "view", "user_id", "status_code", "location_id", "code"}
"""What a log call may add with `extra=`; other attributes (Django's `request` object) stay out."""


class StdoutHandler(logging.StreamHandler[TextIO]):
    """Looks stdout up at every line, so that it survives whoever replaces it (gunicorn, test runners).

    `manage.py` commands answer on stdout, so there the log goes to stderr.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        is_command = Path(sys.argv[0] if sys.argv else "").name in {"manage.py", "django-admin"}
        return sys.stderr if is_command else sys.stdout


class SharedRotatingHandler(logging.Handler):
    """Appends to one file from many processes and rotates it once, whoever comes first.

    A line is one `write` to a file opened with O_APPEND, so lines of several processes do not mix.
    """

    def __init__(self, folder: str, name: str = FILE, largest: int = LARGEST_BYTES, kept: int = FILES_KEPT) -> None:
        super().__init__()
        self.path = Path(folder) / name
        self.largest, self.kept = largest, kept
        self._descriptor = -1

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._follow()
            if self._is_full(len(line)):
                self._rotate(len(line))
            os.write(self._descriptor, line)
        except OSError as error:
            # A full disk must not stop the product; stdout still has the line.
            sys.stderr.write(f"log file {self.path}: {error.strerror}\n")
        except Exception:  # a log call with a wrong format must not break what it tells about
            self.handleError(record)

    def close(self) -> None:
        self._release()
        super().close()

    def _follow(self) -> None:
        """Have the file open that the path means now: another process may have rotated it away."""
        if self._descriptor >= 0:
            try:
                there, ours = self.path.stat(), os.fstat(self._descriptor)
                if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                    return
            except FileNotFoundError:
                pass
            self._release()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _is_full(self, more: int) -> bool:
        return os.fstat(self._descriptor).st_size + more > self.largest

    def _rotate(self, more: int) -> None:
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._follow()  # while we waited, another process may have done it
            if not self._is_full(more):
                return
            for number in range(self.kept - 1, 0, -1):
                older = self.path.with_name(f"{self.path.name}.{number}")
                if older.exists():
                    older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._follow()
        finally:
            os.close(lock)

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _scrubbed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The last step before a line is written. Objects become their scrubbed repr: a repr can hold a secret too."""
    clean: dict[str, Any] = {}
    for key, value in event.items():
        if SECRET_KEYS.search(key) and value:
            clean[key] = scrub({key: value})[key]
        elif value is None or isinstance(value, (bool, int, float)):
            clean[key] = value
        elif isinstance(value, (str, bytes, dict, list, tuple, set)):
            clean[key] = scrub(value)
        else:
            clean[key] = scrub_text(repr(value))
    return clean


_BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(allow=EXTRA),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
]


def formatter() -> structlog.stdlib.ProcessorFormatter:
    """JSON for every logger, ours and the libraries'."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_BEFORE,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _scrubbed,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=lambda value: scrub_text(repr(value))),
        ],
    )


def configure_structlog() -> None:
    """`structlog.get_logger()` goes through the standard library, so that both kinds meet in one formatter."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(level: str, log_dir: Path) -> dict[str, Any]:
    """The `LOGGING` setting: one formatter, three handlers on the root logger, libraries pass everything up to it."""
    configure_structlog()
    through: dict[str, Any] = {"handlers": [], "propagate": True, "level": "NOTSET"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "config.logging.formatter"}},
        "handlers": {
            "stdout": {"()": "config.logging.StdoutHandler", "formatter": "json"},
            "file": {"()": "config.logging.SharedRotatingHandler", "folder": str(log_dir), "formatter": "json"},
            "errors": {"()": "core.error_log.ErrorRecordHandler"},
        },
        "root": {"handlers": ["stdout", "file", "errors"], "level": level},
        "loggers": {
            "django": through,
            "django.server": {**through, "level": "WARNING"},  # runserver's own access lines: ours say the same
            "gunicorn.error": through,
            "gunicorn.access": {**through, "level": "WARNING"},
            "celery": through,
            # tasks log "received" and "succeeded" at INFO for each of thousands of kicks
            "celery.beat": {**through, "level": "WARNING"},  # one line for every message it sends, every few seconds
            "celery.worker.strategy": {**through, "level": "WARNING"},
            "celery.app.trace": {**through, "level": "WARNING"},
            "kombu": {**through, "level": "WARNING"},
            "sentry_sdk": {**through, "level": "WARNING"},
        },
    }

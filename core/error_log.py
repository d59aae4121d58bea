"""Record an error that had no one to answer to, so that it shows up in the admin instead of vanishing.

Two ways in: `error_record` for code that catches an exception it cannot answer, and `ErrorRecordHandler` for
everything any library logs at ERROR. Both fold by place and write scrubbed text only. Never a loop: what goes wrong
while recording is logged under a name the handler does not listen to.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from django.apps import apps
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F

from core.clock import now
from core.request_context import request_id_now
from core.scrub import scrub_text

logger = logging.getLogger(__name__)

LONGEST_MESSAGE, LONGEST_TRACEBACK = 2000, 8000
# Loggers the handler leaves alone: ours (already recorded), and those that speak while the database is the problem.
UNHEARD = ("core.error_log", "django.db", "psycopg")
_recording = threading.local()


def error_record(*, source: str, error: BaseException, request_id: str = "") -> None:
    """Fold the error into its ErrorRecord. Never raises: a broken database must not hide the first error."""
    kind = type(error).__name__
    message = scrub_text(str(error))[:LONGEST_MESSAGE]
    logger.error("%s in %s: %s", kind, source, message, exc_info=error)
    text = "".join(traceback.format_tb(error.__traceback__))
    _store(
        source=source, kind=kind, message=message, text=text, place=_place(error.__traceback__),
        request_id=request_id or request_id_now(),
    )  # fmt: skip


class ErrorRecordHandler(logging.Handler):
    """Stores what is logged at ERROR or above as an ErrorRecord, folded by logger and line."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        if not apps.ready or record.name.startswith(UNHEARD) or getattr(_recording, "is_on", False):
            return
        try:
            error = record.exc_info[1] if record.exc_info else None
            kind = type(error).__name__ if error is not None else record.levelname
            trace = error.__traceback__ if error is not None else None
            _store(
                source=record.name, kind=kind, message=scrub_text(record.getMessage())[:LONGEST_MESSAGE],
                text="".join(traceback.format_exception(error)) if error is not None else "",
                place=_place(trace) or f"{record.pathname}:{record.lineno}", request_id=request_id_now(),
            )  # fmt: skip
        except Exception as failure:  # stderr is the record of last resort
            sys.stderr.write(f"an error could not be recorded: {type(failure).__name__}\n")


def _store(*, source: str, kind: str, message: str, text: str, place: str, request_id: str) -> None:
    from core.models import ErrorRecord

    if getattr(_recording, "is_on", False):
        return
    if connection.in_atomic_block and connection.needs_rollback:
        return  # nothing can be written now; whoever catches the exception outside records it again
    fingerprint = hashlib.sha256(f"{source}|{kind}|{place}".encode()).hexdigest()
    _recording.is_on = True
    try:
        with transaction.atomic():
            _record, is_new = ErrorRecord.objects.get_or_create(
                fingerprint=fingerprint,
                defaults={
                    "source": source[:200], "kind": kind[:120], "message": message,
                    "traceback": scrub_text(text)[-LONGEST_TRACEBACK:], "request_id": request_id[:64], "last_at": now(),
                },
            )  # fmt: skip
            if not is_new:
                ErrorRecord.objects.filter(fingerprint=fingerprint).update(
                    count=F("count") + 1, last_at=now(), message=message, request_id=request_id[:64]
                )
    except (DatabaseError, InterfaceError, SynchronousOnlyOperation) as failure:
        logger.error("the error could not be stored: %s", type(failure).__name__)
    finally:
        _recording.is_on = False


def _place(trace: TracebackType | None) -> str:
    """The innermost frame of our own code, else the innermost: a library's line says little about which error it is."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return ""
    root = str(settings.BASE_DIR)
    ours = [frame for frame in frames if frame.filename.startswith(root) and "site-packages" not in frame.filename]
    frame = (ours or frames)[-1]
    name = str(Path(frame.filename).relative_to(root)) if frame in ours else frame.filename
    return f"{name}:{frame.lineno}"

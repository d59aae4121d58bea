from __future__ import annotations

import logging

import pytest
from django.db import DatabaseError, connection, transaction

from core import error_log
from core.error_log import ErrorRecordHandler, error_record
from core.models import ErrorRecord
from core.request_context import request_context

pytestmark = pytest.mark.django_db


@pytest.fixture
def logger() -> logging.Logger:
    logger = logging.getLogger("tests.error_log")
    logger.handlers = [ErrorRecordHandler()]
    return logger


def raised(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_the_same_place_is_one_row() -> None:
    for n in range(3):
        error_record(source="here", error=raised(f"n={n}"), request_id="r-1")
    [row] = ErrorRecord.objects.all()
    assert (row.source, row.kind, row.message, row.count, row.request_id) == ("here", "ValueError", "n=2", 3, "r-1")


def test_the_id_of_the_request_is_found_by_itself() -> None:
    with request_context(request_id="abcd-1234"):
        error_record(source="here", error=raised("x"))
    assert ErrorRecord.objects.get().request_id == "abcd-1234"


def test_an_error_never_raised_has_no_traceback() -> None:
    error_record(source="here", error=ValueError("x"))
    assert ErrorRecord.objects.get().traceback == ""


def test_secrets_are_taken_out() -> None:
    error_record(source="here", error=raised("=password=hunter2-Xy9"))
    row = ErrorRecord.objects.get()
    assert row.message == "=password=[removed]"
    assert "hunter2" not in row.traceback


def test_what_a_library_logs_at_error_is_recorded_once_per_line(logger: logging.Logger) -> None:
    for n in range(3):
        logger.error("cannot reach %s", n)
    logger.warning("only a warning")
    [row] = ErrorRecord.objects.all()
    assert (row.source, row.kind, row.message, row.count) == ("tests.error_log", "ERROR", "cannot reach 2", 3)


def test_a_logged_exception_keeps_its_traceback(logger: logging.Logger) -> None:
    try:
        raise KeyError("token=abc")
    except KeyError:
        logger.exception("it failed")
    row = ErrorRecord.objects.get()
    assert (row.kind, row.message) == ("KeyError", "it failed")
    assert "test_error_log.py" in row.traceback
    assert "token=abc" not in row.traceback


@pytest.mark.parametrize("name", ["core.error_log", "django.db.backends", "psycopg.pool"])
def test_loggers_that_could_make_a_loop_are_not_heard(name: str) -> None:
    record = logging.LogRecord(name, logging.ERROR, "x.py", 1, "x", None, None)
    ErrorRecordHandler().emit(record)
    assert ErrorRecord.objects.count() == 0


def test_no_loop_when_recording_itself_fails(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail(**_kwargs: object) -> None:
        tries.append(1)
        logging.getLogger("tests.error_log").error("deeper")
        raise DatabaseError("gone")

    monkeypatch.setattr(ErrorRecord.objects, "get_or_create", fail)
    logger.error("x")
    error_record(source="here", error=raised("x"))
    assert len(tries) == 2


def test_in_a_transaction_that_cannot_be_saved_nothing_is_tried(logger: logging.Logger) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():  # noqa: PT012 - the broken block is the point
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column")
        except DatabaseError:
            connection.needs_rollback = True
            logger.error("inside")
            error_record(source="here", error=raised("x"))
            raise
    assert ErrorRecord.objects.count() == 0
    assert getattr(error_log._recording, "is_on", False) is False


def test_a_bad_format_string_does_not_raise(capsys: pytest.CaptureFixture[str]) -> None:
    ErrorRecordHandler().handle(logging.LogRecord("x", logging.ERROR, "x.py", 1, "%d", ("text",), None))
    assert "could not be recorded" in capsys.readouterr().err

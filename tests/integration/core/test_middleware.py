from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from core import slow_queries
from core.models import ErrorRecord, Setting, SlowQuery
from core.slow_queries import slow_queries_record, statement_shape
from tests.integration.core.view_urls import SECRET

pytestmark = [pytest.mark.urls("tests.integration.core.view_urls"), pytest.mark.django_db]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, HTTP_ACCEPT_LANGUAGE="en")


# --- request id -------------------------------------------------------------------------------------------------------


def test_a_request_gets_an_id_and_says_it(client: Client) -> None:
    first, second = client.get("/fine/"), client.get("/fine/")
    assert first.headers["X-Request-ID"] == first.content.decode()
    assert len(first.headers["X-Request-ID"]) == 32
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("inbound", "is_kept"),
    [
        ("abc-1234.X_5", True), ("a" * 64, True), ("short", False), ("a" * 65, False), ("a b c d e f", False),
        ('x"},{"event":1', False), ("-starts-with-a-dash", False), ("äöüäöüäöü", False),
    ],
)  # fmt: skip
def test_only_a_sane_id_of_the_caller_is_kept(client: Client, inbound: str, is_kept: bool) -> None:
    answer = client.get("/fine/", HTTP_X_REQUEST_ID=inbound)
    assert (answer.headers["X-Request-ID"] == inbound) is is_kept


def test_one_line_per_request_without_the_query_string(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "core.middleware"):
        client.get("/fine/?token=secret-value")
        client.get("/healthz")
    [record] = [record for record in caplog.records if record.name == "core.middleware"]
    assert record.getMessage() == "GET /fine/ 200"
    assert (record.status, record.view) == (200, "fine")  # type: ignore[attr-defined]


# --- refusals and faults ----------------------------------------------------------------------------------------------


def test_a_refusal_is_a_page_with_its_status_and_nothing_changed(client: Client) -> None:
    answer = client.get("/refuses/")
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "This voucher is &lt;void&gt;." in text
    assert "This one." in text
    assert "Nothing was changed." in text
    assert text.startswith("<!doctype html>")
    assert Setting.objects.filter(key="x").count() == 0
    assert ErrorRecord.objects.count() == 0


def test_htmx_gets_a_fragment_and_a_boosted_link_a_page(client: Client) -> None:
    part = client.get("/refuses/", HTTP_HX_REQUEST="true")
    assert part.status_code == 409
    assert part.content.decode().startswith('<div role="alert"')
    whole = client.get("/refuses/", HTTP_HX_REQUEST="true", HTTP_HX_BOOSTED="true")
    assert whole.content.decode().startswith("<!doctype html>")


def test_the_api_gets_its_body(client: Client) -> None:
    answer = client.get("/api/refuses/")
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "voucher.void", "message": "This voucher is <void>.", "fields": {"code": "This one."},
    }  # fmt: skip


def test_a_fault_shows_its_number_and_nothing_else_and_is_recorded(client: Client) -> None:
    answer = client.get("/breaks/", HTTP_X_REQUEST_ID="abcd-1234")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "abcd-1234" in text
    assert SECRET not in text
    assert "ValueError" not in text
    [row] = ErrorRecord.objects.all()
    assert (row.source, row.kind, row.request_id, row.count) == ("breaks", "ValueError", "abcd-1234", 1)
    assert "view_urls.py" in row.traceback
    assert SECRET not in row.message + row.traceback
    client.get("/breaks/")
    assert ErrorRecord.objects.get().count == 2


def test_an_api_fault_is_a_body_with_the_number(client: Client) -> None:
    answer = client.get("/api/breaks/", HTTP_X_REQUEST_ID="abcd-1234")
    assert answer.status_code == 500
    assert answer.json()["code"] == "server.error"
    assert answer.json()["request_id"] == "abcd-1234"
    assert SECRET not in answer.content.decode()


def test_a_broken_transaction_is_recorded_too(client: Client) -> None:
    assert client.get("/breaks-database/").status_code == 500
    assert ErrorRecord.objects.get().kind == "ProgrammingError"


def test_the_page_survives_a_broken_template(client: Client, settings: LazySettings) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "APP_DIRS": False}]
    answer = client.get("/breaks/")
    assert answer.status_code == 500
    assert "recorded" in answer.content.decode()


@pytest.mark.parametrize(("path", "status"), [("not-found", 404), ("denied", 403), ("suspicious", 400)])
def test_djangos_own_refusals_stay_and_are_no_errors(client: Client, path: str, status: int) -> None:
    assert client.get(f"/{path}/").status_code == status
    assert ErrorRecord.objects.count() == 0


def test_djangos_test_client_still_raises() -> None:
    with pytest.raises(ValueError, match="password="):
        Client().get("/breaks/")


# --- slow queries -----------------------------------------------------------------------------------------------------


def test_slow_queries_are_folded_by_view_and_shape_without_values(client: Client) -> None:
    for code in ("CODE-ONE", "CODE-TWO"):
        client.get(f"/slow/{code}/")
    [row] = SlowQuery.objects.all()
    assert (row.view, row.count) == ("slow", 4)
    assert 150 <= row.worst_ms < 10_000
    assert row.statement == "SELECT pg_sleep(%s), %s::text WHERE ? <> ?"
    assert "CODE" not in row.statement + row.view


def test_fast_requests_write_nothing(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        client.get("/fine/")
    assert SlowQuery.objects.count() == 0


def test_writing_them_down_is_not_watched(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_queries, "SLOW_SECONDS", -1.0)  # every query is slow now, also the one that stores
    client.get("/slow/x/")
    assert {row.statement for row in SlowQuery.objects.all()} == {
        "SELECT pg_sleep(%s), %s::text WHERE ? <> ?", "SELECT ?",
    }  # fmt: skip


def test_a_view_with_hundreds_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = slow_queries.SlowQueryWatch()
    monkeypatch.setattr(slow_queries, "SLOW_SECONDS", -1.0)
    with connection.execute_wrapper(watch), connection.cursor() as cursor:
        for _n in range(50):
            cursor.execute("SELECT 1")
    assert len(watch.seen) == 20


def test_a_failed_note_spoils_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_queries, "_FOLD", "INSERT INTO no_such_table VALUES (%s, %s, %s, %s, %s, %s)")
    slow_queries_record("v", [("SELECT 1", 0.2)])
    assert "could not be stored" in caplog.text


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT  a\n FROM t1 WHERE b = 'it''s' AND c = 12.5", "SELECT a FROM t1 WHERE b = ? AND c = ?"),
        ("SELECT 1 WHERE id IN (%s, %s, %s)", "SELECT ? WHERE id IN (…)"),
        ("SELECT 1 WHERE id IN (1,2,3)", "SELECT ? WHERE id IN (…)"),
        ("INSERT INTO t (a, b) VALUES (%s, %s), (%s, %s)", "INSERT INTO t (a, b) VALUES (…)"),
        ('SELECT "core_x2"."a1" FROM "core_x2" LIMIT 21', 'SELECT "core_x2"."a1" FROM "core_x2" LIMIT ?'),
    ],
)
def test_shapes(sql: str, shape: str) -> None:
    assert statement_shape(sql) == shape

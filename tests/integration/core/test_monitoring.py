from __future__ import annotations

import os
import socket
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import DatabaseError
from django.test import Client, RequestFactory
from prometheus_client import start_http_server

from accounts.models import User
from core.models import ErrorRecord, Installation, JobRun
from core.monitoring import base_checks, checks, gauges, jobs, queues
from core.monitoring.checks import CheckResult, health_report, is_healthy, is_serving
from core.monitoring.exporter import Exporter, exporter_start, metrics_registry
from core.monitoring.views import readyz
from core.periodic import declare_job
from core.periodic import jobs as declared_jobs
from core.tasks import heartbeat

MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

pytestmark = [pytest.mark.urls("tests.integration.core.view_urls"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def broker_folder(settings: LazySettings, tmp_path: Path) -> Path:
    queue = tmp_path / "queue"
    queue.mkdir()
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(queue), "data_folder_out": str(queue)}
    return queue


def line(name: str) -> Any:
    return next(line for line in health_report() if line.name == name)


# --- probes -----------------------------------------------------------------------------------------------------------


def test_healthz_asks_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_answer_to_any_host_and_without_tls(settings: LazySettings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["billing.example.net"]
    settings.SECURE_SSL_REDIRECT = True
    for host in ("10.1.2.3:8000", "billing.example.net"):
        assert Client().get(path, HTTP_HOST=host).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_readyz_shows_details_only_to_this_machine_and_to_staff(settings: LazySettings) -> None:
    heartbeat()
    body = Client().get("/readyz", REMOTE_ADDR="127.0.0.1").json()
    assert [check["name"] for check in body["checks"]] == [
        "core.database", "core.migrations", "core.broker", "core.disk", "core.workers", "core.jobs",
    ]  # fmt: skip
    assert body["status"] == "ready"
    assert Client().get("/readyz", REMOTE_ADDR="192.0.2.1").json() == {"status": "ready"}
    assert "checks" not in Client().get("/readyz", HTTP_X_FORWARDED_FOR="192.0.2.1").json()
    user = User.objects.create(username="siti", is_staff=True)
    client = Client()
    client.force_login(user)
    assert "checks" in client.get("/readyz", REMOTE_ADDR="192.0.2.1").json()


def test_no_heartbeat_is_degraded_but_serves() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_a_critical_part_down_is_503_and_no_error_line_per_probe(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down() -> CheckResult:
        return CheckResult(False, "gone")

    monkeypatch.setitem(checks._checks, "core.broker", checks.Registered("core.broker", "b", down, True, True))
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_logged_in_probe_survives_a_database_that_is_away() -> None:
    class NoSession:
        @property
        def is_active(self) -> bool:
            raise DatabaseError("gone")

    request = RequestFactory().get("/readyz", REMOTE_ADDR="192.0.2.1")
    request.user = NoSession()  # type: ignore[assignment]
    assert readyz(request).status_code == 200


# --- checks -----------------------------------------------------------------------------------------------------------


def test_a_check_that_fails_is_bad_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> CheckResult:
        raise KeyError("password=x")

    monkeypatch.setitem(checks._checks, "t.fails", checks.Registered("t.fails", "T", fails, False, False))
    found = line("t.fails")
    assert (found.is_ok, "KeyError" in found.sentence, "password" in found.sentence) == (False, True, False)
    assert ErrorRecord.objects.get(source="health t.fails").kind == "KeyError"


def test_serving_and_healthy() -> None:
    good = checks.HealthLine("a", "A", True, "", True)
    minor, major = checks.HealthLine("b", "B", False, "", False), checks.HealthLine("c", "C", False, "", True)
    assert (is_healthy([good]), is_serving([good])) == (True, True)
    assert (is_healthy([good, minor]), is_serving([good, minor])) == (False, True)
    assert (is_healthy([good, major]), is_serving([good, major])) == (False, False)


def test_database_down_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def cursor(self) -> None:
            raise DatabaseError("gone")

    monkeypatch.setattr(base_checks, "connection", Broken())
    result = base_checks.database_check()
    assert (result.is_ok, "gone" in result.sentence) == (False, False)


def test_missing_migrations_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_checks, "_migrated", [])
    assert base_checks.migrations_check().is_ok is True
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="core").delete()
    assert base_checks.migrations_check().is_ok is True  # known for this process
    monkeypatch.setattr(base_checks, "_migrated", [])
    assert base_checks.migrations_check().is_ok is False


def test_thebroker_folder_must_take_files(broker_folder: Path) -> None:
    assert base_checks.broker_check().is_ok is True
    assert list(broker_folder.iterdir()) == []
    broker_folder.rmdir()
    assert base_checks.broker_check().is_ok is False


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    assert base_checks.disk_check().is_ok is True
    monkeypatch.setattr(base_checks, "LEAST_FREE_BYTES", 10**18)
    assert base_checks.disk_check().is_ok is False


def test_the_heartbeat_grows_old() -> None:
    with time_machine.travel(MOMENT, tick=False) as clock:
        assert base_checks.workers_check().is_ok is False
        heartbeat()
        assert JobRun.objects.get(pk="core.heartbeat").is_ok is True
        clock.shift(timedelta(seconds=90))
        assert base_checks.workers_check().is_ok is True
        clock.shift(timedelta(seconds=1))
        assert base_checks.workers_check().is_ok is False


def test_late_and_failed_jobs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.periodic._jobs", {})
    declare_job("tests.tasks.often", every_seconds=10)
    declare_job("tests.tasks.never_yet", every_seconds=3600)
    with time_machine.travel(MOMENT, tick=False) as clock:
        Installation.objects.update_or_create(pk=1)
        Installation.objects.update(created_at=MOMENT)
        JobRun.objects.create(name="tests.often", finished_at=MOMENT, is_ok=True)
        clock.shift(timedelta(seconds=150))
        assert (jobs.late_jobs(), base_checks.jobs_check().is_ok) == ([], True)
        clock.shift(timedelta(seconds=1))
        assert jobs.late_jobs() == ["tests.tasks.often"]
        assert "tests.tasks.often" in base_checks.jobs_check().sentence
        clock.shift(timedelta(hours=3))
        assert jobs.late_jobs() == ["tests.tasks.never_yet", "tests.tasks.often"]
        JobRun.objects.update(finished_at=MOMENT + timedelta(hours=4), is_ok=False)
        assert "tests.often" in base_checks.jobs_check().sentence


def test_every_declared_job_names_a_real_task() -> None:
    from celery import current_app

    current_app.loader.import_default_modules()
    assert [job.task for job in declared_jobs() if job.task not in current_app.tasks] == []


def test_recorded_errors_of_the_last_day_show() -> None:
    assert base_checks.errors_check().is_ok is True
    with time_machine.travel(MOMENT, tick=False) as clock:
        ErrorRecord.objects.create(fingerprint="x", source="x", kind="x", message="x", last_at=MOMENT)
        assert base_checks.errors_check().is_ok is False
        clock.shift(timedelta(days=1, seconds=1))
        assert base_checks.errors_check().is_ok is True


# --- queues -----------------------------------------------------------------------------------------------------------


def test_files_of_the_broker_are_counted_and_timed(broker_folder: Path) -> None:
    name = "12345_0b0f6f0e-3b1e-4f6c-9a53-0b6a1d2f3c4d.{}.msg"
    for queue, age in (("celery", 300), ("routers", 5)):
        file = broker_folder / name.format(queue)
        file.write_text("{}")
        then = time.time() - age
        os.utime(file, (then, then))
    (broker_folder / "other.txt").write_text("x")
    states = {state.name: state for state in queues.queue_states()}
    assert {name: state.depth for name, state in states.items()} == {
        "celery": 1, "batches": 0, "routers": 1, "routers_slow": 0,
    }  # fmt: skip
    assert 299 < states["celery"].age_seconds < 330
    assert states["batches"].age_seconds == 0
    result = base_checks.queues_check()
    assert (result.is_ok, "celery" in result.sentence, "routers" in result.sentence) == (False, True, False)


@pytest.mark.redis
def test_messages_in_redis_are_counted_and_timed(settings: LazySettings) -> None:
    from celery import Celery

    from core.monitoring import base_checks as found

    settings.REDIS_URL = os.environ["TEST_REDIS_URL"]
    app = Celery("tests", broker=settings.REDIS_URL, set_as_current=False)
    with time_machine.travel(MOMENT, tick=False) as clock:
        for _n in range(2):
            app.send_task("tests.nothing", queue="routers_slow")
            clock.shift(timedelta(seconds=100))
        states = {state.name: state for state in queues.queue_states()}
        try:
            assert (states["routers_slow"].depth, round(states["routers_slow"].age_seconds)) == (2, 200)
            assert found.queues_check().is_ok is False
        finally:
            with app.connection_for_write() as broker:
                broker.default_channel.client.delete("routers_slow")
        assert {state.name: state.age_seconds for state in queues.queue_states()}["routers_slow"] == 0


def test_a_redis_that_is_away_is_told(settings: LazySettings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    with pytest.raises(OSError, match="ConnectionError"):
        queues.queue_states()


# --- metrics ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "_gauges", {})
    gauges.register("mb_routers_up", "Routers up.", lambda: 3.0)
    gauges.register("mb_waiting", "Waiting.", lambda: {("Pos 2",): 5.0, ("Pos 1",): 0.0}, labels=("location",))


def fail() -> float:
    raise DatabaseError("gone")


def test_gauges_of_rooms_are_shown_and_a_broken_one_hides_no_other(own_gauges: None) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    gauges.register("mb_broken", "Broken.", fail)
    registry = CollectorRegistry()
    registry.register(gauges.GaugeCollector())
    text = generate_latest(registry).decode()
    assert "mb_routers_up 3.0" in text
    assert 'mb_waiting{location="Pos 2"} 5.0' in text
    assert "mb_broken" not in text
    assert "mb_gauge_failures 1.0" in text


def test_the_kernels_own_gauges_can_all_be_read() -> None:
    heartbeat()
    for gauge in gauges.registered():
        gauge.function()
    assert {"mb_queue_age_seconds", "mb_job_age_seconds", "mb_heartbeat_age_seconds"} <= {
        gauge.name for gauge in gauges.registered()
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_process_serves_and_the_next_takes_over(own_gauges: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.monitoring.exporter.RETRY_SECONDS", 0.05)
    port = free_port()
    first = Exporter(port).start()
    assert first.is_serving.wait(10)
    second = Exporter(port).start()
    Client().get("/fine/")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert "mb_routers_up 3.0" in text
    assert 'django_http_responses_total_by_status_view_method_total{method="GET",status="200",view="fine"}' in text
    assert "django_http_requests_latency_seconds_by_view_method_bucket" in text
    assert not second.is_serving.is_set()
    first.stop()
    assert second.is_serving.wait(10)
    second.stop()


def test_it_listens_at_one_address_only(own_gauges: None) -> None:
    port = free_port()
    exporter = exporter_start(port, "127.0.0.2")
    assert exporter is not None
    assert exporter.is_serving.wait(10)
    with urllib.request.urlopen(f"http://127.0.0.2:{port}/metrics", timeout=10) as answer:
        assert "mb_routers_up 3.0" in answer.read().decode()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)
    exporter.stop()


def test_a_name_that_has_no_address_yet_is_told_once_and_tried_again(
    own_gauges: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A container's name may be known a moment after it started."""
    monkeypatch.setattr("core.monitoring.exporter.RETRY_SECONDS", 0.01)
    asked = iter([socket.gaierror(socket.EAI_NONAME, "Name or service not known")] * 3)

    def start(*args: Any, **options: Any) -> Any:
        for refusal in asked:
            raise refusal
        return start_http_server(*args, **options)

    monkeypatch.setattr("core.monitoring.exporter.start_http_server", start)
    exporter = Exporter(free_port(), "localhost").start()
    assert exporter.is_serving.wait(10)
    exporter.stop()
    told = [record.getMessage() for record in caplog.records if record.name == "core.monitoring.exporter"]
    assert told == [f"metrics: localhost:{exporter.port} cannot be opened: Name or service not known"]


def test_metrics_are_off_without_a_port() -> None:
    assert exporter_start(0, "127.0.0.1") is None


def test_with_files_the_answer_is_of_all_processes(
    own_gauges: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import subprocess
    import sys

    from prometheus_client import generate_latest

    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    code = "from prometheus_client import Counter; Counter('mb_seen', 'x').inc(2)"
    for _n in range(2):
        subprocess.run([sys.executable, "-c", code], env=env, check=True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    text = generate_latest(metrics_registry()).decode()
    assert "mb_seen_total 4.0" in text
    assert "mb_routers_up 3.0" in text

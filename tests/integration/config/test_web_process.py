"""What only a real web server shows: logs and metrics of several processes, and sessions that outlive it."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session

from accounts.models import User
from accounts.services import user_create
from tests.integration.config.web_process import METRICS_HOST, get, wait_for, web_process

PASSWORD = "correct horse 7 battery"


@pytest.fixture
def person(transactional_db: None) -> User:
    return user_create(username="siti", password=PASSWORD, role="super_admin", actor=None)


class Browser:
    """Keeps cookies, follows redirects, sends the form's token: what a login needs."""

    def __init__(self) -> None:
        self.cookies = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, url: str) -> tuple[str, str]:
        """Where we ended up, and the body."""
        with self._open.open(url, timeout=60) as answer:
            return urllib.parse.urlsplit(answer.url).path, answer.read().decode()

    def login(self, base: str) -> str:
        _path, page = self.get(f"{base}/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        form = {"username": "siti", "password": PASSWORD, "csrfmiddlewaretoken": token[1], "next": "/admin/"}
        with self._open.open(f"{base}/admin/login/", urllib.parse.urlencode(form).encode(), timeout=60) as answer:
            return urllib.parse.urlsplit(answer.url).path


@pytest.mark.django_db(transaction=True)
def test_metrics_of_all_workers_outlive_the_one_that_served_them_and_logs_are_json(
    person: User, tmp_path: Path
) -> None:
    with web_process(tmp_path, workers=2, LOG_LEVEL="INFO") as web:
        metrics = f"http://{METRICS_HOST}:{web.metrics_port}/metrics"
        wait_for(lambda: "mb_job_age_seconds" in get(metrics))
        for _n in range(10):
            get(web.url("/readyz?token=secret-value-1"))
            get(web.url("/admin/login/?password=secret-value-1"))
        counted = re.compile(
            r'django_http_responses_total_by_status_view_method_total\{method="GET",status="200",'
            r'view="admin:login"\} (\d+)'
        )
        assert get(metrics.replace(METRICS_HOST, "127.0.0.1")) == ""
        found = counted.search(get(metrics))
        assert found is not None
        assert int(found[1]) == 10
        for pid in _children(web.process.pid):
            os.kill(pid, signal.SIGKILL)  # the one that holds the port is among them
        wait_for(lambda: (now := counted.search(get(metrics))) is not None and int(now[1]) == 10)
        lines = [json.loads(line) for line in web.log().splitlines()]
        assert [line["event"] for line in lines if line["logger"] == "core.middleware"][:1] == ["GET /admin/login/ 200"]
        assert all(re.fullmatch("[0-9a-f]{32}", line["request_id"]) for line in lines if "status" in line)
        assert "secret-value-1" not in web.log()
        assert not [line for line in lines if line["level"] == "error"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_with_redis_a_session_survives_a_restart_of_the_web_server(person: User, tmp_path: Path) -> None:
    url = os.environ["TEST_REDIS_URL"]
    browser = Browser()
    with web_process(tmp_path, REDIS_URL=url) as web:
        assert browser.login(web.url("")) == "/admin/"
        first_pid = web.process.pid
    assert Session.objects.count() == 0  # nothing of it is in the database
    with web_process(tmp_path, REDIS_URL=url) as web:
        assert web.process.pid != first_pid
        assert browser.get(web.url("/admin/"))[0] == "/admin/"
        assert Browser().get(web.url("/admin/"))[0] == "/admin/login/"


@pytest.mark.django_db(transaction=True)
def test_without_redis_it_survives_too(person: User, tmp_path: Path) -> None:
    browser = Browser()
    with web_process(tmp_path, REDIS_URL="") as web:
        assert browser.login(web.url("")) == "/admin/"
    with web_process(tmp_path, REDIS_URL="") as web:
        assert browser.get(web.url("/admin/"))[0] == "/admin/"

"""The limit: counted per person and per address, in fixed windows, and told in headers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from core.api.throttling import _count
from tests.integration.api.conftest import House, Login

ME = "/api/v1/me/"
WINDOW_START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a multiple of 15 minutes


def _left(client: APIClient, path: str = ME) -> tuple[int, str, str, str]:
    answer = client.get(path)
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    return (answer.status_code, *(answer[name] for name in names))  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def _limit(settings: Settings, _calm: None) -> None:
    settings.API_RATE_MAX = 3
    settings.API_RATE_WINDOW_SECONDS = 900.0


def test_the_fourth_request_waits_for_the_next_window(house: House, as_user: Login) -> None:
    with time_machine.travel(WINDOW_START, tick=False) as clock:
        client = as_user(house.operator)
        assert _left(client) == (200, "3", "2", "901")
        clock.shift(100)
        assert _left(client) == (200, "3", "1", "801")
        assert _left(client) == (200, "3", "0", "801")
        answer = client.get(ME)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "801"
        assert answer["X-RateLimit-Remaining"] == "0"
        assert answer.json() == {
            "code": "rate.limited",
            "message": "Too many requests; wait for the time named in the Retry-After header.",
            "fields": {},
        }
        # another person is not affected, nor the same one in the next window
        assert as_user(house.admin).get(ME).status_code == 200
        clock.move_to(WINDOW_START.replace(minute=15))
        assert _left(as_user(house.operator)) == (200, "3", "2", "901")


def test_refused_logins_count_too(house: House, anonymous: APIClient) -> None:
    forged = {"HTTP_AUTHORIZATION": "Bearer a.b.c"}
    assert [anonymous.get(ME, **forged).status_code for _i in range(4)] == [401, 401, 401, 429]
    assert anonymous.post("/api/v1/auth/token/", {}, format="json").status_code == 429
    other = {"REMOTE_ADDR": "198.51.100.7"}
    assert anonymous.get(ME, **other).status_code == 401


def test_probes_are_never_limited(house: House, anonymous: APIClient) -> None:
    assert [anonymous.get("/healthz").status_code for _i in range(5)] == [200] * 5


@pytest.mark.django_db(transaction=True)
def test_no_request_at_once_is_forgotten() -> None:
    cache.clear()

    def count(_number: int) -> int:
        try:
            return _count("api:test:parallel", 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(count, range(80)))
    assert sorted(counts) == list(range(1, 81))

"""The limit on failed logins, what is written down of them, and that nobody can tell which names exist."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory

from accounts.forms import LoginForm
from accounts.lockouts import PER_ACCOUNT, PER_ADDRESS, account_key
from accounts.models import ActivityLog, User
from accounts.selectors import lockouts_now
from accounts.services import user_create, user_unlock
from accounts.throttle import login_attempt
from core.errors import DomainError
from tests.integration.accounts.conftest import PASSWORD

# The counters' windows begin at times that depend on the counted name; tests stand still in the middle of theirs.
MOMENT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(MOMENT, tick=False) as clock:
        yield clock


def post(client: Client, username: str, password: str, address: str = "192.0.2.1") -> Any:
    """Through the page, as a browser."""
    return client.post("/admin/login/", {"username": username, "password": password}, REMOTE_ADDR=address)


def try_login(username: str, password: str, address: str = "192.0.2.1") -> str:
    """Through the admin's form alone: what the page does, without drawing it."""
    form = LoginForm(RequestFactory().post("/", REMOTE_ADDR=address), {"username": username, "password": password})
    if form.is_valid():
        return "in"
    return "locked" if form.has_error("__all__", "locked") else "|".join(form.non_field_errors())


def test_the_sixth_attempt_on_an_account_is_refused_even_with_the_right_password(operator: User) -> None:
    client = Client()
    for n in range(PER_ACCOUNT):
        answer = post(client, "budi", "wrong", f"192.0.2.{n}")
        assert (answer.status_code, answer.context["form"].has_error("__all__", "locked")) == (200, False)
    last = post(client, "budi", PASSWORD, "192.0.2.99")
    assert (last.status_code, last.context["form"].has_error("__all__", "locked")) == (200, True)
    assert "_auth_user_id" not in client.session


def test_an_unknown_name_gets_the_very_same_answers(operator: User) -> None:
    known = [try_login("budi", "wrong", f"192.0.2.{n}") for n in range(PER_ACCOUNT + 1)]
    unknown = [try_login("nobody", "wrong", f"192.0.2.{n}") for n in range(PER_ACCOUNT + 1)]
    assert known == unknown
    assert (len(set(known)), known[-1]) == (2, "locked")


def test_an_unknown_name_costs_a_hash_too(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    calls: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *a, **k: (calls.append("x"), encode(*a, **k))[1])
    for name in ("budi", "nobody"):
        calls.clear()
        assert authenticate(RequestFactory().post("/"), username=name, password="wrong") is None
        assert calls == ["x"]


def test_an_address_has_twenty_whatever_names_it_tries(operator: User) -> None:
    answers = [try_login(f"name{n}", "wrong") for n in range(PER_ADDRESS)]
    assert "locked" not in answers
    assert try_login("budi", PASSWORD) == "locked"
    assert try_login("name0", "wrong", "192.0.2.2") != "locked"


def test_addresses_of_one_ipv6_network_count_together(operator: User) -> None:
    for n in range(PER_ADDRESS):
        try_login(f"name{n}", "wrong", f"2001:db8::{n + 1:x}")
    assert try_login("budi", PASSWORD, "2001:db8::ffff") == "locked"
    assert try_login("budi", PASSWORD, "2001:db8:1::1") == "in"


def test_spelling_a_name_differently_is_the_same_account() -> None:
    assert account_key(" BUDI ") == account_key("budi") == account_key("ｂｕｄｉ")
    assert account_key("budi") != account_key("bud")


def test_success_starts_the_account_anew_and_is_not_counted_against_the_address(operator: User) -> None:
    for _round in range(8):
        for _try in range(2):
            try_login("budi", "wrong")
        assert try_login("budi", PASSWORD) == "in"
    assert ActivityLog.objects.filter(action="login.failed").count() == 16
    assert ActivityLog.objects.filter(action="login.locked").count() == 0


def test_an_own_account_does_not_wipe_the_count_of_attacks_on_others(operator: User) -> None:
    failures = 0
    while failures < 2 * PER_ADDRESS:
        assert try_login(f"victim{failures}", "wrong") != "locked"
        failures += 1
        if try_login("budi", PASSWORD) != "in":
            break
    assert failures == PER_ADDRESS


def test_it_ends_after_the_window(operator: User, clock: Any) -> None:
    for n in range(PER_ACCOUNT + 1):
        try_login("budi", "wrong", f"192.0.2.{n}")
    assert [lockout.username for lockout in lockouts_now()] == ["budi"]
    clock.shift(timedelta(seconds=301))
    assert lockouts_now() == []
    assert try_login("budi", PASSWORD) == "in"


def test_a_super_admin_sees_and_ends_it(
    super_admin: User, operator: User, django_capture_on_commit_callbacks: Any
) -> None:
    for n in range(PER_ACCOUNT + 3):
        try_login("Budi", "wrong", f"192.0.2.{n}")
    [lockout] = lockouts_now()
    assert (lockout.kind, lockout.username, lockout.ip_address) == ("account", "budi", "192.0.2.5")
    assert timedelta() < lockout.until - MOMENT <= timedelta(seconds=300)
    with pytest.raises(DomainError):
        user_unlock(operator, actor=operator)
    with django_capture_on_commit_callbacks(execute=True):
        user_unlock(operator, actor=super_admin)
    assert lockouts_now() == []
    assert try_login("budi", PASSWORD) == "in"
    assert ActivityLog.objects.filter(action="user.unlocked", user=super_admin).count() == 1


def test_each_lock_out_is_written_once(operator: User) -> None:
    for _n in range(PER_ACCOUNT + 10):
        try_login("budi", "wrong")
    assert ActivityLog.objects.filter(action="login.locked").count() == 1


def test_login_failure_and_logout_are_written_down(operator: User) -> None:
    client = Client()
    post(client, "budi", "wrong", "192.0.2.5")
    post(client, "budi", PASSWORD, "192.0.2.6")
    client.post("/admin/logout/", REMOTE_ADDR="192.0.2.6")
    rows = ActivityLog.objects.filter(action__startswith="login.").order_by("id")
    assert [(row.action, row.user_id, row.details, row.ip_address) for row in rows] == [
        ("login.failed", None, {"username": "budi"}, "192.0.2.5"),
        ("login.succeeded", operator.pk, {}, "192.0.2.6"),
        ("login.ended", operator.pk, {}, "192.0.2.6"),
    ]


def test_a_name_nobody_has_is_not_kept(operator: User) -> None:
    """People type their password into the field of the name."""
    post(Client(), "my secret passphrase", "x")
    row = ActivityLog.objects.get(action="login.failed")
    assert row.details == {"username": None}


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000, "\ud800", "'; DROP TABLE", "ｂ" * 100])
def test_strange_names_are_refused_like_any_other(operator: User, name: str) -> None:
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
    login_attempt(request, name)
    if name != "\ud800":  # cannot be sent to PostgreSQL as a name; the form refuses it before
        assert authenticate(request, username=name, password="x") is None


def test_the_api_function_answers_429_with_a_sentence(operator: User) -> None:
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
    for _n in range(PER_ACCOUNT):
        login_attempt(request, "budi")
    with pytest.raises(DomainError) as refusal:
        login_attempt(request, "budi")
    assert (refusal.value.code, refusal.value.status) == ("login.locked", 429)
    assert any(character.isdigit() for character in refusal.value.message)


def attack_at_once() -> int:
    """How many of fifty attempts in ten threads get past the counter."""
    start, passed = threading.Barrier(10), []

    def attack(thread: int) -> None:
        try:
            start.wait(timeout=20)
            for n in range(5):
                request = RequestFactory().post("/", REMOTE_ADDR=f"198.51.{thread}.{n}")
                try:
                    login_attempt(request, "budi")
                except DomainError:
                    continue
                passed.append(n)
        finally:
            connection.close()

    threads = [threading.Thread(target=attack, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return len(passed)


@pytest.mark.django_db(transaction=True)
def test_fifty_attempts_at_once_get_five_looks_at_the_password() -> None:
    cache.clear()
    user_create(username="budi", password=PASSWORD, role="operator", actor=None)
    assert attack_at_once() == PER_ACCOUNT
    assert ActivityLog.objects.filter(action="login.locked").count() == 1


@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_with_redis_it_is_the_same(settings: LazySettings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["TEST_REDIS_URL"],
            "KEY_PREFIX": uuid.uuid4().hex,
        }
    }  # fmt: skip
    user = user_create(username="budi", password=PASSWORD, role="operator", actor=None)
    assert attack_at_once() == PER_ACCOUNT
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
    with pytest.raises(DomainError):
        login_attempt(request, "budi")
    user_unlock(user, actor=None)
    login_attempt(request, "budi")
    assert authenticate(request, username="budi", password=PASSWORD) == user

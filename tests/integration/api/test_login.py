"""Tokens: issue, use, rotate, end. Sessions: with CSRF, also before anybody is logged in."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import ActivityLog
from accounts.services import user_change, user_set_password
from core.clock import now
from tests.integration.api.conftest import PASSWORD, House

TOKEN, REFRESH, LOGOUT = "/api/v1/auth/token/", "/api/v1/auth/refresh/", "/api/v1/auth/logout/"
SESSION, ME = "/api/v1/auth/session/", "/api/v1/me/"


def _tokens(client: APIClient, name: str = "budi") -> dict[str, str]:
    answer = client.post(TOKEN, {"username": name, "password": PASSWORD}, format="json")
    assert answer.status_code == 200, answer.content
    assert sorted(answer.json()) == ["access", "refresh"]
    return answer.json()


def _me(client: APIClient, access: str) -> int:
    return client.get(ME, HTTP_AUTHORIZATION=f"Bearer {access}").status_code


def test_a_token_opens_the_api_and_says_who(house: House, anonymous: APIClient) -> None:
    tokens = _tokens(anonymous)
    answer = anonymous.get(ME, HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["username"], body["role"]) == (house.operator.pk, "budi", "operator")
    assert "vouchers.sell_voucher" in body["permissions"]
    assert "billing.add_plan" not in body["permissions"]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["budi", "nobody", "a\u0000b"])
def test_a_wrong_login_tells_nothing_about_the_name(house: House, anonymous: APIClient, name: str) -> None:
    answer = anonymous.post(TOKEN, {"username": name, "password": "wrong-password"}, format="json")
    if "\x00" in name:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["username"])
        return
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "auth.failed", "message": "This login is not valid (any more). Log in again.", "fields": {},
    }  # fmt: skip


def test_too_many_wrong_logins_lock_the_account(house: House, anonymous: APIClient) -> None:
    for _attempt in range(5):
        wrong = anonymous.post(TOKEN, {"username": "budi", "password": "wrong-password"}, format="json")
        assert wrong.status_code == 401
    answer = anonymous.post(TOKEN, {"username": "budi", "password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (429, "login.locked")
    assert ActivityLog.objects.filter(action="login.locked").count() == 1


def test_each_refresh_token_works_once(house: House, anonymous: APIClient) -> None:
    first = _tokens(anonymous)
    answer = anonymous.post(REFRESH, {"refresh": first["refresh"]}, format="json")
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh"] != first["refresh"]
    assert _me(anonymous, second["access"]) == 200
    again = anonymous.post(REFRESH, {"refresh": first["refresh"]}, format="json")
    assert (again.status_code, again.json()["code"]) == (401, "auth.failed")
    assert again["WWW-Authenticate"] == 'Bearer realm="api"'


def test_of_two_exchanges_at_once_one_is_refused(
    house: House, anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked at the blacklist before either wrote to it: the row itself must decide."""
    first = _tokens(anonymous)
    monkeypatch.setattr(RefreshToken, "check_blacklist", lambda _token: None)
    answers = [anonymous.post(REFRESH, {"refresh": first["refresh"]}, format="json") for _i in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]


def test_logout_ends_the_refresh_token(house: House, anonymous: APIClient) -> None:
    tokens = _tokens(anonymous)
    answer = anonymous.post(LOGOUT, {"refresh": tokens["refresh"]}, format="json")
    assert (answer.status_code, answer.content) == (204, b"")
    assert anonymous.post(REFRESH, {"refresh": tokens["refresh"]}, format="json").status_code == 401
    assert anonymous.post(LOGOUT, {"refresh": tokens["refresh"]}, format="json").status_code == 401


def test_tokens_run_out(house: House, anonymous: APIClient) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        tokens = _tokens(anonymous)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert _me(anonymous, tokens["access"]) == 200
        clock.shift(timedelta(seconds=2))
        assert _me(anonymous, tokens["access"]) == 401
        assert anonymous.post(REFRESH, {"refresh": tokens["refresh"]}, format="json").status_code == 200
        other = _tokens(anonymous)
        clock.shift(timedelta(days=30, seconds=1))
        assert anonymous.post(REFRESH, {"refresh": other["refresh"]}, format="json").status_code == 401


def test_a_new_password_ends_all_tokens(house: House, anonymous: APIClient) -> None:
    tokens = _tokens(anonymous)
    user_set_password(house.operator, "another-horse-7", actor=None)
    assert _me(anonymous, tokens["access"]) == 401
    assert anonymous.post(REFRESH, {"refresh": tokens["refresh"]}, format="json").status_code == 401


def test_a_deactivated_person_is_out_at_once(house: House, anonymous: APIClient) -> None:
    tokens = _tokens(anonymous)
    user_change(house.operator, is_active=False, actor=None)
    assert _me(anonymous, tokens["access"]) == 401
    answer = anonymous.post(TOKEN, {"username": "budi", "password": PASSWORD}, format="json")
    assert answer.status_code == 401


def test_access_and_refresh_tokens_are_not_interchangeable(house: House, anonymous: APIClient) -> None:
    tokens = _tokens(anonymous)
    assert _me(anonymous, tokens["refresh"]) == 401
    assert anonymous.post(REFRESH, {"refresh": tokens["access"]}, format="json").status_code == 401


def test_login_refuses_extra_and_overlong_fields(house: House, anonymous: APIClient) -> None:
    body = {"username": "x" * 151, "password": "y" * 129, "role": "super_admin"}
    answer = anonymous.post(TOKEN, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"role": "There is no such field."}
    del body["role"]
    assert sorted(anonymous.post(TOKEN, body, format="json").json()["fields"]) == ["password", "username"]


def test_session_login_needs_the_csrf_token(house: House) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    body = {"username": "budi", "password": PASSWORD}
    refused = client.post(SESSION, body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.csrf")
    state = client.get(SESSION).json()
    assert state["user"] is None
    token = {"X-CSRFToken": state["csrf_token"]}
    answer = client.post(SESSION, body, content_type="application/json", headers=token)
    assert answer.status_code == 200
    assert answer.json()["user"]["username"] == "budi"
    assert client.get(ME).status_code == 200

    path = f"/api/v1/accounts/{house.account.pk}/kick/"
    without = client.post(path, {}, content_type="application/json")
    assert (without.status_code, without.json()["code"]) == (403, "auth.csrf")
    token = {"X-CSRFToken": answer.json()["csrf_token"]}
    assert client.post(path, {}, content_type="application/json", headers=token).status_code == 200

    assert client.delete(SESSION).status_code == 403
    assert client.delete(SESSION, headers=token).status_code == 204
    assert client.get(ME).status_code == 401


def test_session_login_with_a_wrong_password(house: House) -> None:
    client = Client()
    answer = client.post(SESSION, {"username": "budi", "password": "nope-nope-1"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.failed")
    assert client.get(ME).status_code == 401

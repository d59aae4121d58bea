"""One body for every error."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.models import ActivityLog
from billing.api import views as billing_views
from billing.models import Plan
from core.models import ErrorRecord
from tests.integration.api.conftest import House, Login


def test_anonymous_is_told_to_log_in(house: House, anonymous: APIClient) -> None:
    answer = anonymous.get("/api/v1/vouchers/")
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "auth.required", "message": "Log in first: send a token or a session cookie.", "fields": {},
    }  # fmt: skip
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_forged_token_says_nothing_about_why(house: House, anonymous: APIClient) -> None:
    answer = anonymous.get("/api/v1/me/", HTTP_AUTHORIZATION="Bearer not.a.token")
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "auth.failed", "message": "This login is not valid (any more). Log in again.", "fields": {},
    }  # fmt: skip


def test_missing_right(house: House, as_user: Login) -> None:
    answer = as_user(house.operator).post("/api/v1/plans/", {"name": "X", "price_sell": "1"}, format="json")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "permission.denied", "message": "Your role may not do this.", "fields": {},
    }  # fmt: skip
    assert Plan.objects.count() == 1


def test_unknown_row_and_unknown_address(house: House, as_user: Login, anonymous: APIClient) -> None:
    answer = as_user(house.admin).get("/api/v1/vouchers/999999/")
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "not_found", "message": "There is nothing at this address that you may see.", "fields": {},
    }  # fmt: skip
    for path in ("/api/v1/nothing/", "/api/v1/vouchers/abc/", "/api/v1/vouchers", "/api/v1/"):
        answer = anonymous.get(path)
        assert answer.status_code == 404, path
        assert answer.json() == {
            "code": "not_found", "message": "There is nothing at this address.", "fields": {},
        }  # fmt: skip


def test_wrong_method_and_wrong_media_type(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    answer = client.delete(f"/api/v1/plans/{house.plan.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method.not_allowed")
    answer = client.post("/api/v1/plans/", "name=x", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (415, "input.media_type")
    answer = client.post("/api/v1/plans/", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "input.unreadable")


def test_unknown_fields_are_refused_by_name(house: House, as_user: Login) -> None:
    body = {"name": "Mingguan", "price_sell": "20000", "prise_cost": "1"}
    answer = as_user(house.admin).post("/api/v1/plans/", body, format="json")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "input.invalid",
        "message": "Some of what was sent is not right; nothing was changed.",
        "fields": {"prise_cost": "There is no such field."},
    }
    assert Plan.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "x" * 61, "Ensure this field has no more than 60 characters."),
        ("name", 7, "Not a valid string."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("price_sell", "-1", "Ensure this value is greater than or equal to 0."),
        ("price_sell", 5000, 'Send amounts as text, for example "15000.00".'),
        ("price_sell", 0.1, 'Send amounts as text, for example "15000.00".'),
        ("price_sell", "1" * 17, "Ensure that there are no more than 16 digits before the decimal point."),
        ("price_sell", "0.001", "Ensure that there are no more than 2 decimal places."),
        ("price_sell", "NaN", "A valid number is required."),
        ("duration_seconds", 9, "Ensure this value is greater than or equal to 10."),
        ("duration_seconds", 316224001, "Ensure this value is less than or equal to 316224000."),
        ("duration_seconds", "60", "A valid integer is required."),
        ("duration_seconds", True, "A valid integer is required."),
        ("shared_users", 0, "Ensure this value is greater than or equal to 1."),
        ("is_mac_locked", "yes", "Must be a valid boolean."),
        ("type", "dialup", '"dialup" is not a valid choice.'),
        ("data_limit_bytes", 2**63, "Ensure this value is less than or equal to 9007199254740992."),
    ],
)
def test_length_type_and_range(house: House, as_user: Login, field: str, value: object, words: str) -> None:
    body = {"name": "Mingguan", "price_sell": "20000", field: value}
    answer = as_user(house.admin).post("/api/v1/plans/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["fields"] == {field: words}
    assert Plan.objects.count() == 1


def test_nested_errors_have_dotted_names(house: House, as_user: Login) -> None:
    body = {"locations": [house.here.pk, "two"]}
    answer = as_user(house.admin).post(f"/api/v1/plans/{house.plan.pk}/publish/", body, format="json")
    assert answer.json()["fields"] == {"locations.1": "A valid integer is required."}


def test_a_body_that_is_no_object(house: House, as_user: Login) -> None:
    answer = as_user(house.admin).post("/api/v1/plans/", [1], format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "input.invalid")
    assert answer.json()["message"] == "Invalid data. Expected a dictionary, but got list."


def test_a_refusal_of_a_service_keeps_its_code_and_fields(house: House, as_user: Login) -> None:
    body = {"name": "Harian", "price_sell": "1000"}
    answer = as_user(house.admin).post("/api/v1/plans/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "plan.name_taken"
    assert list(answer.json()["fields"]) == ["name"]


def test_our_own_faults_are_recorded_and_not_described(
    house: House, as_user: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_kwargs: object) -> None:
        raise KeyError("password=hunter2")

    monkeypatch.setattr(billing_views, "plan_create", broken)
    before = ActivityLog.objects.count()
    client = as_user(house.admin)
    client.raise_request_exception = False
    answer = client.post("/api/v1/plans/", {"name": "X", "price_sell": "1"}, format="json")
    assert answer.status_code == 500
    body = answer.json()
    assert body["code"] == "server.error"
    assert body["request_id"] == answer["X-Request-ID"]
    assert "hunter2" not in answer.content.decode()
    record = ErrorRecord.objects.get(source="api PlanViewSet.create")
    assert (record.kind, record.count) == ("KeyError", 1)
    assert "hunter2" not in record.message + record.traceback
    assert ActivityLog.objects.count() == before


def test_answers_are_in_the_callers_language(house: House) -> None:
    answer = APIClient().get("/api/v1/vouchers/", HTTP_ACCEPT_LANGUAGE="id")
    assert answer["Content-Language"] == "id"
    assert answer.json()["code"] == "auth.required"

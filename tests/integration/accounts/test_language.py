from __future__ import annotations

import pytest
from django.test import Client, override_settings

from accounts.models import User

pytestmark = pytest.mark.django_db


def language(client: Client, **headers: str) -> str:
    return client.get("/admin/login/", **headers).headers["Content-Language"]


@override_settings(LANGUAGE_CODE="id")
def test_default_browser_cookie_person_in_rising_order(operator: User) -> None:
    client = Client()
    assert language(client) == "id"
    assert language(client, HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9") == "en"
    client.cookies["django_language"] = "id"
    assert language(client, HTTP_ACCEPT_LANGUAGE="en") == "id"
    User.objects.filter(pk=operator.pk).update(language="en")
    client.force_login(operator)
    assert language(client, HTTP_ACCEPT_LANGUAGE="id") == "en"


def test_a_person_without_a_choice_gets_the_browsers(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    assert language(client, HTTP_ACCEPT_LANGUAGE="en") == "en"


@override_settings(LANGUAGE_CODE="en")
def test_the_installations_default_counts_last() -> None:
    assert language(Client()) == "en"


def test_a_visitor_costs_no_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        Client().get("/healthz")

"""What somebody sees at a wrong address, without the right, or with a form that is too old: our words, his language."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.services import user_create
from core.models import ErrorRecord

pytestmark = pytest.mark.django_db


def person(role: Role) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="id")
    client.force_login(user_create(username="orang", password="Kertas-Biru-73!", role=role, language="id", actor=None))
    return client


def text_of(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/admin/no-such-page/", "/d/nowhere/", "/nothing"])
def test_a_wrong_address(path: str) -> None:
    answer = person(Role.ADMIN).get(path)
    assert answer.status_code == 404
    assert "Tidak ada yang boleh Anda lihat di alamat ini." in text_of(answer)
    assert '<html lang="id">' in text_of(answer)
    assert '<a href="/">' in text_of(answer)
    assert ErrorRecord.objects.count() == 0


def test_without_the_right() -> None:
    answer = person(Role.OPERATOR).get(reverse("admin:report_trial_balance"))
    assert answer.status_code == 403
    assert "Peran Anda tidak boleh melakukan ini." in text_of(answer)


def test_a_form_from_before_the_login() -> None:
    client = Client(enforce_csrf_checks=True, HTTP_ACCEPT_LANGUAGE="en")
    answer = client.post(reverse("admin:login"), {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "Load its page anew and send it." in text_of(answer)
    assert "Nothing was changed." in text_of(answer)
    assert "CSRF" not in text_of(answer)


def test_programs_get_the_body_of_the_api() -> None:
    answer = Client().get("/nothing", HTTP_ACCEPT="application/json")
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "not_found", "message": "There is nothing at this address that you may see.", "fields": {},
    }  # fmt: skip

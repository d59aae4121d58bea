"""An action that names no permission is closed by an error, not open by accident."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIRequestFactory

from core.api.permissions import StaffModelPermissions, is_staff_member
from core.api.views import HouseView


class Door(HouseView):
    action_permissions = {"get": "room.open"}

    def get(self, request: Any) -> None: ...

    def post(self, request: Any) -> None: ...


def _user(**changes: Any) -> Any:
    facts = {
        "is_authenticated": True,
        "is_active": True,
        "is_staff": True,
        "has_perm": lambda name: name == "room.open",
    }
    return SimpleNamespace(**{**facts, **changes})


def _ask(method: str, user: Any) -> bool:
    view = Door()
    request: Any = SimpleNamespace(method=method, user=user)
    view.setup(APIRequestFactory().get("/"))
    return StaffModelPermissions().has_permission(request, view)


def test_the_named_permission_decides() -> None:
    assert _ask("GET", _user()) is True
    assert _ask("HEAD", _user()) is True
    assert _ask("GET", _user(has_perm=lambda _name: False)) is False
    assert _ask("HEAD", _user(has_perm=lambda _name: False)) is False


@pytest.mark.parametrize("fact", ["is_authenticated", "is_active", "is_staff"])
def test_only_active_staff(fact: str) -> None:
    assert is_staff_member(_user(**{fact: False})) is False
    assert _ask("GET", _user(**{fact: False})) is False


def test_a_method_nobody_classified_is_an_error() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Door\.post names no permission"):
        _ask("POST", _user())


def test_a_method_the_view_does_not_have_is_left_to_405() -> None:
    assert _ask("DELETE", _user()) is True

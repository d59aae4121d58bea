"""What accounts listens to: deeds of staff, failed logins and logouts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.signals import user_logged_out, user_login_failed

from accounts.forms import LoginForm
from accounts.models import User
from accounts.services import activity_write
from accounts.throttle import login_ended, login_failed
from core.events import subscribe
from core.staff_events import StaffActed


def subscribe_all() -> None:
    """Django's login signals carry the request, which its return values do not; they are no model signals."""
    subscribe(StaffActed, activity_write, is_critical=True, order=10)
    admin.site.login_form = LoginForm
    user_login_failed.connect(_failed, dispatch_uid="accounts.login_failed")
    user_logged_out.connect(_ended, dispatch_uid="accounts.logged_out")


def _failed(credentials: dict[str, Any], request: Any = None, **_kwargs: Any) -> None:
    login_failed(request, str(credentials.get("username") or ""))


def _ended(request: Any = None, user: Any = None, **_kwargs: Any) -> None:
    if isinstance(user, User):
        login_ended(request, user)

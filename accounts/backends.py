"""Names and passwords. Says to the login's counters and to the activity log what came of an attempt."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.throttle import login_succeeded


class PasswordBackend(ModelBackend):
    """Django's own check (it hashes for unknown names too, so that their answer takes as long)."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is not None and "\x00" in username:
            return None  # PostgreSQL refuses the byte; to a caller this is a name like any other nobody has
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if not isinstance(user, User):
            return None
        login_succeeded(request, user)
        return user

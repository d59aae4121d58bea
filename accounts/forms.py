"""The login form of the admin, with the limit on failed attempts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from accounts.throttle import login_attempt
from core.errors import DomainError


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Counts the attempt before the password is looked at."""

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password:
            try:
                login_attempt(self.request, username)
            except DomainError as error:
                raise ValidationError(str(error.message), code="locked") from None
        cleaned: dict[str, Any] = super().clean()
        return cleaned

"""Refresh tokens: each is good for one exchange, and none outlives a password change or a locked account."""

from __future__ import annotations

from typing import Any, cast

from django.db import transaction
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import User


def tokens_issue(user: User) -> dict[str, str]:
    """A new pair for a person who just proved who he is."""
    refresh = RefreshToken.for_user(user)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


@transaction.atomic
def tokens_rotate(text: str) -> dict[str, str]:
    """Exchange a refresh token for a new pair. Raises AuthenticationFailed if it was used or revoked."""
    refresh = _spend(text)
    user_id: Any = refresh.payload.get(api_settings.USER_ID_CLAIM)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or refresh.payload.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise AuthenticationFailed
    return tokens_issue(user)


@transaction.atomic
def tokens_end(text: str) -> None:
    """Make a refresh token useless. Raises AuthenticationFailed if it already was."""
    _spend(text)


def _spend(text: str) -> RefreshToken:
    try:
        refresh = RefreshToken(text)  # type: ignore[arg-type]  # the library's annotation is wrong
    except TokenError:
        raise AuthenticationFailed from None
    # The blacklist row is UNIQUE per token: of two exchanges at once one creates it, the other is refused.
    _row, is_mine = cast("tuple[Any, bool]", refresh.blacklist())
    if not is_mine:
        raise AuthenticationFailed
    return refresh

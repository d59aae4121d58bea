"""Passwords, and the end of everything that was opened with the old one."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User
from accounts.services.rules import staff_changed, super_admin_or_self_required
from core.errors import DomainError

LONGEST_PASSWORD = 128  # hashing is work for the server; nobody needs more


@transaction.atomic
def user_set_password(user: User, password: str, *, actor: User | None, ip: str | None = None) -> User:
    """Set a new password. Ends every session and every API token of that person.

    Sessions end because Django ties them to the password; a person who changed his own keeps the one he is in when the
    view calls `update_session_auth_hash`. Raises DomainError with `fields["password"]` when it is too weak.
    """
    super_admin_or_self_required(user, actor)
    password_check(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    ended = user_sessions_end(user)
    staff_changed("user.password_set", user, actor, ip, {"tokens_ended": ended})
    return user


def password_check(password: str, user: User) -> None:
    """Raises DomainError with all reasons at once."""
    if len(password) > LONGEST_PASSWORD:
        problem = _("At most %(n)d characters.") % {"n": LONGEST_PASSWORD}
        raise DomainError("user.password", problem, {"password": problem})
    try:
        validate_password(password, user)
    except ValidationError as error:
        problem = " ".join(error.messages)
        raise DomainError("user.password", problem, {"password": problem}) from None


def user_sessions_end(user: User) -> int:
    """Make every refresh token of the person useless; returns how many. Access tokens carry the password's digest
    (`CHECK_REVOKE_TOKEN`) and browser sessions too, so both end by themselves with a new password."""
    tokens = OutstandingToken.objects.filter(user_id=user.pk, blacklistedtoken__isnull=True)
    made = BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=token) for token in tokens], ignore_conflicts=True
    )
    return len(made)

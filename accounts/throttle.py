"""The door of every login: `login_attempt` before the password is looked at, `login_succeeded` or `login_failed` after.

The admin's form and the API call the first; the authentication backend calls the others, so no way in can forget
them. Known and unknown names get the same answers at the same cost: Django hashes a password for unknown names too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts import lockouts
from accounts.models import User
from core.client_ip import client_ip
from core.clock import now
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed

LOCKED, FAILED, SUCCEEDED, LOGGED_OUT = "login.locked", "login.failed", "login.succeeded", "login.ended"


def login_attempt(request: HttpRequest, username: str) -> None:
    """Count an attempt. Raises DomainError (429) when the account or the address had too many failed ones.

    Must run outside a transaction: an attempt that is rolled back would not have counted.
    """
    address = client_ip(request)
    locked = [verdict for verdict in lockouts.attempt_count(request, username, address) if verdict.is_locked]
    if not locked:
        return
    for verdict in locked:
        if verdict.is_first:
            _lockout_write(verdict, username, address)
    minutes = max(-(-verdict.seconds_left // 60) for verdict in locked)
    raise DomainError(
        "login.locked",
        ngettext(
            "Too many failed logins. Try again in %(n)d minute.", "Too many failed logins. Try again in %(n)d minutes.",
            minutes,
        ) % {"n": minutes},
        status=429,
    )  # fmt: skip


def login_succeeded(request: HttpRequest | None, user: User) -> None:
    """The password was right: the counters forget the attempt, the log keeps the login."""
    if request is not None:
        lockouts.success_count(request, user.get_username(), client_ip(request))
    _write(SUCCEEDED, user, client_ip(request), {})


def login_failed(request: HttpRequest | None, username: str) -> None:
    """Write a failed login down. A name nobody has is not kept: people type passwords into the wrong field."""
    user = _known(username)
    _write(FAILED, None, client_ip(request), {"username": user.username if user else None})


def login_ended(request: HttpRequest | None, user: User) -> None:
    """A logout."""
    _write(LOGGED_OUT, user, client_ip(request), {})


def _lockout_write(verdict: lockouts.Verdict, username: str, address: str | None) -> None:
    user = _known(username)
    details = {
        "kind": verdict.kind,
        "username": user.username if user else None,
        "until": (now() + timedelta(seconds=verdict.seconds_left)).isoformat(),
    }
    _write(LOCKED, None, address, details)


def _known(username: str) -> User | None:
    return User.objects.filter(username__iexact=username).first() if "\x00" not in username else None


def _write(action: str, user: User | None, address: str | None, details: Mapping[str, object]) -> None:
    with transaction.atomic():
        emit(StaffActed(user_id=user.pk if user else None, action=action, details=details, ip_address=address))

"""Staff members: made, changed, unlocked. Never deleted, since the activity log names them: they are deactivated."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import lockouts
from accounts.choices import Role
from accounts.models import User
from accounts.services.passwords import password_check, user_sessions_end
from accounts.services.roles import group_of, role_apply
from accounts.services.rules import (
    last_super_admin_kept,
    staff_changed,
    super_admin_or_self_required,
    super_admin_required,
)
from core.errors import DomainError

OWN_FIELDS = {"email", "language", "first_name", "last_name"}
"""What a person may change about himself."""
FIELDS = OWN_FIELDS | {"username", "is_active"}


@transaction.atomic
def user_create(
    *,
    username: str,
    password: str,
    role: str = Role.OPERATOR,
    email: str = "",
    language: str = "",
    first_name: str = "",
    last_name: str = "",
    actor: User | None,
    ip: str | None = None,
) -> User:
    """A new staff member with role, group and rights. `actor` None is the command line.

    Raises DomainError with `fields` for what is not valid, and for an actor who is no Super Admin.
    """
    super_admin_required(actor)
    if role not in Role.values:
        raise DomainError("user.role", _("There is no such role."), {"role": _("There is no such role.")})
    user = User(
        username=User.normalize_username(username.strip()), email=User.objects.normalize_email(email.strip()),
        language=language, first_name=first_name.strip(), last_name=last_name.strip(),
    )  # fmt: skip
    role_apply(user, role)
    password_check(password, user)
    user.set_password(password)
    _name_free(user)
    _checked(user)
    user.save()
    user.groups.set([group_of(role)])
    staff_changed("user.created", user, actor, ip, {"role": user.role, "email": user.email})
    return user


@transaction.atomic
def user_change(user: User, *, actor: User | None, ip: str | None = None, **fields: Any) -> User:
    """Change name, e-mail address, language or whether the person may log in (`is_active`).

    A person may change his own address, name and language; everything else needs a Super Admin. Deactivating ends
    sessions and tokens. Raises DomainError with `fields`; TypeError for a field that is not in `FIELDS`.
    """
    if unknown := sorted(set(fields) - FIELDS):
        raise TypeError(f"user_change does not change {', '.join(unknown)}")
    stored = User.objects.select_for_update().get(pk=user.pk)
    before = {name: getattr(stored, name) for name in fields}
    changed = {name: value for name, value in fields.items() if before[name] != value}
    if set(changed) <= OWN_FIELDS:
        super_admin_or_self_required(user, actor)
    else:
        super_admin_required(actor)
    if not changed:
        return user
    if "is_active" in changed:
        last_super_admin_kept(user, stays=bool(changed["is_active"]))
    for name, value in changed.items():
        setattr(user, name, value)
    if "username" in changed:
        _name_free(user)
    _checked(user)
    user.save(update_fields=list(changed))
    if changed.get("is_active") is False:
        user_sessions_end(user)
    details = {"before": {name: before[name] for name in changed}, "after": changed}
    staff_changed("user.changed", user, actor, ip, details)
    return user


@transaction.atomic
def user_unlock(user: User, *, actor: User | None, ip: str | None = None) -> None:
    """End a lock-out of this account's login now. Lock-outs of an address end by themselves."""
    super_admin_required(actor)
    staff_changed("user.unlocked", user, actor, ip, {})
    transaction.on_commit(lambda: lockouts.account_reset(user.username))


def _name_free(user: User) -> None:
    """Names differ in more than capitals: `Budi` and `budi` are one person at the login's counter."""
    if User.objects.filter(username__iexact=user.username).exclude(pk=user.pk).exists():
        problem = _("A staff member with this name exists already.")
        raise DomainError("user.username_taken", problem, {"username": problem}, status=409)


def _checked(user: User) -> None:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        raise DomainError("user.invalid", " ".join(fields.values()), fields) from None

"""Rules every change of a staff member obeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed


def super_admin_required(actor: User | None) -> None:
    """Only a Super Admin changes staff. `actor` None is the command line of the server itself."""
    if actor is not None and not actor.is_superuser:
        raise DomainError("permission.denied", _("Only a Super Admin may change staff."), status=403)


def super_admin_or_self_required(user: User, actor: User | None) -> None:
    if actor is None or actor.pk != user.pk:
        super_admin_required(actor)


def last_super_admin_kept(user: User, *, stays: bool) -> None:
    """Refuse to take the last active Super Admin away. Locks all of them, so two changes cannot each spare one."""
    if stays:
        return
    supers = set(
        User.objects.select_for_update()
        .filter(role=Role.SUPER_ADMIN, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if user.pk in supers and len(supers) == 1:
        raise DomainError(
            "user.last_super_admin", _("This is the last Super Admin. Make somebody else one first."), status=409
        )


def staff_changed(action: str, user: User, actor: User | None, ip: str | None, details: Mapping[str, Any]) -> None:
    """Tell the activity log; inside the transaction of the change."""
    emit(
        StaffActed(
            user_id=actor.pk if actor else None,
            action=action,
            details={"user_id": user.pk, "username": user.username, **details},
            ip_address=ip,
        )
    )

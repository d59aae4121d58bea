"""Who may call what. Rows are scoped by `*_visible_to(user)`; this is only about actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView


def is_staff_member(user: object) -> bool:
    """A logged-in, active member of staff; nobody else has any business in this API."""
    return bool(
        getattr(user, "is_authenticated", False)
        and getattr(user, "is_active", False)
        and getattr(user, "is_staff", False)
    )


class StaffModelPermissions(BasePermission):
    """Staff whose role has the permission the view names for this action.

    `view.action_permissions` maps a view set's action, or a plain view's method in lower case, to
    `app.codename` or "" (any member of staff). An action that nobody mapped is a mistake of ours and raises,
    so that a new action cannot be open by accident.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not is_staff_member(request.user):
            return False
        needed = needed_permission(request, view)
        return needed == "" or request.user.has_perm(needed)


def needed_permission(request: Request, view: APIView) -> str:
    """The permission this request needs. Raises ImproperlyConfigured for an action nobody classified."""
    method = (request.method or "").lower().replace("head", "get")
    if not hasattr(view, method):
        return ""  # answered with 405 right after this check
    action = getattr(view, "action", None) or method
    table: dict[str, str] = getattr(view, "action_permissions", {})
    if action not in table:
        raise ImproperlyConfigured(f"{type(view).__name__}.{action} names no permission")
    return table[action]

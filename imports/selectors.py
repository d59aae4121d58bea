"""Reads of the import room."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.choices import Role
from accounts.models import User
from imports.models import ImportRun


def imports_visible_to(user: User) -> QuerySet[ImportRun]:
    """All for Super Admin and Admin; nobody else brings files."""
    rows = ImportRun.objects.select_related("location")
    return rows if user.is_superuser or user.role in {Role.SUPER_ADMIN, Role.ADMIN} else rows.none()

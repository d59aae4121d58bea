"""Reads about configuration backups. The text itself is left in the database unless somebody asks for it."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from locations.models import ConfigBackup, ConfigVersion
from locations.routeros.exports import Change, changes
from locations.selectors import locations_visible_to


def versions_visible_to(user: User) -> QuerySet[ConfigVersion]:
    """Versions at the locations this person may see, without their text."""
    return ConfigVersion.objects.filter(location__in=locations_visible_to(user).values("pk")).defer("packed")


def backups_visible_to(user: User) -> QuerySet[ConfigBackup]:
    return ConfigBackup.objects.filter(location__in=locations_visible_to(user).values("pk"))


def versions_open(user: User) -> QuerySet[ConfigVersion]:
    """Changes that others made and nobody here has looked at."""
    return versions_visible_to(user).filter(is_unexpected=True, acknowledged_at=None)


def backup_last(location_id: int) -> ConfigBackup | None:
    return ConfigBackup.objects.filter(location=location_id).order_by("-pk").first()


def version_before(version: ConfigVersion) -> ConfigVersion | None:
    rows = ConfigVersion.objects.filter(location=version.location_id, number__lt=version.number)
    return rows.order_by("-number").first()


def version_changes(old: ConfigVersion | None, new: ConfigVersion) -> list[Change]:
    """What differs, secrets masked; without an older one there is nothing to compare with."""
    return changes(old.lines, new.lines) if old is not None else []

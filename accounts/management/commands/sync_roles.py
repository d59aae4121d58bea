"""Write `accounts.roles` into groups. Safe to run at every start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import roles_sync


class Command(BaseCommand):
    help = "Make the groups of the roles equal to the permission table in accounts/roles.py."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = roles_sync()
        except LookupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Roles: {result.added} rights given, {result.removed} taken, {result.people} people moved.")

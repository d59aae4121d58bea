"""`migrate` as the database owner; afterwards the application role is granted what it needs, nothing more."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from core.db.grants import grant_application_role
from core.db.owner import as_owner


class Command(DjangoMigrate):
    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner(options["database"]):
            super().handle(*args, **options)
            if settings.DATABASE_OWNER:
                grant_application_role(connections[options["database"]], settings.DATABASE_APP_USER)

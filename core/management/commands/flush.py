"""Emptying all tables: only for test databases, as the owner, with the append-only guards proven before and after."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.flush import Command as DjangoFlush
from django.db import connection

from core.db.immutable import protected_tables
from core.db.owner import as_owner


class Command(DjangoFlush):
    def handle(self, **options: Any) -> None:
        if not str(connection.settings_dict["NAME"]).startswith("test_"):
            raise CommandError("flush deletes every row and is refused outside test databases.")
        guards = protected_tables()
        if not guards or not all(guards.values()):
            raise CommandError(f"append-only guards are missing or disabled: {guards}")
        with as_owner():
            self._switch_guards("DISABLE", guards)
            try:
                super().handle(**options)
            finally:
                self._switch_guards("ENABLE", guards)
        if protected_tables() != guards:
            raise CommandError("append-only guards did not come back after the flush")

    def _switch_guards(self, verb: str, guards: dict[str, bool]) -> None:
        with connection.cursor() as cursor:
            for table in guards:
                cursor.execute(f'ALTER TABLE "{table}" {verb} TRIGGER USER')

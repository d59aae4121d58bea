"""Emptying all tables: only for test databases, as the owner, with the append-only guards proven before and after.

Only tables that hold rows are truncated, and content types and permissions stay: a flush after each test that
commits is most of such a test's time otherwise.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.flush import Command as DjangoFlush
from django.db import connection
from psycopg import sql

from core.db.immutable import protected_tables, user_triggers
from core.db.owner import as_owner

KEPT = {"django_migrations", "django_content_type", "auth_permission"}


class Command(DjangoFlush):
    help = __doc__

    def handle(self, **options: Any) -> None:
        if not str(connection.settings_dict["NAME"]).startswith("test_"):
            raise CommandError("flush deletes every row and is refused outside test databases.")
        guards = protected_tables()
        triggers = user_triggers()
        if not guards or not all(guards.values()) or not all(triggers.values()):
            raise CommandError(f"guards are missing or disabled: {guards} {triggers}")
        filled = self._filled_tables()
        if filled:
            self._truncate(filled, guards)
        if protected_tables() != guards or user_triggers() != triggers:
            raise CommandError("guards did not come back after the flush")

    def _filled_tables(self) -> list[str]:
        tables = sorted(set(connection.introspection.table_names()) - KEPT)
        one = sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})")
        query = sql.SQL(" UNION ALL ").join(one.format(sql.Literal(name), sql.Identifier(name)) for name in tables)
        with connection.cursor() as cursor:
            cursor.execute(query)
            return [row[0] for row in cursor.fetchall()]

    def _truncate(self, tables: list[str], guards: dict[str, bool]) -> None:
        """CASCADE reaches tables that refer to these, so every guard steps aside, not only those of `tables`."""
        names = sql.SQL(", ").join(map(sql.Identifier, tables))
        with as_owner(), connection.cursor() as cursor:
            self._switch_guards(cursor, "DISABLE", guards)
            try:
                cursor.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
            finally:
                self._switch_guards(cursor, "ENABLE", guards)

    def _switch_guards(self, cursor: Any, verb: str, guards: dict[str, bool]) -> None:
        for table in guards:
            cursor.execute(sql.SQL("ALTER TABLE {} {} TRIGGER USER").format(sql.Identifier(table), sql.SQL(verb)))

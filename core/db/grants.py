"""What the application's database role may do: read and write rows. Not own, create, alter or truncate."""

from __future__ import annotations

from typing import Any

from psycopg import sql

GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "REVOKE CREATE ON SCHEMA public FROM {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "REVOKE TRUNCATE ON ALL TABLES IN SCHEMA public FROM {role}",
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
)


def grant_application_role(connection: Any, role: str) -> None:
    """(Re)apply the grants; `connection` is anything with `.cursor()`, connected as the owner. Idempotent."""
    with connection.cursor() as cursor:
        for statement in GRANTS:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)))

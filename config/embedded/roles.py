"""The two database roles: one owns and migrates, the application's may only read and write rows (DESIGN §3.4)."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from config.embedded import names


class RoleError(Exception):
    """The application's role is missing, or has a right it must not have; the message says what to do."""


def grant_application_role(connection: psycopg.Connection, role: str = names.APP_ROLE, *, schema: str = "public") -> None:
    """Give `role` exactly the rights of the application on the connected database, again and again if wanted.

    `connection` is logged in as the owner of the database's tables. Runs in one transaction; afterwards `role` may
    select, insert, update and delete rows and use sequences, also of tables the owner creates later, and may neither
    truncate nor create. Works on embedded, compose and own servers (PostgreSQL 14+). Raises RoleError when the role
    does not exist or keeps a right the owner cannot take from it.
    """
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        raise RoleError(f"The database role {role} does not exist. Create it first: CREATE ROLE {role} LOGIN PASSWORD '…'")
    words = {"app": sql.Identifier(role), "schema": sql.Identifier(schema)}
    statements: list[LiteralString] = [
        "REVOKE CREATE ON SCHEMA {schema} FROM {app}",
        "GRANT USAGE ON SCHEMA {schema} TO {app}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {app}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {app}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {app}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    ]
    with connection.transaction():
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**words))
    problems = application_role_problems(connection, role, schema=schema)
    if problems:
        raise RoleError(" ".join(problems))


def application_role_problems(
    connection: psycopg.Connection, role: str = names.APP_ROLE, *, schema: str = "public"
) -> list[str]:
    """Sentences about rights `role` has and must not have; empty when all is well. Any role may ask."""
    problems: list[str] = []
    row = connection.execute(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = %s", [role]
    ).fetchone()
    if row is None:
        return [f"The database role {role} does not exist."]
    if any(row):
        problems.append(f"{role} must not be a superuser, create databases or roles, or bypass row security.")
    can_create = connection.execute("SELECT has_schema_privilege(%s, %s, 'CREATE')", [role, schema]).fetchone()
    if can_create == (True,):
        problems.append(f"{role} may create tables. As a superuser: REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    owned = connection.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'S')"
        " AND (pg_has_role(%s, c.relowner, 'USAGE') OR (c.relkind IN ('r', 'p')"
        " AND has_table_privilege(%s, c.oid, 'TRUNCATE')))",
        [schema, role, role],
    ).fetchone()
    if owned is not None and owned[0]:
        problems.append(f"{role} owns or may truncate {owned[0]} tables; they must belong to the owner role.")
    return problems


def create_roles(connection: psycopg.Connection, *, owner_password: str, app_password: str) -> None:
    """Create both roles and the database on the embedded server, as its bootstrap role in autocommit. Idempotent.

    Passwords are sent as SCRAM verifiers, so they appear in no statement log.
    """
    for role, password, options in (
        (names.OWNER_ROLE, owner_password, "LOGIN CREATEDB"),
        (names.APP_ROLE, app_password, "LOGIN NOCREATEDB"),
    ):
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        verb = "ALTER" if known else "CREATE"
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("{} ROLE {} {} NOSUPERUSER NOCREATEROLE PASSWORD {}").format(
                sql.SQL(verb), sql.Identifier(role), sql.SQL(options), sql.Literal(verifier)
            )
        )
    # Dropping a test database needs the right to end the application's connections to it.
    connection.execute(sql.SQL("GRANT pg_signal_backend TO {}").format(sql.Identifier(names.OWNER_ROLE)))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [names.DATABASE]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(names.DATABASE), sql.Identifier(names.OWNER_ROLE)
            )
        )


def prepare_template(connection: psycopg.Connection) -> None:
    """Default rights in template1, so that every database the owner creates has them from the start."""
    words = {"owner": sql.Identifier(names.OWNER_ROLE), "app": sql.Identifier(names.APP_ROLE)}
    statements: list[LiteralString] = [
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
        "GRANT USAGE ON SCHEMA public TO {app}",
    ]
    with connection.transaction():
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**words))

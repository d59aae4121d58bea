"""Creates the two database roles: one owns and migrates, the application's only reads and writes rows
(DESIGN §3.4).

What the application's role may do is listed in `core.db.grants`; `manage.py migrate` applies it again.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from config.embedded import names

_DEFAULTS: list[LiteralString] = [
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    "GRANT USAGE ON SCHEMA public TO {app}",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
]


def create_roles(connection: psycopg.Connection, *, owner_password: str, app_password: str) -> None:
    """Create both roles and the database; idempotent.

    `connection` is the bootstrap role's, on template1, in autocommit. Rights on future tables of the owner
    are set in the template, so every database the owner creates (tests create many) has them from the
    start. Passwords are sent as SCRAM verifiers, so they appear in no statement log. Raises psycopg.Error.
    """
    _ensure_role(connection, names.OWNER_ROLE, owner_password, "CREATEDB")
    _ensure_role(connection, names.APP_ROLE, app_password, "NOCREATEDB")
    owner, app = sql.Identifier(names.OWNER_ROLE), sql.Identifier(names.APP_ROLE)
    # Dropping a test database needs the right to end the application's connections to it.
    connection.execute(sql.SQL("GRANT pg_signal_backend TO {}").format(owner))
    with connection.transaction():
        for statement in _DEFAULTS:
            connection.execute(sql.SQL(statement).format(owner=owner, app=app))
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [names.DATABASE]).fetchone()
    if known is None:
        database = sql.Identifier(names.DATABASE)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))


def _ensure_role(connection: psycopg.Connection, role: str, password: str, option: LiteralString) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    words = {"role": sql.Identifier(role), "verifier": sql.Literal(verifier)}
    verb: LiteralString = "ALTER" if known else "CREATE"
    statement: LiteralString = f"{verb} ROLE {{role}} LOGIN {option} NOSUPERUSER NOCREATEROLE PASSWORD {{verifier}}"
    connection.execute(sql.SQL(statement).format(**words))

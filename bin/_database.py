"""Backup and restore of the production database for `bin/upgrade`, with PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from config.embedded.binaries import wheel_programs
from config.env import Database, database_url

# libpq options that have an environment variable of their own (PostgreSQL documentation, 32.15).
_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "hostaddr", "channel_binding", "connect_timeout")


class DatabaseToolError(Exception):
    """A sentence about what failed."""


def connection_environment(database: Database) -> dict[str, str]:
    """PG* variables for the programs: a URL on the command line would show its password to every account."""
    values = {
        "PGHOST": database.host,
        "PGPORT": database.port,
        "PGUSER": database.user,
        "PGPASSWORD": database.password,
        "PGDATABASE": database.name,
    }
    values |= {f"PG{name.upper()}": database.options[name] for name in _OPTIONS if name in database.options}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return kept | {key: value for key, value in values.items() if value}


def connection_parameters(database: Database) -> dict[str, Any]:
    """The same for psycopg, with the TLS rules of settings instead of libpq's lax defaults."""
    values = {
        "host": database.host,
        "port": database.port,
        "user": database.user,
        "password": database.password,
        "dbname": database.name,
        "connect_timeout": "10",
    } | database.options
    return {key: value for key, value in values.items() if value}


class ProductionDatabase:
    """The database of DATABASE_OWNER_URL (or DATABASE_URL when one role does everything)."""

    def __init__(self, url: str) -> None:
        self.database = database_url(url)
        self._environment = connection_environment(self.database)
        with psycopg.connect(**connection_parameters(self.database)) as connection:
            self.server_version = connection.info.server_version
        self._programs = self._find_programs()

    def refuse_unless_owner(self) -> None:
        """Who owns not every table can neither migrate nor restore. Raises DatabaseToolError, before anything stops."""
        with psycopg.connect(**connection_parameters(self.database)) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND NOT pg_has_role(tableowner, 'USAGE')"
            ).fetchone()
        if row and row[0]:
            raise DatabaseToolError(
                f"The role {self.database.user} does not own the tables; set DATABASE_OWNER_URL to the role that does."
            )

    def _find_programs(self) -> Path:
        """pg_dump refuses a newer server; the same version restores without surprises, so it comes first."""
        major = self.server_version // 10_000
        folders = [Path(f"/usr/lib/postgresql/{major}/bin")]
        if on_path := shutil.which("pg_dump"):
            folders.append(Path(on_path).parent)
        if not self.database.is_remote:
            folders.append(wheel_programs())  # built without TLS, so never for another host
        for folder in folders:
            if (folder / "pg_dump").is_file() and self._major(folder) >= major:
                return folder
        raise DatabaseToolError(
            f"The server is PostgreSQL {major}; no pg_dump {major} or newer is here."
            f" On Debian or Ubuntu: apt-get install postgresql-client-{major}"
        )

    def _major(self, folder: Path) -> int:
        done = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[2].split(".")[0])

    def backup(self, file: Path) -> None:
        """Dump everything to `file` (0600) and prove that it can be read. Raises DatabaseToolError."""
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            self._run("pg_dump", "--format=custom", "--file", str(partial))
            contents = self._run("pg_restore", "--list", str(partial))
            if " TABLE " not in contents:
                raise DatabaseToolError("The backup holds no table.")
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)

    def restore(self, file: Path) -> None:
        """Put the database back to `file`, in one transaction: all of it or nothing. Raises DatabaseToolError.

        Everything the owner has is dropped first, so that tables of a half-done upgrade go too.
        """
        script = file.with_suffix(".sql")
        os.close(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        try:
            self._run("pg_restore", "--file", str(script), str(file))
            command = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
            self._run("psql", *command, "--command", "DROP OWNED BY CURRENT_USER", "--file", str(self._fitting(script)))
        finally:
            script.unlink(missing_ok=True)

    def _fitting(self, script: Path) -> Path:
        """Servers before 17 do not know one setting that newer programs write at the top of a script."""
        if self.server_version >= 170_000:
            return script
        kept = script.with_suffix(".kept")
        with script.open("rb") as source, kept.open("wb") as target:
            for number, line in enumerate(source):
                if number > 60 or line.strip() != b"SET transaction_timeout = 0;":
                    target.write(line)
        kept.chmod(0o600)
        kept.replace(script)
        return script

    def _run(self, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            [self._programs / program, *arguments], env=dict(env or self._environment), capture_output=True, text=True,
            check=False, start_new_session=True,  # Ctrl-C must not end a restore half way
        )  # fmt: skip
        if done.returncode != 0:
            raise DatabaseToolError(f"{program} failed: {done.stderr.strip()[-1000:]}")
        return done.stdout

"""Databases of the run's own, copied from one migrated template and dropped at the end: nobody's data is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

CLONE = Path(__file__).resolve().parents[2]
SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size", "work_mem",
    "random_page_cost", "autovacuum",
)  # fmt: skip


class Databases:
    """`with Databases() as databases: environment = databases.environment("push", base)`."""

    def __init__(self) -> None:
        self.urls = {key: os.environ[key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
        self._prefix = f"mb_bench_{os.getpid()}"
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._owner() as connection:
            for name in reversed(self._made):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def environment(self, purpose: str, base: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process that works on the database of this purpose, which is made on first use."""
        name = f"{self._prefix}_{purpose}"
        if name not in self._made:
            self._create(name, self._template(base))
        return self._variables(name, base)

    def server(self) -> str:
        """Version and the settings that decide about speed."""
        with self._owner() as connection:
            shows = [sql.SQL("SHOW {}").format(sql.Identifier(name)) for name in SETTINGS]
            values = [connection.execute(show).fetchone() for show in shows]
        return ", ".join(f"{name} {value[0]}" for name, value in zip(SETTINGS, values, strict=True) if value)

    def _template(self, base: Mapping[str, str]) -> str:
        name = f"{self._prefix}_template"
        if name not in self._made:
            self._create(name, "template1")
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"],
                cwd=CLONE, env=self._variables(name, base), check=True,
            )  # fmt: skip
        return name

    def _create(self, name: str, template: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._owner() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        self._made.append(name)

    def _variables(self, name: str, base: Mapping[str, str]) -> dict[str, str]:
        return {**base, **{key: _with_database(url, name) for key, url in self.urls.items()}}

    def _owner(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.urls["DATABASE_OWNER_URL"], autocommit=True)


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

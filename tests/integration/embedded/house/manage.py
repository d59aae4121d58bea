"""Stands in for the project's manage.py when only the demo's processes are tested: same commands, no Django."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

import psycopg

VAR = Path(os.environ["VAR_DIR"])


def migrate(_: list[str]) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS seeded (id bigserial PRIMARY KEY)")


def collectstatic(_: list[str]) -> None:
    (VAR / "static").mkdir(exist_ok=True)


def demo_seed(_: list[str]) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO seeded DEFAULT VALUES")
    password = VAR / "demo-admin-password"
    if not password.exists():
        password.write_text("made-for-this-test\n")
        password.chmod(0o600)


def demo_check(arguments: list[str]) -> None:
    with urllib.request.urlopen(arguments[1] + "/readyz") as answer:  # noqa: S310 - the demo's own address
        print(f"checked {answer.status}", flush=True)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM seeded").fetchone()
    print(f"seeded {row[0] if row else 0} times; owner known: {'DATABASE_OWNER_URL' in os.environ}", flush=True)
    sys.exit(int(os.environ.get("CHECK_CODE", "0")))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2:])

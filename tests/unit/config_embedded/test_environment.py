from __future__ import annotations

from pathlib import Path

from config.embedded.environment import (
    Databases,
    child_environment,
    remove_embedded_env,
    write_embedded_env,
)
from config.embedded.files import read_env

VAR = Path("/clone/var")
OURS = Databases("postgresql://app", "postgresql://owner", embedded=True)
THEIRS = Databases("postgresql://theirs", "postgresql://their-owner", embedded=False)
BASE = {
    "PATH": "/bin",
    "PGHOST": "elsewhere",
    "MB_RUN_ID": "old",
    "SESSION_SECRET": "theirs",
    "DATABASE_OWNER_URL": "postgresql://stale",
}
SECRETS = {"SESSION_SECRET": "made", "JWT_SECRET": "made too"}
URL = "http://127.0.0.1:8000"


def test_the_embedded_mode_decides_everything_itself() -> None:
    env = child_environment(BASE, var=VAR, databases=OURS, secrets=SECRETS, url=URL)
    assert env == {
        "PATH": "/bin",
        "SESSION_SECRET": "made",
        "JWT_SECRET": "made too",
        "DATABASE_URL": "postgresql://app",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "VAR_DIR": "/clone/var",
        "LOG_DIR": "/clone/var/log",
        "DEMO_MODE": "true",
        "PUBLIC_URL": URL,
    }
    assert BASE["PGHOST"] == "elsewhere"


def test_only_setup_gets_the_owner() -> None:
    env = child_environment(BASE, var=VAR, databases=OURS, secrets=SECRETS, url=URL, as_owner=True)
    assert env["DATABASE_OWNER_URL"] == "postgresql://owner"


def test_an_own_server_keeps_the_callers_values() -> None:
    env = child_environment(BASE, var=VAR, databases=THEIRS, secrets=SECRETS, url=URL)
    assert (env["DATABASE_URL"], env["SESSION_SECRET"], env["JWT_SECRET"]) == (
        "postgresql://theirs",
        "theirs",
        "made too",
    )
    assert env["PGHOST"] == "elsewhere"
    assert "DATABASE_OWNER_URL" not in env


def test_other_terminals_find_the_running_server_until_it_stops(tmp_path: Path) -> None:
    write_embedded_env(tmp_path, OURS, url=URL)
    assert read_env(tmp_path / "embedded.env") == {
        "MB_MODE": "embedded",
        "DATABASE_URL": "postgresql://app",
        "DATABASE_OWNER_URL": "postgresql://owner",
        "DEMO_MODE": "true",
        "PUBLIC_URL": URL,
    }
    assert (tmp_path / "embedded.env").stat().st_mode & 0o777 == 0o600
    remove_embedded_env(tmp_path)
    remove_embedded_env(tmp_path)
    assert list(tmp_path.iterdir()) == []

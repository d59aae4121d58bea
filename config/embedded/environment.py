"""The environment every process of the embedded mode gets, made in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.embedded.files import write_env

_HEADING = "Written while the embedded PostgreSQL runs, so that manage.py finds it from another terminal."
_FOREIGN_PREFIXES = ("PG", "MB_")
_SETTINGS = "config.settings"


@dataclass(frozen=True)
class Databases:
    """URLs of the two roles; `owner` may be empty when one role does everything (an own small server)."""

    app: str
    owner: str
    embedded: bool


def child_environment(
    base: Mapping[str, str],
    *,
    var: Path,
    databases: Databases,
    secrets: Mapping[str, str],
    url: str,
    as_owner: bool = False,
) -> dict[str, str]:
    """Environment of one child: the caller's, without what would mislead it, with what the mode decides.

    Only setup commands (`as_owner`) get the owner's URL: web and workers cannot leak what they never had.
    With the embedded server `secrets` win over the caller's variables, with an own server the caller's win.
    """
    env = dict(base)
    if databases.embedded:
        env = {key: value for key, value in env.items() if not key.startswith(_FOREIGN_PREFIXES)}
        env |= secrets
    else:
        env = {**secrets, **env}
    env.pop("DATABASE_OWNER_URL", None)
    env["DATABASE_URL"] = databases.app
    if as_owner and databases.owner:
        env["DATABASE_OWNER_URL"] = databases.owner
    env |= {
        "DJANGO_SETTINGS_MODULE": _SETTINGS,
        "PYTHONUNBUFFERED": "1",
        "VAR_DIR": str(var),
        "LOG_DIR": str(var / "log"),
        "DEMO_MODE": "true",
        "PUBLIC_URL": url,
    }
    return env


def embedded_env_path(var: Path) -> Path:
    return var / "embedded.env"


def write_embedded_env(var: Path, databases: Databases, *, url: str) -> None:
    """Tell other terminals how to reach the running server (0600)."""
    values = {
        "MB_MODE": "embedded",
        "DATABASE_URL": databases.app,
        "DATABASE_OWNER_URL": databases.owner,
        "DEMO_MODE": "true",
        "PUBLIC_URL": url,
    }
    write_env(embedded_env_path(var), values, heading=_HEADING)


def remove_embedded_env(var: Path) -> None:
    embedded_env_path(var).unlink(missing_ok=True)

"""Rules about secrets, and about variables that must fit together. Each answers with a sentence, or with nothing.

The sentences name variables and say what to set; no value of a secret is ever part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from config.env import Database

EXAMPLES = {"pass", "password", "secret", "changeme", "change-me", "your-secret-key", "your-session-secret", "…"}
MAKE = "e.g. from `openssl rand -base64 48`"
FEWEST_CHARACTERS = 8  # different ones; 32 characters of hex have fewer once in ten million times
_ROLES = {"DATABASE_URL", "DATABASE_OWNER_URL"}
_PLACE = ("host", "port", "database")


def is_example(value: str) -> bool:
    """Whether documentation, ours or somebody else's, shows this value."""
    return value.lower() in EXAMPLES or value.lower().startswith("your-")


def is_repeated(value: str) -> bool:
    return len(value) > 1 and len(set(value)) == 1


def secret_problem(value: str) -> str:
    """Why this may not sign or encrypt anything."""
    if is_example(value) or "change" in value.lower():
        return f"is an example value; set your own, {MAKE}"
    if len(value) < 32:
        return f"is too short: at least 32 characters, {MAKE}"
    if len(set(value)) < FEWEST_CHARACTERS:
        return f"repeats a few characters, which can be guessed; set your own, {MAKE}"
    return ""


def password_problem(value: str) -> str:
    """The same for a password, which may be short: somebody else may have chosen it."""
    if is_example(value):
        return "an example password"
    return "one character repeated as a password" if is_repeated(value) else ""


def values_problem(values: Mapping[str, Any]) -> str:
    """What does not fit together among the values of `config.env.read`."""
    owner = values["DATABASE_OWNER_URL"]
    return (
        _equal_secrets(values)
        or (owner_problem(values["DATABASE_URL"], owner) if owner else "")
        or (_first_location_problem(values) if values["MIKROTIK_HOST"] else "")
    )


def owner_problem(app: Database, owner: Database) -> str:
    """`migrate` logs in where DATABASE_URL leads, `bin/upgrade` dumps where DATABASE_OWNER_URL leads: one place only."""
    wrong = [part for part, here, there in zip(_PLACE, _place(app), _place(owner), strict=True) if here != there]
    if not wrong:
        return ""
    return (
        f"DATABASE_OWNER_URL leads to another {' and '.join(wrong)} than DATABASE_URL;"
        " write host, port and database alike in both, only user and password differ"
    )


def _first_location_problem(values: Mapping[str, Any]) -> str:
    from locations.routeros.addresses import is_localhost

    if not values["MIKROTIK_PASSWORD"]:
        return (
            "MIKROTIK_PASSWORD is not set, but MIKROTIK_HOST is;"
            " set the password of the router's API user, or take MIKROTIK_HOST out"
        )
    if is_localhost(values["MIKROTIK_HOST"]) and not (values["DEMO_MODE"] or values["MIKROTIK_ALLOW_LOOPBACK"]):
        return (
            "MIKROTIK_HOST is this server itself; set the router's address,"
            " or MIKROTIK_ALLOW_LOOPBACK=true for a tunnel that ends here"
        )
    return ""


def _place(url: Database) -> tuple[tuple[str, str], str, str]:
    return (url.host.lower(), url.options.get("hostaddr", "")), url.port or "5432", url.name


def secrets_named(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(variable, secret) of everything that is set, also inside URLs."""
    found = [(name, values[name]) for name in ("JWT_SECRET", "SESSION_SECRET", "MIKROTIK_PASSWORD")]
    found += [("FIELD_ENCRYPTION_KEYS", key) for key in values["FIELD_ENCRYPTION_KEYS"]]
    found += [(name, values[name].password) for name in sorted(_ROLES) if values[name] is not None]
    found.append(("REDIS_URL", unquote(urlsplit(values["REDIS_URL"]).password or "")))
    return [(name, secret) for name, secret in found if secret]


def _equal_secrets(values: Mapping[str, Any]) -> str:
    """One secret in two places: who learns it in one has the other. The two database URLs may be one role's."""
    for (name, secret), (other, same) in combinations(secrets_named(values), 2):
        if secret != same or ({name, other} == _ROLES and values[name].user == values[other].user):
            continue
        if name == other:
            return f"{name} holds the same key twice; write each once"
        return f"{other} holds the same secret as {name}; set each to one of its own, {MAKE}"
    return ""

"""Secrets and variables that must fit together."""

from __future__ import annotations

import pytest

from config.env import EnvError, read

from .environment import COMPLETE, KEY, OLD_KEY, SECRET, settings_with

PASSWORD = "pw-of-two-places"
PAIRS = [
    (
        {"SESSION_SECRET": SECRET + "j"},
        "SESSION_SECRET holds the same secret as JWT_SECRET; set each to one of its own,",
    ),
    ({"JWT_SECRET": KEY}, "FIELD_ENCRYPTION_KEYS holds the same secret as JWT_SECRET;"),
    ({"MIKROTIK_PASSWORD": SECRET + "s"}, "MIKROTIK_PASSWORD holds the same secret as SESSION_SECRET;"),
    ({"FIELD_ENCRYPTION_KEYS": f"{KEY},{OLD_KEY},{KEY}"}, "FIELD_ENCRYPTION_KEYS holds the same key twice; write each"),
    (
        {"DATABASE_URL": f"postgresql://app:{PASSWORD}@/mb", "DATABASE_OWNER_URL": f"postgresql://own:{PASSWORD}@/mb"},
        "DATABASE_URL holds the same secret as DATABASE_OWNER_URL;",
    ),
    (
        {"DATABASE_URL": f"postgresql://app:{PASSWORD}@/mb", "REDIS_URL": f"redis://:{PASSWORD}@localhost/0"},
        "REDIS_URL holds the same secret as DATABASE_URL;",
    ),
]


@pytest.mark.parametrize(("changes", "words"), PAIRS)
def test_one_secret_in_two_places_is_refused_without_showing_it(changes: dict[str, str], words: str) -> None:
    with pytest.raises(EnvError) as refusal:
        read({**COMPLETE, **changes})
    sentence = str(refusal.value)
    assert sentence.startswith(words)
    assert sentence.endswith(".")
    assert not [secret for secret in (SECRET, KEY, OLD_KEY, PASSWORD) if secret in sentence]


ROUTER = {"MIKROTIK_HOST": "192.168.88.1", "MIKROTIK_PASSWORD": "pw-router-1"}


def test_a_first_location_needs_its_password() -> None:
    assert read({**COMPLETE, **ROUTER})["MIKROTIK_HOST"] == "192.168.88.1"
    with pytest.raises(EnvError, match=r"^MIKROTIK_PASSWORD is not set, but MIKROTIK_HOST is; set .*\.$"):
        read({**COMPLETE, **ROUTER, "MIKROTIK_PASSWORD": ""})


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "127.0.0.1", "127.1", "2130706433", "[::1]"])
def test_the_first_location_is_not_this_server_unless_somebody_says_so(host: str) -> None:
    environ = {**COMPLETE, **ROUTER, "MIKROTIK_HOST": host}
    with pytest.raises(EnvError, match=r"^MIKROTIK_HOST is this server itself; set .*MIKROTIK_ALLOW_LOOPBACK=true"):
        read(environ)
    for name in ("MIKROTIK_ALLOW_LOOPBACK", "DEMO_MODE"):
        assert read({**environ, name: "true"})["MIKROTIK_HOST"] == host


@pytest.mark.parametrize(
    ("app", "owner"),
    [
        ("postgresql://app:pw1@localhost/mb", "postgresql://own:pw2@localhost:5432/mb"),
        ("postgresql://app:pw1@/mb?host=/run/postgresql&port=5433", "postgresql://own:pw2@%2Frun%2Fpostgresql:5433/mb"),
        (
            "postgresql://app:pw1@db.example.net/mb",
            "postgresql://own:pw2@db.example.net/mb?sslmode=verify-ca&sslrootcert=/ca.crt",
        ),
    ],
)
def test_one_place_may_be_spelled_differently(app: str, owner: str) -> None:
    found = read({**COMPLETE, "DATABASE_URL": app, "DATABASE_OWNER_URL": owner})
    assert found["DATABASE_OWNER_URL"].password == "pw2"


def test_both_links_to_the_database_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    far = "@db.example.net/mb?sslmode="
    both = {
        "DATABASE_URL": f"postgresql://app:pw1{far}verify-full", "DATABASE_OWNER_URL": f"postgresql://own:pw2{far}require",
    }  # fmt: skip
    seen = settings_with(monkeypatch, **both)["DATABASE_SSLMODES"]
    assert seen == {"DATABASE_URL": "verify-full", "DATABASE_OWNER_URL": "require"}
    assert settings_with(monkeypatch)["DATABASE_SSLMODES"] == {}


def test_one_role_may_own_the_tables_and_serve() -> None:
    url = f"postgresql://one:{PASSWORD}@/mb"
    assert read({**COMPLETE, "DATABASE_URL": url, "DATABASE_OWNER_URL": url})["DATABASE_OWNER_URL"].user == "one"

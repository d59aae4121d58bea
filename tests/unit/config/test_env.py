"""Every variable takes effect, and a bad one stops the start with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config import env as env_module
from config.env import REQUIRED, VARS, EnvError, database_url, read, secret_values
from config.env_example import env_example

from .environment import COMPLETE, KEY, OLD_KEY, ROOT, SECRET, settings_with

Effect = Callable[[Mapping[str, Any]], Any]

# variable -> (text set, where it is seen in the settings, what is seen there)
EFFECTS: dict[str, tuple[str, Effect, Any]] = {
    "DATABASE_URL": (
        "postgresql://app:p%40w@localhost:5433/mb", lambda s: [s["DATABASES"]["default"][k] for k in
        ("NAME", "USER", "PASSWORD", "HOST", "PORT")], ["mb", "app", "p@w", "localhost", "5433"],
    ),
    "DATABASE_OWNER_URL": (
        "postgresql://own:pw@localhost:5433/mb", lambda s: s["DATABASE_OWNER"], {"USER": "own", "PASSWORD": "pw"},
    ),
    "DATABASE_POOL_MAX": ("7", lambda s: s["DATABASES"]["default"]["OPTIONS"]["pool"]["max_size"], 7),
    "REDIS_URL": (
        "redis://localhost:6399/1",
        lambda s: (s["CELERY_BROKER_URL"], s["CACHES"]["default"]["LOCATION"], s["SESSION_ENGINE"]),
        ("redis://localhost:6399/1", "redis://localhost:6399/1", "django.contrib.sessions.backends.cache"),
    ),
    "JWT_SECRET": (SECRET + "x", lambda s: s["SIMPLE_JWT"]["SIGNING_KEY"], SECRET + "x"),
    "SESSION_SECRET": (SECRET + "y", lambda s: s["SECRET_KEY"], SECRET + "y"),
    "FIELD_ENCRYPTION_KEYS": (f"{KEY}, {OLD_KEY}", lambda s: s["FIELD_ENCRYPTION_KEYS"], [KEY, OLD_KEY]),
    "ALLOWED_HOSTS": ("a.example.net, b.example.net", lambda s: s["ALLOWED_HOSTS"], ["a.example.net", "b.example.net"]),
    "PUBLIC_URL": (
        "https://a.example.net/",
        lambda s: (s["PUBLIC_URL"], s["SESSION_COOKIE_SECURE"], s["SECURE_HSTS_SECONDS"] > 0, s["CSRF_TRUSTED_ORIGINS"]),
        ("https://a.example.net", True, True, ["https://a.example.net"]),
    ),
    "TRUSTED_PROXIES": (
        "2", lambda s: (s["TRUSTED_PROXIES"], s["REST_FRAMEWORK"]["NUM_PROXIES"], s["SECURE_PROXY_SSL_HEADER"]),
        (2, 2, ("HTTP_X_FORWARDED_PROTO", "https")),
    ),
    "RATE_LIMIT_WINDOW": ("60000", lambda s: s["API_RATE_WINDOW_SECONDS"], 60),
    "RATE_LIMIT_MAX": ("5", lambda s: s["API_RATE_MAX"], 5),
    "MIKROTIK_HOST": ("192.0.2.1", lambda s: s["FIRST_LOCATION"]["HOST"], "192.0.2.1"),
    "MIKROTIK_PORT": ("8729", lambda s: s["FIRST_LOCATION"]["PORT"], 8729),
    "MIKROTIK_USERNAME": ("api", lambda s: s["FIRST_LOCATION"]["USERNAME"], "api"),
    "MIKROTIK_PASSWORD": ("pw", lambda s: s["FIRST_LOCATION"]["PASSWORD"], "pw"),
    "MIKROTIK_TIMEOUT": ("5000", lambda s: s["ROUTER_TIMEOUT_SECONDS"], 5),
    "WHATSAPP_WEB_HOOK_URL": ("https://a.example.net/w", lambda s: s["WHATSAPP_WEB_HOOK_URL"], "https://a.example.net/w"),
    "WHATSAPP_SESSION_TIMEOUT": ("60000", lambda s: s["WHATSAPP_SESSION_TIMEOUT_SECONDS"], 60),
    "BACKUP_STORAGE_PATH": ("/srv/b", lambda s: s["BACKUP_STORAGE_PATH"], Path("/srv/b")),
    "SFTP_HOST": ("b.example.net", lambda s: s["FIRST_SFTP_STORAGE"]["HOST"], "b.example.net"),
    "SFTP_PORT": ("2222", lambda s: s["FIRST_SFTP_STORAGE"]["PORT"], 2222),
    "SFTP_USERNAME": ("u", lambda s: s["FIRST_SFTP_STORAGE"]["USERNAME"], "u"),
    "SFTP_PRIVATE_KEY_PATH": ("/k", lambda s: s["FIRST_SFTP_STORAGE"]["PRIVATE_KEY_PATH"], Path("/k")),
    "CURRENCY": ("USD", lambda s: s["CURRENCY"], "USD"),
    "PHONE_REGION": ("MY", lambda s: s["PHONE_REGION"], "MY"),
    "TIME_ZONE": ("Asia/Makassar", lambda s: s["TIME_ZONE"], "Asia/Makassar"),
    "LANGUAGE_CODE": ("en", lambda s: s["LANGUAGE_CODE"], "en"),
    "LOG_LEVEL": ("DEBUG", lambda s: s["LOGGING"]["root"]["level"], "DEBUG"),
    "LOG_DIR": ("/srv/log", lambda s: s["LOGGING"]["handlers"]["file"]["folder"], "/srv/log"),
    "METRICS_PORT": ("9100", lambda s: s["METRICS_PORT"], 9100),
    "METRICS_HOST": ("web-metrics", lambda s: s["METRICS_HOST"], "web-metrics"),
    "SENTRY_DSN": ("https://k@sentry.example.net/1", lambda s: s["SENTRY_DSN"], "https://k@sentry.example.net/1"),
    "VAR_DIR": ("/srv/var", lambda s: (s["VAR_DIR"], s["STATIC_ROOT"]), (Path("/srv/var"), Path("/srv/var/static"))),
    "DEMO_MODE": ("true", lambda s: s["DEMO_MODE"], True),
    "MIKROTIK_CA_FILE": ("/etc/ca.pem", lambda s: s["ROUTER_CA_FILE"], "/etc/ca.pem"),
    "MIKROTIK_ALLOW_LOOPBACK": ("true", lambda s: s["ROUTER_LOOPBACK_ALLOWED"], True),
    "KICKS_ENABLED": ("false", lambda s: s["KICKS_ENABLED"], False),
}  # fmt: skip


def test_every_variable_has_a_line_here() -> None:
    assert sorted(EFFECTS) == sorted(var.name for var in VARS)


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_each_variable_takes_effect(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, effect, seen = EFFECTS[name]
    if name not in REQUIRED:
        try:
            default = effect(settings_with(monkeypatch))
        except KeyError:
            default = None
        assert default != seen, "the value must differ from the default, or the test proves nothing"
    also = {"MIKROTIK_PASSWORD": "pw-router-1"} if name == "MIKROTIK_HOST" else {}
    assert effect(settings_with(monkeypatch, **also, **{name: text})) == seen


def test_an_api_token_is_signed_with_the_jwt_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_with(monkeypatch)
    assert (found["SIMPLE_JWT"]["SIGNING_KEY"], found["SIMPLE_JWT"]["REFRESH_TOKEN_LIFETIME"]) == (
        COMPLETE["JWT_SECRET"], timedelta(days=30),
    )  # fmt: skip


# --- bad values -------------------------------------------------------------------------------------------------------

BAD = [
    ("DATABASE_URL", "mysql://u:p@h/d", "postgresql://"),
    ("DATABASE_URL", "postgresql://u:p@h", "name the database"),
    ("DATABASE_URL", "postgresql://u:p@h/d?sslmode=maybe", "sslmode"),
    *(
        (name, f"postgresql://u:p@db.example.net/d?sslmode={mode}", f"has sslmode={mode}, which sends passwords")
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
        for mode in ("disable", "allow", "prefer")
    ),
    ("DATABASE_OWNER_URL", "postgresql://own:pw@db.example.net:5433/mb", "leads to another host than DATABASE_URL;"),
    ("DATABASE_OWNER_URL", "postgresql://own:pw@localhost:5433/mb?hostaddr=127.0.0.1", "another host than"),
    ("DATABASE_OWNER_URL", "postgresql://own:pw@localhost/mb", "leads to another port than DATABASE_URL;"),
    ("DATABASE_OWNER_URL", "postgresql://own:pw@localhost:5433/old", "leads to another database than DATABASE_URL;"),
    ("DATABASE_OWNER_URL", "postgresql://own:pw@/old", "another host and port and database than DATABASE_URL; write"),
    ("DATABASE_URL", "postgresql://u:p@h:port/d", "port"),
    ("DATABASE_URL", "postgresql://u:p@[::1/d", "brackets"),
    ("REDIS_URL", "rediss://[::1/0", "brackets"),
    ("DATABASE_POOL_MAX", "many", "whole number"),
    ("DATABASE_POOL_MAX", "-1", "between 0 and 500"),
    ("REDIS_URL", "redis://redis.example.net:6379/0", "rediss://"),
    ("REDIS_URL", "http://x", "rediss://"),
    ("REDIS_URL", "rediss://h/0?ssl_cert_reqs=none", "check of the certificate"),
    ("REDIS_URL", "rediss://h/0?ssl_check_hostname=false", "check of the certificate"),
    ("DATABASE_URL", "postgresql://u:p@/d?service=far", "must not name a service"),
    ("JWT_SECRET", "your-secret-key", "example value"),
    ("JWT_SECRET", "change-me-change-me-change-me-change-me", "example value"),
    ("JWT_SECRET", "abc-123", "too short"),
    ("JWT_SECRET", "z" * 40, "repeats a few characters"),
    ("SESSION_SECRET", "01" * 20, "repeats a few characters"),
    ("FIELD_ENCRYPTION_KEYS", urlsafe_b64encode(b"k" * 32).decode(), "one repeated character"),
    ("DATABASE_URL", "postgresql://user:pass@localhost:5432/mikrotik_billing", "an example password; give"),
    ("DATABASE_URL", "postgresql://u:Password@/d?host=/run/postgresql", "an example password; give"),
    ("DATABASE_URL", "postgresql://u:zzzz@localhost/d", "one character repeated as a password; give"),
    ("DATABASE_OWNER_URL", "postgresql://mb_owner:…@localhost:5433/mb", "an example password; give"),
    ("REDIS_URL", "redis://:changeme@localhost/0", "an example password; give Redis"),
    ("MIKROTIK_PASSWORD", "password", "an example password; give"),
    ("MIKROTIK_PASSWORD", "zzzzzz", "one character repeated as a password; give"),
    ("SESSION_SECRET", "your-session-secret", "example value"),
    ("FIELD_ENCRYPTION_KEYS", "nokey", "make_key"),
    ("FIELD_ENCRYPTION_KEYS", " , ", "make_key"),
    ("PUBLIC_URL", "billing.example.net", "http"),
    ("PUBLIC_URL", "ftp://billing.example.net", "http"),
    ("TRUSTED_PROXIES", "9", "between 0 and 5"),
    ("RATE_LIMIT_WINDOW", "1", "between 1000"),
    ("MIKROTIK_PORT", "0", "between 1 and 65535"),
    ("MIKROTIK_HOST", "http://192.168.88.1", "without http:// and without a port"),
    ("MIKROTIK_HOST", "192.168.88.1:8728", "without http:// and without a port"),
    ("MIKROTIK_HOST", "two words", "without http:// and without a port"),
    ("MIKROTIK_HOST", "r" * 256, "without http:// and without a port"),
    ("MIKROTIK_HOST", "0.0.0.0", "cannot be the address of a router"),
    ("MIKROTIK_HOST", "169.254.169.254", "cannot be the address of a router"),
    ("MIKROTIK_HOST", "2852039166", "cannot be the address of a router"),  # the same as one number
    ("MIKROTIK_HOST", "[ff02::1]", "cannot be the address of a router"),
    ("METRICS_HOST", "0.0.0.0", "must be one address or name of this machine"),
    ("METRICS_HOST", "0", "must be one address or name of this machine"),
    ("METRICS_HOST", "[::]", "must be one address or name of this machine"),
    ("METRICS_HOST", "*", "must be one address or name of this machine"),
    ("METRICS_HOST", "127.0.0.1:9464", "must be one address or name of this machine"),
    ("MIKROTIK_USERNAME", "u" * 65, "at most 64 characters"),
    ("MIKROTIK_TIMEOUT", "30s", "whole number"),
    ("SFTP_PORT", "70000", "between 1 and 65535"),
    ("CURRENCY", "rupiah", "three capital letters"),
    ("PHONE_REGION", "indonesia", "two capital letters"),
    ("TIME_ZONE", "Jakarta", "time zone"),
    ("TIME_ZONE", "../etc/passwd", "time zone"),
    ("LANGUAGE_CODE", "fr", "one of id, en"),
    ("LOG_LEVEL", "LOUD", "one of DEBUG"),
    ("DEMO_MODE", "maybe", "true or false"),
    ("KICKS_ENABLED", "2", "true or false"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_a_bad_value_is_a_sentence_that_names_it_and_not_its_secret(name: str, value: str, words: str) -> None:
    with pytest.raises(EnvError) as refusal:
        read({**COMPLETE, name: value})
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name} ")
    assert words in sentence
    assert sentence.endswith(".")
    if "SECRET" in name or "KEYS" in name:
        assert value not in sentence


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_asked_for(name: str) -> None:
    with pytest.raises(EnvError, match=f"^{name} is not set"):
        read({key: value for key, value in COMPLETE.items() if key != name})


def test_nothing_else_is_required() -> None:
    assert read(COMPLETE)["MIKROTIK_PORT"] == 8728


def manage_check(**changes: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "VAR_DIR": "/nonexistent", **COMPLETE, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("JWT_SECRET", "your-secret-key", "example value"), ("DATABASE_URL", "sqlite:///x", "postgresql://")],
)
def test_the_start_ends_with_the_sentence_and_no_traceback(name: str, value: str, words: str) -> None:
    done = manage_check(**{name: value})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"Configuration: {name} ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text(SECRET + "file\n")
    without = {key: value for key, value in COMPLETE.items() if key != "JWT_SECRET"}
    assert read({**without, "JWT_SECRET_FILE": str(file)})["JWT_SECRET"] == SECRET + "file"
    with pytest.raises(EnvError, match="JWT_SECRET_FILE cannot be read"):
        read({**without, "JWT_SECRET_FILE": str(tmp_path / "missing")})


def test_what_a_demo_left_counts_only_when_nothing_else_names_a_database(tmp_path: Path) -> None:
    """Otherwise its owner's URL would stand beside a database of yours."""
    left = tmp_path / "var"
    left.mkdir()
    (left / "secrets.env").write_text("JWT_SECRET=made\n")
    (left / "embedded.env").write_text("DATABASE_URL=theirs\nDATABASE_OWNER_URL=owner\n")
    demo = {"JWT_SECRET": "made", "DATABASE_URL": "theirs", "DATABASE_OWNER_URL": "owner"}
    assert env_module.layers(tmp_path, {"LOG_LEVEL": "INFO"}) == {**demo, "LOG_LEVEL": "INFO"}
    assert env_module.layers(tmp_path, {"DATABASE_URL": "mine"}) == {"DATABASE_URL": "mine"}
    (tmp_path / ".env").write_text("DATABASE_URL_FILE=/run/url\nLOG_LEVEL=DEBUG\n")
    assert env_module.layers(tmp_path, {"LOG_LEVEL": "INFO"}) == {"DATABASE_URL_FILE": "/run/url", "LOG_LEVEL": "INFO"}
    left.rename(tmp_path / "elsewhere")
    (tmp_path / ".env").write_text("VAR_DIR=elsewhere\n")
    assert env_module.layers(tmp_path, {}) == {**demo, "VAR_DIR": "elsewhere"}


def test_env_example_is_fresh_and_complete() -> None:
    call_command("env_example", "--check")
    lines = (ROOT / ".env.example").read_text().splitlines()
    for var in VARS:
        assert len([line for line in lines if line.removeprefix("#").startswith(f"{var.name}=")]) == 1
        assert len([line for line in lines if line.startswith(f"# {var.help}")]) == 1


def test_a_stale_env_example_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.management.commands.env_example.env_example", lambda: "other")
    with pytest.raises(CommandError, match="stale"):
        call_command("env_example", "--check")


def test_the_example_asks_for_everything_and_brings_no_secret(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(env_example())
    found = env_module.read_file(file)
    assert found == dict.fromkeys(REQUIRED, "")
    with pytest.raises(EnvError, match="is not set"):
        read(found)


def test_optional_lines_of_the_example_are_valid_when_uncommented() -> None:
    lines = [line[1:] for line in env_example().splitlines() if line.startswith("#") and not line.startswith("# ")]
    optional = dict(line.split("=", 1) for line in lines)
    assert set(optional) == {var.name for var in VARS} - set(REQUIRED)
    passwords = {name: value.replace("…", f"made-for-{name}") for name, value in optional.items()}
    needed = {
        "DATABASE_URL": "postgresql://app:pw-app-123@localhost/mikrotik_billing",
        "MIKROTIK_PASSWORD": "pw-router-1",
    }
    read({**COMPLETE, **passwords, **needed})
    with pytest.raises(EnvError, match=r"^DATABASE_OWNER_URL holds an example password"):
        read({**optional, **COMPLETE})


# --- the database's address -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql://u:p@localhost/d", {}),
        ("postgresql://u:p@127.0.0.1/d", {}),
        ("postgresql://u:p@/d?host=/run/postgresql", {}),
        ("postgresql://u:p@db.example.net/d?sslmode=require", {"sslmode": "require"}),
        (
            "postgresql://u:p@db.example.net/d?sslrootcert=/ca.crt",
            {"sslmode": "verify-full", "sslrootcert": "/ca.crt"},
        ),
    ],
)
def test_tls_to_another_host_is_the_default_and_lower_only_when_asked(url: str, options: dict[str, str]) -> None:
    assert database_url(url).options == options


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@/d?hostaddr=203.0.113.5", "postgresql://u:p@localhost/d?hostaddr=203.0.113.5"]
)
def test_an_address_beside_the_name_is_another_host_too(url: str) -> None:
    """libpq dials `hostaddr` and only checks the certificate against `host`."""
    database = database_url(url)
    assert database.is_remote
    assert database.options["sslmode"] == "verify-full"


def test_redis_over_tls_is_always_checked() -> None:
    assert env_module.redis_url("rediss://:p%40w@h:6380/1") == "rediss://:p%40w@h:6380/1?ssl_cert_reqs=required"
    url = "rediss://h/0?ssl_ca_certs=%2Fetc%2Fca.pem&ssl_cert_reqs=required"
    assert env_module.redis_url("rediss://h/0?ssl_ca_certs=/etc/ca.pem") == url
    assert env_module.redis_url("unix:///run/redis.sock") == "unix:///run/redis.sock"


def test_a_plain_remote_address_is_verified_against_the_systems_authorities() -> None:
    options = database_url("postgresql://u:p@db.example.net/d").options
    assert options["sslmode"] == "verify-full"
    assert options["sslrootcert"] == "system" or Path(options["sslrootcert"]).is_file()


def test_the_secrets_among_the_values_are_known_to_the_scrubber() -> None:
    values = read({**COMPLETE, "REDIS_URL": "rediss://:pw-redis-1@h/0", "MIKROTIK_PASSWORD": "pw-router-1"})
    assert {"pw-app-123", "pw-redis-1", "pw-router-1", KEY, SECRET + "j", SECRET + "s"} <= set(secret_values(values))

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from config import checks

ROOT = Path(__file__).resolve().parents[3]


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_debug(settings: LazySettings) -> None:
    assert checks.debug_is_off() == []
    settings.DEBUG = True
    assert ids(checks.debug_is_off()) == ["config.E001"]


@pytest.mark.parametrize(
    ("url", "hosts", "found"),
    [
        ("http://localhost:8000", ["localhost", "127.0.0.1", "[::1]"], []),
        ("http://127.0.0.1:8000", ["app.localhost"], []),
        ("http://192.168.1.5:8000", ["localhost"], ["config.E002"]),
        ("https://billing.example.net", ["localhost"], ["config.E002"]),
        ("http://localhost:8000", ["billing.example.net"], ["config.E002"]),
        ("http://localhost:8000", ["*"], ["config.E002"]),
    ],
)
def test_the_demo_answers_only_this_machine(
    settings: LazySettings, url: str, hosts: list[str], found: list[str]
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = url, hosts
    settings.DEMO_MODE = False
    assert checks.demo_stays_at_home() == []
    settings.DEMO_MODE = True
    assert ids(checks.demo_stays_at_home()) == found


def test_encryption_keys(settings: LazySettings) -> None:
    assert checks.encryption_keys_are_there() == []
    settings.FIELD_ENCRYPTION_KEYS = []
    assert ids(checks.encryption_keys_are_there()) == ["config.E003"]


@pytest.mark.parametrize(
    ("modes", "found"),
    [
        ({"DATABASE_URL": "require"}, ["DATABASE_URL"]), ({"DATABASE_URL": "verify-ca"}, ["DATABASE_URL"]),
        ({"DATABASE_URL": "verify-full", "DATABASE_OWNER_URL": "require"}, ["DATABASE_OWNER_URL"]),
        ({"DATABASE_URL": "require", "DATABASE_OWNER_URL": "require"}, ["DATABASE_URL", "DATABASE_OWNER_URL"]),
        ({"DATABASE_URL": "verify-full", "DATABASE_OWNER_URL": "verify-full"}, []), ({}, []),
    ],
)  # fmt: skip
def test_the_link_to_the_database(settings: LazySettings, modes: dict[str, str], found: list[str]) -> None:
    settings.DATABASE_SSLMODES = modes
    messages = checks.database_link_is_verified()
    assert ids(messages) == ["config.W004"] * len(found)
    assert [str(message.hint).removesuffix(".").split()[-1] for message in messages] == found


def test_pool_and_kept_connections(settings: LazySettings) -> None:
    assert checks.pool_and_kept_connections_exclude_each_other() == []
    settings.DATABASES = {"default": {"OPTIONS": {"pool": {"max_size": 3}}, "CONN_MAX_AGE": 60}}
    assert ids(checks.pool_and_kept_connections_exclude_each_other()) == ["config.E005"]
    settings.DATABASES = {"default": {"OPTIONS": {"pool": {"max_size": 3}}, "CONN_MAX_AGE": None}}
    assert ids(checks.pool_and_kept_connections_exclude_each_other()) == ["config.E005"]


def test_public_url(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://billing.example.net"
    settings.ALLOWED_HOSTS = [".example.net"]
    assert checks.public_url_is_answered() == []
    settings.ALLOWED_HOSTS = ["localhost"]
    assert ids(checks.public_url_is_answered()) == ["config.E006"]
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(checks.public_url_is_answered()) == ["config.W006"]


@pytest.mark.parametrize(
    ("url", "proxies", "found"),
    [
        ("http://localhost:8000", 0, []), ("http://billing.example.net", 1, ["config.W007"]),
        ("https://billing.example.net", 0, ["config.W008"]), ("https://billing.example.net", 1, []),
    ],
)  # fmt: skip
def test_https(settings: LazySettings, url: str, proxies: int, found: list[str]) -> None:
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = url, proxies
    settings.IS_HTTPS = url.startswith("https")
    assert ids(checks.public_site_has_https()) == found


def run_check(**changes: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **changes}
    env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests of this process set it
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_production_environment_is_clean() -> None:
    done = run_check(
        PUBLIC_URL="https://billing.example.net", ALLOWED_HOSTS="billing.example.net", TRUSTED_PROXIES="1",
        DEMO_MODE="false",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_public_demo_does_not_start() -> None:
    done = run_check(PUBLIC_URL="https://billing.example.net", DEMO_MODE="true", TRUSTED_PROXIES="1")
    assert done.returncode == 1
    assert "config.E002" in done.stderr

"""deploy/run, systemd units and nginx say the same as the code."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec

import pytest
from django.urls import resolve, reverse

from config import env
from core.monitoring.queues import QUEUES
from tests.unit.deploy.files import CLONE, DEPLOY, run_parts, script, text, unit_values

PARTS = {"web", "worker", "routers", "routers-slow", "beat", "migrate", "prepare", "manage"}
SERVICES = ("web", "worker", "routers", "routers-slow", "beat")
COMMON = "deploy/systemd/mikrotik-billing-.service.d/10-common.conf"


def test_parts() -> None:
    assert run_parts() == PARTS


def test_every_queue_has_exactly_one_worker() -> None:
    queues = re.findall(r"^\s+worker [a-z-]+ (\S+) (prefork|threads) ", text("deploy/run"), re.MULTILINE)
    served = [name for names, _ in queues for name in names.split(",")]
    assert sorted(served) == sorted(QUEUES)
    pools = {name: pool for names, pool in queues for name in names.split(",")}
    assert pools["routers"] == pools["routers_slow"] == "threads"


def test_modules_are_there() -> None:
    said = text("deploy/run")
    assert "config/gunicorn.py config.wsgi:application" in said
    assert (CLONE / "config" / "gunicorn.py").is_file()
    for module in ("config.wsgi", "config.celery", "django_celery_beat.schedulers"):
        assert find_spec(module) is not None


def test_pool_is_larger_than_the_threads() -> None:
    """psycopg's pool makes a thread wait for another one's connection otherwise (DESIGN §3.1)."""
    said = text("deploy/run")
    for threads in ("WEB_THREADS", "ROUTER_THREADS", "SLOW_THREADS"):
        assert f"pool_at_least $(({threads} + 2))" in said


@pytest.mark.parametrize("arguments", [[], ["everything"]])
def test_unknown_part_shows_the_usage(arguments: list[str]) -> None:
    done = subprocess.run([DEPLOY / "run", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("Starts one part of the product")
    assert "deploy/run routers-slow" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_units_start_a_part_and_belong_to_the_target(name: str) -> None:
    unit = f"deploy/systemd/mikrotik-billing-{name}.service"
    assert unit_values(unit, "ExecStart") == [f"/opt/mikrotik-billing/deploy/run {name}"]
    assert unit_values(unit, "PartOf") == ["mikrotik-billing.target"]
    assert unit_values(unit, "WantedBy") == ["mikrotik-billing.target"]
    assert f"mikrotik-billing-{name}.service" in text("deploy/systemd/mikrotik-billing.target")
    assert "WatchdogSec" not in text(unit)  # nobody would send the signs of life


def test_only_gunicorn_tells_systemd_that_it_is_ready() -> None:
    types = {name: unit_values(f"deploy/systemd/mikrotik-billing-{name}.service", "Type") for name in SERVICES}
    assert types.pop("web") == ["notify"]
    assert set(map(tuple, types.values())) == {("exec",)}


def test_common_settings_of_units() -> None:
    assert unit_values(COMMON, "Restart") == ["always"]
    assert unit_values(COMMON, "ProtectSystem") == ["strict"]
    assert unit_values(COMMON, "NoNewPrivileges") == ["yes"]
    assert unit_values(COMMON, "User") == ["mikrotik-billing"]
    known = {var.name for var in env.VARS} | {"PYTHONDONTWRITEBYTECODE"}
    assert {pair.split("=")[0] for line in unit_values(COMMON, "Environment") for pair in line.split()} <= known


def test_beat_brings_roles_and_jobs_up_to_date() -> None:
    unit = "deploy/systemd/mikrotik-billing-beat.service"
    assert unit_values(unit, "ExecStartPre") == ["/opt/mikrotik-billing/deploy/run prepare"]


def test_watchdog_restarts_units_that_exist() -> None:
    watchdog = script("deploy/systemd/watchdog.py")
    for units in watchdog.UNITS.values():
        for unit in units:
            assert (DEPLOY / "systemd" / unit).is_file()


def test_login_limit_covers_every_way_to_sign_in() -> None:
    found = re.search(r"location ~ (\S+) \{", text("deploy/nginx/site.conf"))
    assert found is not None
    paths = ("/admin/login/", reverse("auth-token"), reverse("auth-session"))
    for path in paths:
        assert resolve(path)
        assert re.search(found[1], path), path
    assert not re.search(found[1], reverse("auth-refresh"))


def test_nginx_hands_over_one_address_and_the_scheme() -> None:
    proxy = text("deploy/nginx/proxy.conf")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in proxy
    site = text("deploy/nginx/site.conf")
    assert "gzip_static on;" in site
    assert "Strict-Transport-Security" in site

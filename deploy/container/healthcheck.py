"""What a container's health check asks; exit code 0 is healthy. A sentence says what is wrong.

    healthcheck.py web /run/web/web.sock    the web server answers /healthz on its socket
    healthcheck.py heartbeat                beat, broker and worker together wrote a heartbeat lately
    healthcheck.py queue routers            the oldest message of that queue is young: somebody takes them

Runs every few seconds beside each process, so it starts in a tenth of a second: no Django, no `celery inspect`.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

HEARTBEAT_ROW = "core.heartbeat"
LATE_SECONDS = 120
MESSAGE_LATE_SECONDS = 180
PUBLISHED_AT = "published_at"


class UnhealthyError(Exception):
    """A sentence about what is wrong."""


def value_of(name: str) -> str:
    """A variable, or what the file named by NAME_FILE holds."""
    return os.environ.get(name, "") or Path(os.environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def web(path: str) -> None:
    connection = UnixConnection(path)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        raise UnhealthyError(f"{path} does not answer: {error}") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise UnhealthyError(f"/healthz answered {status}")


def heartbeat() -> None:
    import psycopg

    question = (
        "SELECT extract(epoch FROM now() - finished_at) FROM core_jobrun WHERE name = %s AND finished_at IS NOT NULL"
    )
    try:
        with psycopg.connect(value_of("DATABASE_URL"), connect_timeout=5) as connection:
            row = connection.execute(question, [HEARTBEAT_ROW]).fetchone()
    except psycopg.Error as error:
        raise UnhealthyError(f"the database does not answer: {type(error).__name__}") from None
    if row is None:
        raise UnhealthyError("there was no heartbeat yet")
    if row[0] > LATE_SECONDS:
        raise UnhealthyError(f"the last heartbeat is {row[0]:.0f} s old")


def queue(name: str) -> None:
    import redis

    try:
        with redis.Redis.from_url(value_of("REDIS_URL"), socket_timeout=5) as client:
            oldest = client.lindex(name, -1)  # messages come in on the left and are taken from the right
    except redis.RedisError as error:
        raise UnhealthyError(f"Redis does not answer: {type(error).__name__}") from None
    published = json.loads(oldest).get("headers", {}).get(PUBLISHED_AT) if oldest else None
    if published and time.time() - float(published) > MESSAGE_LATE_SECONDS:
        raise UnhealthyError(f"a message waits in {name} since {time.time() - float(published):.0f} s")


CHECKS: dict[str, Callable[..., None]] = {"web": web, "heartbeat": heartbeat, "queue": queue}

if __name__ == "__main__":
    try:
        CHECKS[sys.argv[1]](*sys.argv[2:])
    except UnhealthyError as error:
        sys.exit(str(error))

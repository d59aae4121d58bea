"""How many messages wait in each queue, and how long the oldest has. Both brokers: Redis and the file system."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.clock import now
from core.request_context import PUBLISHED_AT

QUEUES = ("celery", "batches", "routers", "routers_slow")
_FILE = re.compile(r"^-?\d+_[0-9a-f-]{36}\.(?P<queue>[\w-]+)\.msg$")


@dataclass(frozen=True)
class QueueState:
    """`age_seconds` of the oldest waiting message; 0 when none waits."""

    name: str
    depth: int
    age_seconds: float


def queue_states() -> list[QueueState]:
    """One state per queue. Raises OSError or redis' ConnectionError (an OSError too) when the broker is away."""
    return _redis_states() if settings.REDIS_URL else _file_states()


def ping(broker: Any) -> None:
    """Prove that the broker stores messages: Redis answers, the folder can be written. Raises OSError."""
    if settings.REDIS_URL:
        broker.default_channel.client.ping()
        return
    folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    probe = folder / ".probe"
    probe.touch()
    probe.unlink(missing_ok=True)


def _file_states() -> list[QueueState]:
    oldest: dict[str, float] = {}
    depth = dict.fromkeys(QUEUES, 0)
    folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
    for file in folder.iterdir() if folder.is_dir() else ():
        match = _FILE.match(file.name)
        if match is None or match["queue"] not in depth:
            continue
        try:
            written = file.stat().st_mtime
        except FileNotFoundError:
            continue  # a worker took it while we looked
        depth[match["queue"]] += 1
        oldest[match["queue"]] = min(written, oldest.get(match["queue"], written))
    moment = now().timestamp()
    return [QueueState(name, depth[name], max(0.0, moment - oldest.get(name, moment))) for name in QUEUES]


def _redis_states() -> list[QueueState]:
    import redis

    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        with client.pipeline(transaction=False) as pipe:
            for name in QUEUES:
                pipe.llen(name)
                pipe.lindex(name, -1)  # messages come in on the left and are taken from the right
            answers = pipe.execute()
    except redis.RedisError as error:
        raise OSError(type(error).__name__) from error
    finally:
        client.close()
    return [
        QueueState(name, int(answers[2 * index]), _age(answers[2 * index + 1])) for index, name in enumerate(QUEUES)
    ]


def _age(message: bytes | None) -> float:
    if message is None:
        return 0.0
    published = json.loads(message).get("headers", {}).get(PUBLISHED_AT)
    return max(0.0, now().timestamp() - float(published)) if published else 0.0

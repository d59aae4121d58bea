"""Celery's filesystem broker with whole messages: kombu's own writes a file in place while others already read it.

Measured with kombu 5.7.0 on a busy machine: a worker read a message file that had been created and not yet written,
failed with `JSONDecodeError` and ended. Here a message appears by rename, so it is whole or not there; a message is
taken by rename inside the broker's private folder instead of a move to the system's temporary folder; and the tables
of bound queues are replaced, under a lock, instead of rewritten in place.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

ALIAS = "filesystem"


def use_whole_messages() -> None:
    """Make `filesystem://` mean this transport; to be called before the Celery application connects."""
    TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"


class Channel(filesystem.Channel):
    """kombu's channel, with every file written aside and renamed."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu renames it too
        name = f"{time.monotonic_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        ending = f"{queue}.msg"
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names only: a Path per waiting message costs
            if name.partition(".")[2] != ending:
                continue
            taken = folder / f".taken-{uuid.uuid4().hex}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            content = taken.read_bytes()
            taken.unlink()
            return loads(bytes_to_str(content))
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_locked():
            rows = self.get_table(exchange)
            if row not in rows:
                self._write_table(exchange, [row, *rows])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_locked():
            rows = self.get_table(exchange)
            if row in rows:
                self._write_table(exchange, [other for other in rows if other != row])

    def _write_table(self, exchange: str, rows: list[Any]) -> None:
        path: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # newer than kombu's stubs
        _write_whole(path, dumps(rows))

    @contextmanager
    def _table_locked(self) -> Iterator[None]:
        folder: Path = self.control_folder
        folder.mkdir(exist_ok=True)
        with (folder / ".lock").open("a") as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """The transport behind `filesystem://` once `use_whole_messages` was called."""

    Channel = Channel


def _write_whole(path: Path, content: str) -> None:
    partial = path.with_name(f".new-{uuid.uuid4().hex}")
    partial.write_bytes(str_to_bytes(content))
    partial.rename(path)

"""A worker that is killed in the middle: nothing more is recorded, its lease stays, the kernel closes its socket."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from core.clock import now as real_now
from locations.models import RouterState
from locations.sync import connections, writer
from locations.sync.lease import Lease


class WorkerKilled(BaseException):
    """Not an Exception: nothing in the product may catch it."""


@contextmanager
def killed_after(sentences: int) -> Iterator[None]:
    """The next sentence after so many ends the worker, as `kill -9` would. Raises WorkerKilled."""
    count = 0
    check, confirm = Lease.check, writer.lease_confirm

    def counted(lease: Lease) -> None:
        nonlocal count
        count += 1
        if count > sentences:
            raise WorkerKilled
        check(lease)

    def recorded(lease: Lease) -> None:
        if count > sentences:
            raise WorkerKilled
        confirm(lease)

    with mock.patch.object(Lease, "check", counted), mock.patch.object(writer, "lease_confirm", recorded):
        yield


def socket_left_to_the_kernel(location_id: int) -> None:
    """What was sent still arrives: a killed process's socket is closed politely."""
    entry: Any = connections._kept.pop(location_id, None)
    if entry is not None and entry[1]._raw is not None:
        entry[1]._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        entry[1]._raw.close()


def lease_runs_out(location_id: int) -> None:
    """Its time is over for the database too (which runs on real time)."""
    rows = RouterState.objects.filter(pk=location_id, lease_until__isnull=False)
    rows.update(lease_until=real_now() - timedelta(seconds=1))

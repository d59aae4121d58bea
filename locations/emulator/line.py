"""The way back to one client: collected replies, the line's delay, half sentences, back-pressure."""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core import RouterCore


_MOST_WAITING = 16 * 1024 * 1024
"""Bytes that may be on a slow line; then the commands wait."""


class ReplyLine:
    """Collects reply sentences and sends them together; every method runs in the event loop."""

    def __init__(self, core: RouterCore) -> None:
        self._core = core
        self._out: list[bytes] = []
        self._held_back: list[bytes | None] = []
        self._delayed: collections.deque[tuple[float, bytes | None]] = collections.deque()
        self.transport: asyncio.Transport | None = None
        self.is_closing = False
        self._is_blocked = False
        self._waiting_bytes = 0
        self.can_write = asyncio.Event()
        self.can_write.set()

    def block(self) -> None:
        """The client does not read."""
        self._is_blocked = True
        self.can_write.clear()

    def unblock(self) -> None:
        """The client reads again."""
        self._is_blocked = False
        self._look()

    def _look(self) -> None:
        """Producers wait while the client does not read, and while too much is on its way."""
        if self._is_blocked or self._waiting_bytes > _MOST_WAITING:
            self.can_write.clear()
        else:
            self.can_write.set()

    def reply(self, data: bytes) -> None:
        """One encoded sentence; ``half_sentence`` cuts it and the connection, ``duplicate`` sends it twice."""
        if self.is_closing:
            return
        faults = self._core.faults
        if faults.half_after is not None:
            if faults.half_after <= 0:
                faults.half_after = None
                self._out.append(data[: max(1, len(data) // 2)])
                self.close()
                return
            faults.half_after -= 1
        self._out.append(data)
        if faults.is_doubled():
            self._out.append(data)

    def append(self, data: bytes) -> None:
        """Several encoded sentences at once (no fault counts them)."""
        if not self.is_closing:
            self._out.append(data)

    def discard(self) -> None:
        """Forget what was not sent yet."""
        self._out.clear()

    def flush(self) -> None:
        """Send what was collected."""
        if not self._out or self.transport is None:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._send(data)

    def close(self) -> None:
        """Close after what was already answered has been sent."""
        self.flush()
        if not self.is_closing:
            self.is_closing = True
            self._send(None)

    def abort(self) -> None:
        """Cut the line."""
        self.is_closing = True
        self.can_write.set()
        if self.transport is not None:
            self.transport.abort()

    def _send(self, data: bytes | None) -> None:
        """Write now or after the line's delay; None closes the connection.

        Each piece waits its own delay from the moment it was produced, so pipelined commands overlap:
        the delay is latency, never a limit of throughput.
        """
        delay = self._core.reply_delay
        if delay <= 0 and not self._delayed:
            self._write(data)
            return
        loop = self._core.loop
        self._delayed.append((loop.time() + delay, data))
        self._wait(data, 1)
        if len(self._delayed) == 1:
            loop.call_at(self._delayed[0][0], self._send_delayed)

    def _send_delayed(self) -> None:
        loop = self._core.loop
        while self._delayed and self._delayed[0][0] <= loop.time() + 0.000001:
            data = self._delayed.popleft()[1]
            self._wait(data, -1)
            self._write(data)
        if self._delayed:
            loop.call_at(self._delayed[0][0], self._send_delayed)

    def _write(self, data: bytes | None) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._core.faults.silent or self._held_back:
            self._held_back.append(data)
            self._wait(data, 1)
        elif data is None:
            self.transport.close()
        else:
            self.transport.write(data)

    def wake(self) -> None:
        """The device was silent and is not any more: late answers go out."""
        waiting, self._held_back = self._held_back, []
        for data in waiting:
            self._wait(data, -1)
            self._write(data)

    def _wait(self, data: bytes | None, sign: int) -> None:
        self._waiting_bytes += sign * len(data or b"")
        self._look()

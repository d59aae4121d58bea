"""How fast one router is given work: how many commands may be unanswered, and how many writes may go per second.

The window keeps the router busy without a queue in front of it: it grows while answers come as fast as the line allows
and shrinks when they come late, so a hEX gets ten commands at a time and a fast router five hundred. It lives as long
as the connection. The idea is that of TCP Vegas: the time a reply takes beyond the shortest one seen is time it waited.
"""

from __future__ import annotations

import time

FIRST, FEWEST, MOST = 8, 2, 500
RESTART, RESTART_AFTER_SECONDS = 64, 10.0  # a window of long ago says nothing about a router that is busy now
SOON_SECONDS, LATE_SECONDS = 0.05, 0.15  # of waiting at the router; or one and two round trips where that is more

CPU_HIGH, CPU_LOW = 90, 70  # per cent
SLOWEST, UNTHROTTLED = 2.0, 2000.0  # writes per second: never slower because of CPU; no limit needed from here on
UNKNOWN_RATE = 100.0

ROWS_FIRST, ROWS_FEWEST, ROWS_MOST = 100, 10, 500
BULK_SECONDS = 2.0  # of work per batch: who pays while many rows are on their way waits that long at most
COUNTED_FROM = 20  # commands; fewer in one go say more about the line than about the router


class Window:
    """How many commands may be unanswered. `base` is the reply time of a router that has nothing else of ours to do."""

    def __init__(self) -> None:
        self.size = FIRST
        self.base: float | None = None
        self._smooth = 0.0
        self._replies = self._full = 0

    def replied(self, seconds: float, in_flight: int) -> None:
        """A reply came after so long; `in_flight` were unanswered when its command had been sent, itself included."""
        if self.base is None:
            self.base = self._smooth = seconds
        self.base = min(self.base, seconds)
        self._smooth += (seconds - self._smooth) / 8
        self._replies += 1
        self._full += in_flight >= self.size
        if self._replies >= self.size:
            self._adapt(self._smooth - self.base, seconds - self.base)

    def _adapt(self, waited: float, last: float) -> None:
        """Once per window of replies: how long commands waited, smoothed and the last one.

        Only a window that was filled may grow: more is not known to be bearable.
        """
        base = self.base or 0.0
        late = max(LATE_SECONDS, 2 * base)
        if waited > late:
            if self.size == FEWEST:  # nothing of ours waits any more: the line or the router is slower than it was
                self.base = self._smooth
            self.size = max(FEWEST, int(self.size * max(0.5, late / waited)))
        elif max(waited, last) < max(SOON_SECONDS, base) and self._full * 10 >= self._replies:
            self.size = min(MOST, self.size * 2)
        self._replies = self._full = 0


class Pace:
    """The window of one connection, and the rate its writes are held to.

    `setting` is the location's own limit in writes per second, `cpu_limit` what a busy router is spared; None: no limit.
    """

    def __init__(self) -> None:
        self.window = Window()
        self.setting: float | None = None
        self.cpu_limit: float | None = None
        self.rate: float | None = None  # commands per second of the last batches
        self._next_at = self._used_at = 0.0

    @property
    def limit(self) -> float | None:
        """Writes per second, None: as fast as the router answers."""
        limits = [limit for limit in (self.setting, self.cpu_limit) if limit is not None]
        return min(limits) if limits else None

    @property
    def rows(self) -> int:
        """How many rows are a batch of about `BULK_SECONDS`."""
        rates = [rate for rate in (self.rate, self.limit) if rate is not None]
        if not rates:
            return ROWS_FIRST
        return max(ROWS_FEWEST, min(ROWS_MOST, int(min(rates) * BULK_SECONDS)))

    def begin(self, now: float) -> None:
        """A batch starts: after a pause the window is small again."""
        if now - self._used_at > RESTART_AFTER_SECONDS:
            self.window.size = min(self.window.size, RESTART)

    def ended(self, commands: int, seconds: float, now: float) -> None:
        """A batch of so many commands took so long."""
        self._used_at = now
        if commands >= COUNTED_FROM and seconds > 0:
            rate = commands / seconds
            self.rate = rate if self.rate is None else (self.rate + rate) / 2

    def write_delay(self, now: float) -> float:
        """Seconds until the next write may go; 0 takes its turn."""
        limit = self.limit
        if limit is None:
            return 0.0
        if now < self._next_at:
            return self._next_at - now
        self._next_at = max(now, self._next_at) + 1 / limit
        return 0.0

    def cpu_seen(self, load: int) -> None:
        """The router's load in per cent: halve the rate when it is busy, raise it by half when it has air again."""
        if load >= CPU_HIGH:
            now = min(self.cpu_limit or UNTHROTTLED, self.rate or UNKNOWN_RATE)
            self.cpu_limit = max(SLOWEST, now / 2)
        elif load <= CPU_LOW and self.cpu_limit is not None:
            raised = self.cpu_limit * 1.5
            self.cpu_limit = None if raised >= UNTHROTTLED else raised


def monotonic() -> float:
    """The clock of the pace, in one place so that a test can turn it."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Wait between commands of a push. The writer talks to routers outside transactions, so nothing is locked meanwhile."""
    time.sleep(seconds)

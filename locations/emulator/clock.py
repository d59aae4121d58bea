"""The device's own time: it can run with real time or stand still, and it can be advanced at will."""

from __future__ import annotations

import heapq
import itertools
import time
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime


class Event:
    """One planned happening; ``cancel()`` makes it not happen."""

    __slots__ = ("callback", "cancelled", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Forget the event."""
        self.cancelled = True


class VirtualClock:
    """Seconds of device time, the wall clock derived from it, and the events planned in it.

    ``manual`` clocks move only through ``advance``; others follow the monotonic clock plus what was advanced.
    """

    def __init__(self, *, manual: bool = False, wall_start: float | None = None) -> None:
        self._manual = manual
        self._offset = 0.0
        self._held: float | None = None
        self._origin = time.monotonic()
        self._wall_start = time.time() if wall_start is None else wall_start
        self.skew_seconds = 0.0
        self.time_zone = "UTC"
        self._events: list[tuple[float, int, Event]] = []
        self._sequence = itertools.count()

    def now(self) -> float:
        """Device seconds since this emulator started; inside an event, the moment of that event."""
        if self._held is not None:
            return self._held
        return self._offset if self._manual else time.monotonic() - self._origin + self._offset

    def wall(self) -> datetime:
        """The router's wall clock in its own time zone, with its skew."""
        moment = datetime.fromtimestamp(self._wall_start + self.now() + self.skew_seconds, UTC)
        return moment.astimezone(self.zone())

    def zone(self) -> zoneinfo.ZoneInfo:
        """The configured zone; UTC when the host does not know it."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return zoneinfo.ZoneInfo("UTC")

    def call_at(self, due: float, callback: Callable[[], None]) -> Event:
        """Plan ``callback`` at a device moment; it runs inside ``run_due`` or ``advance``."""
        event = Event(due, callback)
        heapq.heappush(self._events, (due, next(self._sequence), event))
        return event

    def call_in(self, seconds: float, callback: Callable[[], None]) -> Event:
        """Plan ``callback`` after so many device seconds."""
        return self.call_at(self.now() + seconds, callback)

    def next_due(self) -> float | None:
        """Moment of the earliest event still planned."""
        while self._events and self._events[0][2].cancelled:
            heapq.heappop(self._events)
        return self._events[0][0] if self._events else None

    def run_due(self) -> bool:
        """Run what is due now, each event at its own moment, in order; whether there was anything."""
        return self._run_until(self.now())

    def advance(self, seconds: float) -> None:
        """Let time pass at once, events included."""
        if seconds < 0:
            raise ValueError("time only moves forward; use the skew for a wrong wall clock")
        self._run_until(self.now() + seconds)
        self._offset += seconds

    def ahead(self) -> float:
        """How far device time was advanced beyond real time, for the state file."""
        return self._offset

    def jump(self, seconds: float) -> None:
        """Start that far ahead (nothing is planned yet)."""
        self._offset += seconds

    def _run_until(self, target: float) -> bool:
        if self._held is not None:
            return False
        has_run = False
        while True:
            due = self.next_due()
            if due is None or due > target:
                return has_run
            has_run = True
            event = heapq.heappop(self._events)[2]
            self._held = due
            try:
                event.callback()
            finally:
                self._held = None

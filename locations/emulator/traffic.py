"""What a session has used and when that reaches a limit; shared by hotspot and PPP."""

from __future__ import annotations

import math
from dataclasses import dataclass

CHECKPOINT_SECONDS = 300.0
"""How often running sessions' usage is written to storage; a power cut loses what came after."""

PACKET_BYTES = 600


@dataclass(slots=True)
class Usage:
    """Bytes of one session. ``up`` is what the client sends (bytes-in), ``down`` what it gets (bytes-out)."""

    started: float
    up_rate: float
    down_rate: float
    up_extra: int = 0
    down_extra: int = 0
    quiet_since: float | None = None

    def seconds(self, now: float) -> float:
        """Connected time."""
        return now - self.started

    def _active_seconds(self, now: float) -> float:
        return (now if self.quiet_since is None else min(now, self.quiet_since)) - self.started

    def up(self, now: float) -> int:
        """Bytes sent by the client."""
        return int(self.up_rate * self._active_seconds(now) + 1e-6) + self.up_extra

    def down(self, now: float) -> int:
        """Bytes received by the client."""
        return int(self.down_rate * self._active_seconds(now) + 1e-6) + self.down_extra

    def idle(self, now: float) -> float:
        """Seconds without traffic."""
        return 0.0 if self.quiet_since is None else now - self.quiet_since

    def change_rates(self, now: float, up_rate: float, down_rate: float) -> None:
        """From now on so many bytes per second; what was used stays used."""
        up, down = self.up(now), self.down(now)
        elapsed = self._active_seconds(now)
        self.up_rate, self.down_rate = up_rate, down_rate
        self.up_extra = up - int(up_rate * elapsed + 1e-6)
        self.down_extra = down - int(down_rate * elapsed + 1e-6)


@dataclass(slots=True)
class Limits:
    """What a session may still use from its start; None means without limit. Bytes, seconds."""

    uptime: float | None = None
    session: float | None = None
    up: int | None = None
    down: int | None = None
    total: int | None = None
    idle: float | None = None
    keepalive: float | None = None

    def time_left(self, usage: Usage, now: float) -> float | None:
        """Seconds until a time limit."""
        limits = [limit for limit in (self.uptime, self.session) if limit is not None]
        return max(0.0, min(limits) - usage.seconds(now)) if limits else None

    def next_end(self, usage: Usage, now: float) -> tuple[float, str] | None:
        """The moment and the cause of the first limit that will be reached."""
        ends: list[tuple[float, str]] = []
        for limit in (self.uptime, self.session):
            if limit is not None:
                ends.append((usage.started + limit, "session timeout"))
        quiet = usage.quiet_since
        up_rate, down_rate = (0.0, 0.0) if quiet is not None else (usage.up_rate, usage.down_rate)
        used_up, used_down = usage.up(now), usage.down(now)
        for limit, used, rate in (
            (self.up, used_up, up_rate),
            (self.down, used_down, down_rate),
            (self.total, used_up + used_down, up_rate + down_rate),
        ):
            if limit is None:
                continue
            if used >= limit:
                ends.append((now, "traffic limit reached"))
            elif rate > 0:
                ends.append((now + math.ceil((limit - used) / rate * 1000) / 1000, "traffic limit reached"))
        if quiet is not None:
            if self.idle is not None:
                ends.append((quiet + self.idle, "idle timeout"))
            if self.keepalive is not None:
                ends.append((quiet + self.keepalive, "keepalive timeout"))
        return min(ends) if ends else None


def remaining(limit: int, used: int) -> int | None:
    """What is left of a limit where 0 means no limit."""
    return max(0, limit - used) if limit else None

"""The pace of a location's writer while it runs: its setting, the router's CPU during a long push, and what we show of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from locations.choices import PaceReason
from locations.models import Location, RouterState
from locations.routeros import pace as pacing
from locations.routeros.client import RouterClient
from locations.routeros.pace import COUNTED_FROM, MOST
from locations.routeros.values import whole

LOOK_SECONDS = 5.0


class Pacer:
    """Looks at the router's CPU every few seconds of a push; between pushes the polls do."""

    def __init__(self, location: Location, client: RouterClient) -> None:
        self.location_id = location.pk
        self.client = client
        client.pace.setting = float(location.writes_per_second) if location.writes_per_second else None
        self._looked_at = self._began_at = pacing.monotonic()
        self._rows = 0

    def sent(self, rows: int) -> None:
        self._rows += rows

    def look(self, renew: Callable[[], None], now: datetime) -> None:
        """Between two batches. `renew` gives the question its own deadline."""
        if pacing.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        renew()
        load = cpu_load(self.client)
        self.client.pace.cpu_seen(load)
        RouterState.objects.filter(pk=self.location_id).update(cpu_load=load)
        self.show(now)
        self._looked_at = pacing.monotonic()

    def show(self, now: datetime) -> None:
        """Store the rate of what was sent since the last time, and what held it; nothing when that was next to nothing."""
        seconds, rows = pacing.monotonic() - self._began_at, self._rows
        self._began_at, self._rows = pacing.monotonic(), 0
        if rows < COUNTED_FROM or seconds <= 0:
            return
        limit = self.client.pace.limit
        RouterState.objects.filter(pk=self.location_id).update(
            push_rate=round(rows / seconds), push_limit=None if limit is None else round(limit),
            push_reason=self._reason(), push_at=now,
        )  # fmt: skip

    def _reason(self) -> str:
        pace = self.client.pace
        if pace.cpu_limit is not None and pace.limit == pace.cpu_limit:
            return PaceReason.CPU
        if pace.limit is not None:
            return PaceReason.SETTING
        return PaceReason.ANSWERS if pace.window.size < MOST // 2 else PaceReason.NONE


def cpu_load(client: RouterClient) -> int:
    """The router's CPU load now, in per cent."""
    rows = client.print("/system/resource", ("cpu-load",))
    return min(whole(rows[0].get("cpu-load", "")) if rows else 0, 100)

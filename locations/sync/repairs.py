"""Whether a comparison repairs what it finds: by the location's setting, or because somebody or something asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from locations.choices import DriftRepair
from locations.models import Location, RouterState


def is_repairing(location: Location, state: RouterState, now: datetime) -> bool:
    if location.drift_repair == DriftRepair.ALWAYS or state.is_repair_due:
        return True
    return is_daily_repair_due(location, state, now)


def is_daily_repair_due(location: Location, state: RouterState, now: datetime) -> bool:
    """Its hour has come, in the location's zone, since the last comparison that repaired. A missed day is made up for."""
    if location.drift_repair != DriftRepair.DAILY:
        return False
    here = now.astimezone(ZoneInfo(location.timezone))
    last = here.replace(hour=location.drift_repair_hour, minute=0, second=0, microsecond=0)
    if last > here:
        last -= timedelta(days=1)
    return state.repaired_at is None or state.repaired_at < last

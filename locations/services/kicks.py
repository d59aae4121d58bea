"""Wake the writers of locations after commit."""

from __future__ import annotations

from collections.abc import Iterable

from core.kick import kick


def kick_locations(location_ids: Iterable[int], *, is_forced: bool = False) -> None:
    """One kick per location; `is_forced` tries now even while the router is in back-off."""
    for location_id in sorted(set(location_ids)):
        kick("locations.tasks.location_sync", location_id, int(is_forced), queue="routers")

"""The admin of routers and of what should be on them."""

from __future__ import annotations

from locations.admin import accounts, entries, groups, location, overview, rollouts

__all__ = ["accounts", "entries", "groups", "location", "overview", "rollouts"]

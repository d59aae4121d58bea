"""The admin of routers and of what should be on them."""

from __future__ import annotations

from locations.admin import accounts, location, overview

__all__ = ["accounts", "location", "overview"]

"""Admin pages of the billing room, by noun."""

from __future__ import annotations

from billing.admin import plans

__all__ = ["plans"]

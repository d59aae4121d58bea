"""Admin pages of the billing room, by noun."""

from __future__ import annotations

from billing.admin import journal, plans, reports

__all__ = ["journal", "plans", "reports"]

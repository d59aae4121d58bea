"""Admin pages of the billing room, by noun."""

from __future__ import annotations

from billing.admin import journal, ledger_check, plans, reports

__all__ = ["journal", "ledger_check", "plans", "reports"]

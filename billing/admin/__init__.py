"""Admin pages of the billing room, by noun."""

from __future__ import annotations

from billing.admin import bulk_bills, invoices, journal, ledger_check, plans, reports

__all__ = ["bulk_bills", "invoices", "journal", "ledger_check", "plans", "reports"]

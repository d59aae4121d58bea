"""Admin pages of the billing room, by noun."""

from __future__ import annotations

from billing.admin import (
    adjustments,
    agents,
    bulk_bills,
    cash,
    expenses,
    invoices,
    journal,
    ledger_check,
    mass,
    nights,
    offers,
    plans,
    report_rows,
    reports,
    subscriptions,
)

__all__ = [
    "adjustments",
    "agents",
    "bulk_bills",
    "cash",
    "expenses",
    "invoices",
    "journal",
    "ledger_check",
    "mass",
    "nights",
    "offers",
    "plans",
    "report_rows",
    "reports",
    "subscriptions",
]

"""Admin pages of the customer room, by noun."""

from __future__ import annotations

from customers.admin import customers, documents

__all__ = ["customers", "documents"]

"""Admin pages of the payment room, by noun."""

from __future__ import annotations

from payments.admin import method, panels, payment, refund, reversal, taking

__all__ = ["method", "panels", "payment", "refund", "reversal", "taking"]

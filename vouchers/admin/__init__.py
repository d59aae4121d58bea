"""The admin of vouchers: batches, vouchers, sales."""

from __future__ import annotations

from vouchers.admin import batch, overview, sale, stock, unsold, voucher

__all__ = ["batch", "overview", "sale", "stock", "unsold", "voucher"]

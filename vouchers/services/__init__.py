"""Services of the voucher room: batches, sales, and a voucher's life until it ends on every router."""

from __future__ import annotations

from vouchers.services.adopting import FoundVoucher, batch_adopt, batches_forget, vouchers_moved_on
from vouchers.services.batches import BatchWarning, batch_cancel, batch_create, batch_warnings
from vouchers.services.bulk_selling import BulkSale, is_for_sale, vouchers_sell
from vouchers.services.expiry import vouchers_expire, vouchers_use_up
from vouchers.services.extending import voucher_extend
from vouchers.services.first_login import vouchers_activate
from vouchers.services.generation import batch_generate, batches_resume
from vouchers.services.life import plan_withdrawal_check, voucher_move, voucher_void
from vouchers.services.money import old_sales_post
from vouchers.services.selling import voucher_sale_undo, voucher_sell
from vouchers.services.stock import stock_issue, stock_return

__all__ = [
    "BatchWarning",
    "BulkSale",
    "FoundVoucher",
    "batch_adopt",
    "batch_cancel",
    "batch_create",
    "batch_generate",
    "batch_warnings",
    "batches_forget",
    "batches_resume",
    "is_for_sale",
    "old_sales_post",
    "plan_withdrawal_check",
    "stock_issue",
    "stock_return",
    "voucher_extend",
    "voucher_move",
    "voucher_sale_undo",
    "voucher_sell",
    "voucher_void",
    "vouchers_activate",
    "vouchers_expire",
    "vouchers_moved_on",
    "vouchers_sell",
    "vouchers_use_up",
]

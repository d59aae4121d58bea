"""Everything that changes payments. Callers of other rooms import from here."""

from payments.services.methods import cash_method, methods_seed
from payments.services.receiving import payment_cancel, payment_confirm, payment_receive_cash
from payments.services.refunds import payment_refund, refundable_amount
from payments.services.reversals import reversal_ask, reversal_decide, reversal_preview

__all__ = [
    "cash_method",
    "methods_seed",
    "payment_cancel",
    "payment_confirm",
    "payment_receive_cash",
    "payment_refund",
    "refundable_amount",
    "reversal_ask",
    "reversal_decide",
    "reversal_preview",
]

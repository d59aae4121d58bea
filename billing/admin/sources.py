"""Where the cause of an entry is shown: `invoice:12` is a bill with a page of its own."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from core.numbers import whole_number

# first part of a source → the admin page of that row, if its room has one; the second part is its id
PAGES = {
    "invoice": "billing_invoice_change", "credit_note": "billing_invoice_change", "payment": "payments_payment_change",
    "refund": "payments_refund_change", "expense": "billing_expense_change", "adjustment": "billing_adjustment_change",
    "shift_change": "billing_cashshift_change", "shift_opening": "billing_cashshift_change",
    "shift_difference": "billing_cashshift_change", "shift_handover": "billing_cashshift_change",
    "reversal": "billing_journalentry_change", "reversal_difference": "billing_journalentry_change",
}  # fmt: skip


def source_url(source: str) -> str:
    """The address of what the source names, or nothing."""
    name, _colon, rest = source.partition(":")
    number = whole_number(rest.partition(":")[0])
    if name not in PAGES or number is None:
        return ""
    try:
        return reverse(f"admin:{PAGES[name]}", args=[number])
    except NoReverseMatch:
        return ""

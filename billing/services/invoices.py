"""Bills: what other services call. Everything payable is a bill; what was issued never changes, it is corrected."""

from __future__ import annotations

from billing.services.invoices_charging import charge_bill, charge_cancel, charge_line
from billing.services.invoices_closing import invoice_void, write_off
from billing.services.invoices_crediting import credit_left, credit_note_issue
from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_earning import earnings_recognise
from billing.services.invoices_fees import late_fees_issue
from billing.services.invoices_issuing import invoice_issue, invoices_issue
from billing.services.invoices_kept import draft_change, draft_discard, draft_issue
from billing.services.invoices_manual import ManualLine, invoice_write
from billing.services.invoices_paying import invoice_use_balance
from billing.services.invoices_runs import (
    BulkOrder,
    bills_run,
    bills_run_cancel,
    bills_runs_resume,
    bulk_count,
    bulk_order,
)

__all__ = [
    "BulkOrder",
    "DraftLine",
    "InvoiceDraft",
    "ManualLine",
    "bills_run",
    "bills_run_cancel",
    "bills_runs_resume",
    "bulk_count",
    "bulk_order",
    "charge_bill",
    "charge_cancel",
    "charge_line",
    "credit_left",
    "credit_note_issue",
    "draft_change",
    "draft_discard",
    "draft_issue",
    "earnings_recognise",
    "invoice_issue",
    "invoice_use_balance",
    "invoice_void",
    "invoice_write",
    "invoices_issue",
    "late_fees_issue",
    "write_off",
]

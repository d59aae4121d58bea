"""Bills: what other services call. Everything payable is a bill; what was issued never changes, it is corrected."""

from __future__ import annotations

from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_issuing import invoice_issue, invoices_issue

__all__ = ["DraftLine", "InvoiceDraft", "invoice_issue", "invoices_issue"]

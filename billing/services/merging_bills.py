"""Bills that a merged customer got for a service of the other: taken back when the merge is, and written to whose service it is.

A bill keeps its customer. So it is made void, its days are billed again, and what the common balance paid of it is balance
again. A bill that money, a credit note or a write-off settled stays: then the merge does too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind, InvoiceKind, InvoiceStatus
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Allocation, Invoice
from billing.services.invoices import invoice_void
from billing.services.rebilling import LIVING, invoice_bill_again, period_of
from billing.services.settling import Share, allocations_write
from core.db.locks import lock_rows


def bills_take_back(winner_id: int, services: Sequence[int], *, now: datetime, actor: User | None) -> list[Invoice]:
    """Void the winner's bills for days of these services, as far as only the balance settled them; returns them."""
    rows = Invoice.objects.filter(customer_id=winner_id, subscription_id__in=services, kind=InvoiceKind.INVOICE)
    bills = [row for row in lock_rows(rows.exclude(status=InvoiceStatus.VOID)) if _can_go(row)]
    for bill in bills:
        _to_balance(bill, now=now, actor=actor)
    return [invoice_void(bill, reason=_reason(), now=now, actor=actor) for bill in bills]


def bills_write_again(bills: Sequence[Invoice], *, now: datetime, actor: User | None) -> None:
    """Bill the days of these void bills to the customer whose service it is now."""
    for bill in bills:
        invoice_bill_again(bill, reason=_reason(), actor=actor, now=now)


def _can_go(bill: Invoice) -> bool:
    span = period_of(bill)
    others = Allocation.objects.filter(invoice=bill).exclude(entry__kind=EntryKind.SETTLEMENT)
    return span is not None and span.subscription.status in LIVING and not others.exists()


def _to_balance(bill: Invoice, *, now: datetime, actor: User | None) -> None:
    paid = Allocation.objects.filter(invoice=bill).aggregate(paid=Sum("amount"))["paid"] or Decimal(0)
    if not paid:
        return
    entry, _is_new = entry_post(
        kind=EntryKind.SETTLEMENT, source=f"balance_back:{bill.pk}", occurred_at=now, actor=actor, reason=_reason(),
        location_id=bill.location_id,
        lines=[Line(chart.RECEIVABLE, paid, bill.customer_id), Line(chart.WALLET, -paid, bill.customer_id)],
    )  # fmt: skip
    allocations_write([(entry, Share(bill, -paid))], now=now)


def _reason() -> str:
    return _("The merge of two customers was taken back.")

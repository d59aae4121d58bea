"""What a step would do to the money of a service: it is done, looked at and taken back, so what is shown is what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.choices import InvoiceKind, InvoiceStatus
from billing.models import Invoice, Subscription
from billing.words import line_words
from customers.models import Customer


@dataclass(frozen=True)
class BillPreview:
    """A bill that would be written; it has no number yet."""

    total: Decimal
    due_on: date | None
    lines: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True)
class MoneyPreview:
    """New bills, what is credited, and what the customer has and owes before and after."""

    bills: Sequence[BillPreview]
    credited: Decimal
    balance_before: Decimal
    debt_before: Decimal
    balance: Decimal
    debt: Decimal


def money_preview(row: Subscription, step: Callable[[], Any]) -> MoneyPreview:
    """Raises what the step raises. Holds the step's locks for as long as it takes, and writes nothing."""
    with transaction.atomic():
        customer = Customer.objects.get(pk=row.customer_id)
        known = Invoice.objects.filter(subscription=row).order_by("-pk").values_list("pk", flat=True).first() or 0
        step()
        fresh = Invoice.objects.filter(subscription=row, pk__gt=known).order_by("pk")
        bills = [
            _bill(bill) for bill in fresh if bill.kind == InvoiceKind.INVOICE and bill.status != InvoiceStatus.VOID
        ]
        credited = sum((note.total for note in fresh if note.kind == InvoiceKind.CREDIT_NOTE), Decimal(0))
        after = Customer.objects.get(pk=row.customer_id)
        transaction.set_rollback(True)
    return MoneyPreview(bills, credited, customer.balance, customer.debt, after.balance, after.debt)


def _bill(bill: Invoice) -> BillPreview:
    lines = [(line_words(line), line.amount + line.tax_amount) for line in bill.lines.order_by("position")]
    return BillPreview(bill.total, bill.due_on, lines)

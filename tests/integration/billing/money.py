"""Customers and what they owe, for the tests of money; bills are written here as `billing.services.invoices` does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from django.db import transaction

from billing.choices import EntryKind, LineKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Invoice, InvoiceLine
from customers.models import Customer

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
_numbers = count(1)


def make_customer(name: str = "Bu Sri") -> Customer:
    return Customer.objects.create(number=f"M{next(_numbers)}", name=name)


@transaction.atomic
def make_invoice(customer: Customer, total: int, due_on: date = date(2026, 11, 20), **fields: object) -> Invoice:
    """Open, with one line and its entry."""
    number = f"T-{next(_numbers)}"
    invoice = Invoice.objects.create(
        customer=customer, number=number, source=number, status="open", currency="IDR", issued_on=due_on, due_on=due_on,
        opened_at=NOW, subtotal=total, total=total, **fields,
    )  # fmt: skip
    InvoiceLine.objects.create(
        invoice=invoice, position=1, kind=LineKind.MANUAL, text="x", amount=total, account=chart.INCOME_OTHER
    )
    entry_post(
        kind=EntryKind.INVOICE, source=f"invoice:{invoice.pk}", occurred_at=NOW,
        lines=[
            Line(chart.RECEIVABLE, Decimal(total), customer.merged_into_id or customer.pk),
            Line(chart.INCOME_OTHER, Decimal(-total)),
        ],
    )  # fmt: skip
    return invoice


def money_of(customer: Customer) -> tuple[int, int]:
    """Balance and debt."""
    customer.refresh_from_db()
    return int(customer.balance), int(customer.debt)


def state_of(*invoices: Invoice) -> list[tuple[str, int]]:
    """Status and what is settled of each."""
    rows = {row.pk: row for row in Invoice.objects.filter(pk__in=[invoice.pk for invoice in invoices])}
    return [(rows[invoice.pk].status, int(rows[invoice.pk].settled_amount)) for invoice in invoices]

"""A customer, a service and bills for the tests of invoices; made directly where other rooms' services are not the point."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.choices import LineKind, PlanType, SubscriptionStatus
from billing.ledger import chart
from billing.models import Invoice, Plan, Posting, Subscription
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue
from customers.models import Customer
from locations.models import Location

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)


def make_customer(number: str = "C1", name: str = "Bu Sri", **fields: Any) -> Customer:
    return Customer.objects.create(number=number, name=name, **fields)


def make_service(customer: Customer, location: Location | None = None, **fields: Any) -> Subscription:
    """A running PPPoE service; no router is asked here."""
    location = location or Location.objects.get_or_create(name="Pos 1", host="127.0.0.1", username="api")[0]
    plan = Plan.objects.get_or_create(name="Paket 10M", type=PlanType.PPPOE, price_sell=150_000)[0]
    values: dict[str, Any] = {
        "status": SubscriptionStatus.ACTIVE, "type": PlanType.PPPOE, "username": f"u{customer.number}",
        "started_on": DAY, "billed_until": date(2026, 12, 22),
    } | fields  # fmt: skip
    return Subscription.objects.create(customer=customer, plan=plan, location=location, **values)


def line(amount: int, account: str = chart.INCOME_SUBSCRIPTION, **extra: Any) -> DraftLine:
    return DraftLine(LineKind.MANUAL, Decimal(amount), account, text="Internet", **extra)


def draft(customer: Customer, source: str = "test:1", *lines: DraftLine, **extra: Any) -> InvoiceDraft:
    return InvoiceDraft(customer.pk, lines or (line(150_000),), source, DAY, DAY, **extra)


def issued(customer: Customer, amount: int = 150_000, source: str = "test:1", **extra: Any) -> Invoice:
    return invoice_issue(draft(customer, source, line(amount), **extra), now=NOW)[0]


def legs(source: str) -> dict[str, Decimal]:
    """Account to amount of one entry; empty when there is none."""
    return dict(Posting.objects.filter(entry__source=source).order_by("account").values_list("account", "amount"))

"""What the payment room listens to."""

from __future__ import annotations

from core.events import subscribe
from customers.events import CustomersErasing
from payments.services.erasing import payments_forget


def erasing(event: CustomersErasing) -> None:
    payments_forget(event.customer_ids)


def subscribe_all() -> None:
    """Critical: a person is erased everywhere or nowhere."""
    subscribe(CustomersErasing, erasing, is_critical=True)

"""What the billing room listens to, and what it lends to the rooms below."""

from __future__ import annotations

from billing.selectors import customers_of_username
from billing.services.erasing import customers_forget
from billing.services.merging import merge_give_back, merge_take_over
from core.events import subscribe
from customers.events import CustomersErasing, CustomersMerged, MergesUndone
from customers.searching import add_lookup


def merges_take_over(event: CustomersMerged) -> None:
    for merge_id in event.merge_ids:
        merge_take_over(merge_id)


def merges_give_back(event: MergesUndone) -> None:
    for merge_id in event.merge_ids:
        merge_give_back(merge_id)


def erasing_check(event: CustomersErasing) -> None:
    customers_forget(event.customer_ids)


def subscribe_all() -> None:
    """All three are critical: a merge without its money, or an erased person with a running service, must not be."""
    subscribe(CustomersMerged, merges_take_over, is_critical=True)
    subscribe(MergesUndone, merges_give_back, is_critical=True)
    subscribe(CustomersErasing, erasing_check, is_critical=True)
    add_lookup("billing.username", customers_of_username)

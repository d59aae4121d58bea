"""What the billing room listens to, and what it lends to the rooms below."""

from __future__ import annotations

from billing.models import Subscription
from billing.selectors import customers_of_username
from billing.services.erasing import customers_forget
from billing.services.merging import merge_give_back, merge_take_over
from core.events import subscribe
from customers.events import CustomersErasing, CustomersMerged, MergesUndone
from customers.searching import add_lookup
from locations.events import AccountsRemoved


def merges_take_over(event: CustomersMerged) -> None:
    for merge_id in event.merge_ids:
        merge_take_over(merge_id)


def merges_give_back(event: MergesUndone) -> None:
    for merge_id in event.merge_ids:
        merge_give_back(merge_id)


def erasing_check(event: CustomersErasing) -> None:
    customers_forget(event.customer_ids)


def logins_let_go(event: AccountsRemoved) -> None:
    """Services keep their account until the router confirmed that it is gone; then its row goes."""
    Subscription.objects.filter(account__in=event.account_ids).update(account=None)


def subscribe_all() -> None:
    """All are critical: a merge without its money, an erased person with a running service, or a login whose removal
    cannot be written down, must not be.
    """
    subscribe(AccountsRemoved, logins_let_go, is_critical=True)
    subscribe(CustomersMerged, merges_take_over, is_critical=True)
    subscribe(MergesUndone, merges_give_back, is_critical=True)
    subscribe(CustomersErasing, erasing_check, is_critical=True)
    add_lookup("billing.username", customers_of_username)

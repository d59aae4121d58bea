"""Merged customers: money always moves on the row that stayed (`merged_into` followed), under its lock.

The lock comes first in every service that moves a customer's money; whoever holds it may lock anything else of that
customer. It is the weak lock (`no_key`): rows that merely point to a customer do not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import DomainError
from customers.models import Customer
from customers.services.history import refuse_gone

STEPS = 20  # a merge that changes under us twenty times in a row is a loop


def root_id_of(customer_id: int) -> int:
    """The customer that stayed. Raises Customer.DoesNotExist."""
    for _step in range(STEPS):
        parent = Customer.objects.values_list("merged_into_id", flat=True).get(pk=customer_id)
        if parent is None:
            return customer_id
        customer_id = parent
    raise RuntimeError("merged customers point in a circle")


def customer_lock(customer_id: int) -> Customer:
    """Lock and return the customer that stayed. Call it before any other lock of this customer's rows."""
    return customers_lock([customer_id])[customer_id]


def customer_lock_living(customer_id: int) -> Customer:
    """The same, for something new: raises TransitionError (`customer.erased`) when the person was erased.

    Without the lock a service could be made for a row that is merged or erased at this moment, and be left behind.
    """
    root = customer_lock(customer_id)
    refuse_gone(root)
    return root


def customers_lock(customer_ids: Iterable[int]) -> dict[int, Customer]:
    """Lock the roots of all, by primary key; returns the root of each id that was asked."""
    asked = sorted(set(customer_ids))
    for _step in range(STEPS):
        roots = _roots(asked)
        rows = _locked_if_still_so(roots)
        if rows is not None:
            return {pk: rows[root] for pk, root in roots.items()}
    raise RuntimeError("merged customers point in a circle")


def _roots(asked: list[int]) -> dict[int, int]:
    parents = dict(Customer.objects.filter(pk__in=asked).values_list("pk", "merged_into_id"))
    if len(parents) < len(asked):
        raise DomainError("customer.unknown", _("This customer does not exist."), status=404)
    return {pk: pk if parent is None else root_id_of(parent) for pk, parent in parents.items()}


def _locked_if_still_so(roots: dict[int, int]) -> dict[int, Customer] | None:
    """None when one was merged, or a merge was undone, while we waited: the locks are given back and taken in order again.

    Whoever merges or undoes holds the lock of the root, so what is read under it stays so.
    """
    with transaction.atomic():
        ids = set(roots.values())
        rows = {
            row.pk: row
            for row in Customer.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True)
        }
        if _roots(list(roots)) == roots:
            return rows
        transaction.set_rollback(True)
    return None


def family_ids(root_ids: Iterable[int]) -> list[int]:
    """The roots and everybody who was merged into them: whose invoices they pay."""
    ids = set(root_ids)
    return sorted(ids | set(Customer.objects.filter(merged_into_id__in=ids).values_list("pk", flat=True)))

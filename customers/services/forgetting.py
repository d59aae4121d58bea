"""Removing customers that were added by something that is taken back, as long as nothing was done with them."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models, transaction
from django.db.models import ProtectedError

from customers.models import Customer

CHUNK = 2000


@transaction.atomic
def customers_forget(ids: Collection[int]) -> int:
    """Remove these customers, except those that anything of the house points to. Returns how many went."""
    ordered, gone = sorted(ids), 0
    for start in range(0, len(ordered), CHUNK):
        gone += _forget(set(ordered[start : start + CHUNK]))
    return gone


def _forget(ids: set[int]) -> int:
    rows = Customer.objects.filter(pk__in=ids, balance=0, debt=0).order_by("pk").select_for_update()
    left = set(rows.values_list("pk", flat=True))
    while left:
        try:
            with transaction.atomic():
                return Customer.objects.filter(pk__in=left).delete()[1].get("customers.Customer", 0)
        except ProtectedError as error:
            kept = {pk for row in error.protected_objects for pk in _customers_of(row)}
            if not kept & left:
                return 0
            left -= kept
    return 0


def _customers_of(row: models.Model) -> set[int]:
    fields = [field for field in row._meta.concrete_fields if field.related_model is Customer]
    return {getattr(row, field.attname) for field in fields} - {None}

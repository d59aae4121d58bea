"""Sending accounts anew, many at a time: locked in id order, one statement for each part of a set."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db.models import F, QuerySet

from locations.choices import Hold
from locations.models import AccessAccount

CHUNK = 5000
Accounts = QuerySet[AccessAccount] | Iterable[int]


def chosen(accounts: Accounts) -> QuerySet[AccessAccount]:
    if isinstance(accounts, QuerySet):
        return accounts.order_by()
    return AccessAccount.objects.filter(pk__in=list(accounts))


def locked_parts(rows: QuerySet[AccessAccount]) -> Iterable[list[tuple[int, int]]]:
    """(account id, location id) of the rows, locked in id order, in parts that one statement can take."""
    locked = iter(
        rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "location_id").iterator(chunk_size=CHUNK)
    )
    while part := list(islice(locked, CHUNK)):
        yield part


def express_again(ids: list[int], priority: int, **changes: Any) -> int:
    """One revision more for each of them, with `changes`: the writer sends it anew."""
    return AccessAccount.objects.filter(pk__in=ids).update(
        revision=F("revision") + 1, priority=priority, hold=Hold.NONE, router_words="", **changes
    )

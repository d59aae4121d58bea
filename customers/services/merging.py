"""Two rows that are one person: the loser becomes a pointer to the one that stays, and for 24 hours that can be undone.

Chains cannot arise: a row that took others in, or was taken in itself, is no loser. So `merged_into` is one step, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.errors import DomainError, TransitionError
from core.events import emit
from customers.events import CustomersMerged, MergesUndone
from customers.models import Customer, CustomerMerge
from customers.selectors import contacts_of, customers_visible_to, documents_of
from customers.services.history import customers_lock, event_write, staff_acted

UNDO_TIME = timedelta(hours=24)


@dataclass(frozen=True)
class MergePreview:
    """What a merge would do: rows that move by model label, and what the customer that stays would have and owe."""

    moved: Mapping[str, int]
    contacts: int
    documents: int
    balance: Decimal
    debt: Decimal


@transaction.atomic
def customers_merge(
    winner: Customer, loser: Customer, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> CustomerMerge:
    """Make `loser` a pointer to `winner`. Rooms above move what is theirs and note it in `moved`; nothing is copied.

    Raises DomainError for the same row or one that is not there for this person, TransitionError (`merge.*`) for rows
    that were merged or erased, and for a loser that took others in.
    """
    now = now or clock.now()
    rows = customers_lock([winner.pk, loser.pk])
    stays, goes = _both(rows, winner, loser, actor)
    _refuse(stays, goes)
    Customer.objects.filter(pk=goes.pk).update(merged_into=stays, updated_at=now)
    merge = CustomerMerge.objects.create(winner=stays, loser=goes, actor=actor, at=now)
    emit(CustomersMerged((merge.pk,)))
    event_write(stays.pk, "merged", at=now, actor=actor, merge=merge.pk, loser=goes.pk, number=goes.number)
    event_write(goes.pk, "merged_away", at=now, actor=actor, merge=merge.pk, winner=stays.pk, number=stays.number)
    staff_acted(actor, "customer.merged", ip, merge=merge.pk, winner=stays.pk, loser=goes.pk)
    merge.refresh_from_db()
    return merge


def _both(
    rows: Mapping[int, Customer], winner: Customer, loser: Customer, actor: User | None
) -> tuple[Customer, Customer]:
    if winner.pk == loser.pk:
        message = _("Choose another customer: this is the same one.")
        raise DomainError("merge.same", message, fields={"loser": message})
    seen = set(rows)
    if actor is not None:
        seen = set(customers_visible_to(actor).filter(pk__in=seen).values_list("pk", flat=True))
    if seen != {winner.pk, loser.pk}:
        raise DomainError("customer.not_found", _("There is no such customer at your locations."), status=404)
    return rows[winner.pk], rows[loser.pk]


def _refuse(winner: Customer, loser: Customer) -> None:
    for row in (winner, loser):
        if row.merged_into_id:
            text = _("Customer %(number)s was merged into another one already. Nothing was changed.")
            raise TransitionError(text % {"number": row.number}, code="merge.merged")
        if row.erased_at:
            text = _("Customer %(number)s was erased and cannot be merged. Nothing was changed.")
            raise TransitionError(text % {"number": row.number}, code="merge.erased")
    if Customer.objects.filter(merged_into=loser).exists():
        text = _("Customer %(number)s took others in itself. Merge the other way round: let it be the one that stays.")
        raise TransitionError(text % {"number": loser.number}, code="merge.chain")


def customers_merge_preview(
    winner: Customer, loser: Customer, *, actor: User | None, now: datetime | None = None
) -> MergePreview:
    """Do it, look, and take it back: what is shown is what will happen. Raises what the merge itself would raise."""
    with transaction.atomic():
        merge = customers_merge(winner, loser, actor=actor, now=now)
        stays = merge.winner
        stays.refresh_from_db()
        preview = MergePreview(
            moved={label: len(ids) for label, ids in merge.moved.items() if isinstance(ids, list) and ids},
            contacts=contacts_of(stays).filter(customer_id=merge.loser_id).count(),
            documents=documents_of(stays).filter(customer_id=merge.loser_id).count(),
            balance=stays.balance,
            debt=stays.debt,
        )
        transaction.set_rollback(True)
    return preview


@transaction.atomic
def customers_merge_undo(
    merge: CustomerMerge, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> CustomerMerge:
    """Take a merge of the last 24 hours back: everything that moved returns. Undoing twice is undoing once.

    Raises TransitionError (`merge.too_late`), DomainError (404) for a customer of other places, and what a room above
    refuses with: something came meanwhile that belongs to both.
    """
    now = now or clock.now()
    rows = customers_lock([merge.winner_id, merge.loser_id])
    if actor is not None and not customers_visible_to(actor).filter(pk=merge.winner_id).exists():
        raise DomainError("customer.not_found", _("There is no such customer at your locations."), status=404)
    fresh = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    if fresh.undone_at is not None:
        return fresh
    if rows[fresh.winner_id].erased_at:
        raise TransitionError(_("This person was erased; the merge stays."), code="merge.erased")
    if now - fresh.at > UNDO_TIME:
        text = _("A merge can be undone for %(n)d hours only.")
        raise TransitionError(text % {"n": UNDO_TIME // timedelta(hours=1)}, code="merge.too_late")
    Customer.objects.filter(pk=fresh.loser_id).update(merged_into=None, updated_at=now)
    fresh.undone_at, fresh.undone_by = now, actor
    fresh.save(update_fields=["undone_at", "undone_by"])
    emit(MergesUndone((fresh.pk,)))
    for pk in (fresh.winner_id, fresh.loser_id):
        event_write(pk, "merge_undone", at=now, actor=actor, merge=fresh.pk)
    staff_acted(actor, "customer.merge_undone", ip, merge=fresh.pk, winner=fresh.winner_id, loser=fresh.loser_id)
    return fresh


def merge_note(merge_id: int, **moved: Any) -> None:
    """For subscribers of CustomersMerged: write down what was moved, by model label, so that the undo finds it."""
    merge = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=merge_id)
    merge.moved = {**merge.moved, **moved}
    merge.save(update_fields=["moved"])

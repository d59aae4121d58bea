"""A new router on its way to being as good as the old one: filled, then compared, then done. A step of the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from core.db.transition import transition
from locations.choices import REPLACEMENT_MOVES, REPLACEMENT_OPEN, ReplacementStatus
from locations.models import RouterReplacement, RouterState
from locations.sync.queue import has_work

MOST_ROUNDS = 3


@transaction.atomic
def replacement_step(location_id: int, now: datetime) -> bool:
    """Go on when nothing is left to send: ask for a comparison, or read its result. True when there is more to do now."""
    row = RouterReplacement.objects.filter(location_id=location_id, status__in=REPLACEMENT_OPEN).first()
    if row is None or has_work(location_id):
        return False
    state = RouterState.objects.get(pk=location_id)
    if state.reconciled_at is None or state.reconciled_at < (row.verify_at or row.started_at):
        return False
    if row.status == ReplacementStatus.PUSHING:
        _move(row, ReplacementStatus.VERIFYING, verify_at=now)
        RouterState.objects.filter(pk=location_id).update(reconcile_due_at=now, is_repair_due=True)
        return True
    if not state.drift.get("missing") and not state.drift.get("different"):
        _move(row, ReplacementStatus.DONE, finished_at=now)
    elif row.rounds + 1 >= MOST_ROUNDS:
        _move(row, ReplacementStatus.FAILED, finished_at=now)
    else:
        _move(row, ReplacementStatus.PUSHING, rounds=row.rounds + 1)
        return True
    return False


def _move(row: RouterReplacement, to: str, **changes: Any) -> None:
    transition(RouterReplacement.objects.filter(pk=row.pk), to=to, allowed=REPLACEMENT_MOVES, **changes)

"""Changes of money that one person asks for; above a limit a second one decides, never the same. Used by every such change.

The change itself (what is posted) belongs to its own service; here is who may decide, once, and what is written down.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import AdjustmentStatus
from billing.models.asked import AskedChange
from billing.services.cash import key_checked
from core.db.locks import lock_row
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.settings_registry import setting

LIMIT = "billing.adjustment_limit"
DECISION_MOVES: dict[str, frozenset[str]] = {
    AdjustmentStatus.WAITING: frozenset({AdjustmentStatus.POSTED, AdjustmentStatus.REJECTED}),
    AdjustmentStatus.POSTED: frozenset(),
    AdjustmentStatus.REJECTED: frozenset(),
}
Asked = TypeVar("Asked", bound=AskedChange)


def needs_second_person(amount: Decimal) -> bool:
    """For the services, and for the form that says so before."""
    return abs(amount) > Decimal(setting(LIMIT))


def ask_once(model: type[Asked], *, reason: str, request_key: str, ask: Callable[[str, str], Asked]) -> Asked:
    """`ask(reason, request_key)` in one transaction. Whoever loses a race of the same key gets the winner's row.

    Raises DomainError (`<noun>.reason`) without a reason, and for a key that is none.
    """
    if not reason.strip():
        message = _("Write why: it stays with the money for good.")
        raise DomainError(f"{model.noun}.reason", message, fields={"reason": message})
    try:
        with transaction.atomic():
            return ask(reason.strip(), key_checked(request_key))
    except IntegrityError:
        known = model._default_manager.filter(request_key=request_key).first()
        if known is None:
            raise
        return known


def waiting_lock(row: Asked, *, is_approved: bool, actor: User) -> Asked:
    """The row, locked, if this person may decide it now.

    Raises DomainError (`<noun>.same_person`) for the one who asked and now approves, TransitionError (`<noun>.decided`).
    """
    fresh = lock_row(type(row)._default_manager.all(), row.pk)
    if is_approved and fresh.requested_by_id == actor.pk:
        message = _("You asked for this yourself: somebody else has to approve it.")
        raise DomainError(f"{row.noun}.same_person", message, status=403)
    if fresh.status != AdjustmentStatus.WAITING:
        raise TransitionError(_("This was decided already."), code=f"{row.noun}.decided")
    return fresh


def decided(row: AskedChange, to: str, *, now: datetime, decided_by: User | None, **changes: Any) -> None:
    """Write the decision; `decided_by` is None where the limit needed nobody."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    transition(rows, to=to, allowed=DECISION_MOVES, decided_by=decided_by, decided_at=now, **changes)

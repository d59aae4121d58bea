"""A voucher's history lines, and who may act on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from billing.services.agents import agent_of
from core.db.locks import lock_row
from core.errors import DomainError
from core.events import emit
from core.staff_events import StaffActed
from locations.selectors import locations_visible_to
from vouchers.models import Voucher, VoucherEvent
from vouchers.selectors import locations_of


def event_write(voucher_id: int, kind: str, *, at: datetime, actor: User | None, **details: Any) -> None:
    VoucherEvent.objects.create(voucher_id=voucher_id, kind=kind, at=at, actor=actor, details=details)


def staff_acted(actor: User | None, action: str, ip: str | None, **details: Any) -> None:
    """Moments become text: the activity log keeps JSON."""
    clean = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in details.items()}
    emit(StaffActed(actor.pk if actor else None, action, clean, ip))


def voucher_for(voucher: Voucher, actor: User | None) -> Voucher:
    """The voucher, locked and fresh, if this person may act on it; nobody (None) is the system.

    Where it is now counts, not where its batch was: a moved voucher belongs to the staff of its new place.
    Raises DomainError (`voucher.not_found`, 404): a code of another place is none of his business.
    """
    fresh = lock_row(Voucher.objects.select_related("batch", "plan"), voucher.pk)
    if actor is not None and actor.role == Role.AGENT:
        agent = agent_of(actor)
        if agent is None or fresh.agent_id != agent.pk:
            raise DomainError("voucher.not_found", _("There is no such voucher in your stock."), status=404)
    elif actor is not None:
        places = {row.pk for row in locations_of(fresh)}
        if not locations_visible_to(actor).filter(pk__in=places).exists():
            raise DomainError("voucher.not_found", _("There is no such voucher at your locations."), status=404)
    return fresh

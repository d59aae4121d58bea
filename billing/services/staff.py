"""What staff did with money, written into the activity log by the room of accounts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from core.events import emit
from core.staff_events import StaffActed


def staff_acted(actor: User | None, action: str, ip: str | None, **details: Any) -> None:
    """Amounts and moments become text: the log keeps JSON."""
    clean = {key: _plain(value) for key, value in details.items()}
    emit(StaffActed(actor.pk if actor else None, action, clean, ip))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value

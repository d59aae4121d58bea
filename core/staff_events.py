"""`StaffActed`: every staff action that changes something emits it; `accounts` writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.events import Event


@dataclass(frozen=True)
class StaffActed(Event):
    """`action` is dotted (`voucher.sold`); `details` holds ids, before and after, never a secret."""

    user_id: int | None
    action: str
    details: Mapping[str, Any] = field(default_factory=dict)
    ip_address: str | None = None

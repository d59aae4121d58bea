"""What the payment room tells the rooms above it. Ids, plural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.events import Event


@dataclass(frozen=True)
class PaymentsConfirmed(Event):
    """The money of these payments has just arrived; what they settle is settled, and services follow."""

    payment_ids: Sequence[int]

"""What the billing room tells the rooms above it. Ids, plural."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.events import Event


@dataclass(frozen=True)
class PlanWithdrawing(Event):
    """A plan is about to leave these locations. Whoever still needs it there raises DomainError, and it stays."""

    plan_id: int
    location_ids: Sequence[int]


@dataclass(frozen=True)
class InvoicesIssued(Event):
    """Bills are open: numbered, posted, and to be told to their customers."""

    invoice_ids: Sequence[int]


@dataclass(frozen=True)
class InvoicesPaid(Event):
    """These invoices have just been settled in full, by a payment, a balance, a credit note or a write-off."""

    invoice_ids: Sequence[int]


@dataclass(frozen=True)
class SubscriptionsStarted(Event):
    """Services that have just been activated, or came back from a pause."""

    subscription_ids: Sequence[int]


@dataclass(frozen=True)
class SubscriptionsIsolated(Event):
    """Services that are held back from now on because a bill is overdue. Their routers follow."""

    subscription_ids: Sequence[int]


@dataclass(frozen=True)
class SubscriptionsReopened(Event):
    """Services that were isolated and are wanted open again: paid, or promised. Their routers follow, first of all."""

    subscription_ids: Sequence[int]


@dataclass(frozen=True)
class SubscriptionsEnded(Event):
    """Services that have just ended for good."""

    subscription_ids: Sequence[int]

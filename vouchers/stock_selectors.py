"""Reads about vouchers in agents' hands."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from accounts.models import User
from billing.models import Agent
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.models import Voucher, VoucherBatch
from vouchers.selectors import batches_visible_to


@dataclass(frozen=True)
class Pile:
    """What an agent has of one batch, and has sold of it."""

    batch: VoucherBatch
    unsold: int
    sold: int


def stock_of(agent: Agent) -> list[Pile]:
    """By batch, the newest first. Served by the index of agents."""
    unsold = Count("pk", filter=Q(status=VoucherStatus.NEW))
    rows = (
        Voucher.objects.filter(agent=agent).values_list("batch_id").annotate(unsold=unsold, all=Count("pk")).order_by()
    )
    counts = {batch_id: (new, total) for batch_id, new, total in rows}
    batches = VoucherBatch.objects.filter(pk__in=counts).select_related("plan").order_by("-id")
    return [Pile(batch, counts[batch.pk][0], counts[batch.pk][1] - counts[batch.pk][0]) for batch in batches]


def batches_to_issue(user: User) -> list[VoucherBatch]:
    """Finished batches this person sees that still have vouchers in no agent's hands, the newest first."""
    free = Voucher.objects.filter(status=VoucherStatus.NEW, agent=None)
    rows = batches_visible_to(user).filter(status=BatchStatus.READY).select_related("plan").order_by("-id")[:200]
    return [batch for batch in rows if free.filter(batch=batch).exists()]

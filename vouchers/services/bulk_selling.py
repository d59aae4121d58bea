"""Selling many vouchers at once: one statement for each kind of row, not one per voucher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from billing.choices import ValidityFrom
from core.db.locks import lock_rows
from locations.choices import Presence, Priority
from locations.models import AccessAccount
from locations.services import accounts_set_validity
from vouchers.choices import PushAt, VoucherStatus
from vouchers.models import Voucher, VoucherEvent, VoucherSale
from vouchers.selectors import accounts_of_many, locations_of, vouchers_visible_to
from vouchers.services.entries import entries_put, limit_uptime
from vouchers.services.history import staff_acted
from vouchers.services.money import agent_may_sell, sales_post
from vouchers.services.retry import deadlock_retried
from vouchers.services.selling import seller_check

CHUNK = 5_000


@dataclass(frozen=True)
class BulkSale:
    """How many were sold for how much, and how many were not new, not in the seller's stock or not his to see."""

    count: int
    amount: Decimal
    skipped: int


def vouchers_sell(
    voucher_ids: Iterable[int], *, actor: User | None, request_key: str, now: datetime, ip: str | None = None
) -> BulkSale:
    """Sell each voucher of the set that is for sale at its batch's price. Chunks of 5,000, a transaction each.

    Asked again with the same `request_key`, what was sold by it is counted as sold, not as skipped. Raises DomainError
    when an agent's deposit is not enough for a chunk: nothing of that chunk is sold.
    """
    ids = sorted(set(voucher_ids))
    parts = [
        _sell_chunk(ids[start : start + CHUNK], actor, request_key, now, ip) for start in range(0, len(ids), CHUNK)
    ]
    return BulkSale(
        sum(part.count for part in parts), sum((part.amount for part in parts), Decimal(0)),
        sum(part.skipped for part in parts),
    )  # fmt: skip


def is_for_sale(row: Voucher) -> bool:
    """New, or one of the house that was used while no sale was recorded: then only the money is written down."""
    return row.status == VoucherStatus.NEW or (row.is_used_unsold and row.agent_id is None)


@deadlock_retried
@transaction.atomic
def _sell_chunk(ids: Sequence[int], actor: User | None, request_key: str, now: datetime, ip: str | None) -> BulkSale:
    agent_id = seller_check(actor)
    visible = Voucher.objects.all() if actor is None else vouchers_visible_to(actor)
    his = Q(agent_id=agent_id) if agent_id else Q(agent=None)
    stock = visible.filter(his, pk__in=ids).select_related("batch", "plan")
    rows = [row for row in lock_rows(stock) if is_for_sale(row)]
    keys = [f"{request_key}-{pk}" for pk in ids]
    known = list(VoucherSale.objects.filter(request_key__in=keys).values_list("amount", flat=True))
    if rows:
        _sell(rows, agent_id, actor, request_key, now, ip)
    amount = sum((row.batch.price for row in rows), Decimal(0)) + sum(known, Decimal(0))
    return BulkSale(len(rows) + len(known), amount, len(ids) - len(rows) - len(known))


def _sell(
    rows: Sequence[Voucher], agent_id: int | None, actor: User | None, request_key: str, now: datetime, ip: str | None
) -> None:
    prices = [row.batch.price for row in rows]
    fresh = [row for row in rows if row.status == VoucherStatus.NEW]
    for row in rows:
        row.sold_at = now
    for row in fresh:
        row.status, row.valid_until = VoucherStatus.SOLD, _valid_until(row, now)
    Voucher.objects.bulk_update(rows, ["status", "sold_at", "valid_until"], batch_size=1000)
    _routers_follow(fresh)
    # locked last, as everywhere: a refusal undoes what was done before it
    commissions = agent_may_sell(agent_id, prices)[1] if agent_id else [Decimal(0)] * len(rows)
    sales = VoucherSale.objects.bulk_create(
        VoucherSale(
            voucher=row, amount=price, cost=row.batch.price_cost, agent_id=agent_id, commission=commission, seller=actor,
            sold_at=now, request_key=f"{request_key}-{row.pk}",
        )
        for row, price, commission in zip(rows, prices, commissions, strict=True)
    )  # fmt: skip
    sales_post(sales)
    VoucherEvent.objects.bulk_create(
        VoucherEvent(
            voucher_id=sale.voucher_id, kind="sold", at=now, actor=actor,
            details={"amount": str(sale.amount), "sale": sale.pk},
        )
        for sale in sales
    )  # fmt: skip
    total = sum(prices, Decimal(0))
    staff_acted(actor, "vouchers.sold", ip, count=len(sales), amount=str(total), first_sale=sales[0].pk)


def _valid_until(row: Voucher, now: datetime) -> datetime | None:
    if row.batch.validity_from != ValidityFrom.SALE or row.batch.duration_seconds is None:
        return None
    return now + timedelta(seconds=row.batch.duration_seconds)


def _routers_follow(rows: Sequence[Voucher]) -> None:
    """Batches that reach the router when sold, and validity that counts from the sale."""
    for row in rows:
        if row.batch.push_at == PushAt.SALE:
            entries_put(
                row, locations_of(row), valid_until=row.valid_until, priority=Priority.PAID,
                limit_uptime_seconds=limit_uptime(row.batch, row.plan.shared_users),
                limit_bytes=row.batch.data_limit_bytes,
            )  # fmt: skip
    there = [row for row in rows if row.batch.push_at != PushAt.SALE and row.valid_until]
    until = {row.code: row.valid_until for row in there if row.valid_until}
    if until:
        entries: Iterable[AccessAccount] = accounts_of_many(there).filter(presence=Presence.PRESENT)
        accounts_set_validity([(entry.pk, until[entry.name]) for entry in entries])

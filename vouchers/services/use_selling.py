"""A code of an agent that a guest used before anybody pressed "sell": used is sold, and his deposit pays for it.

The guest is online already, so nothing here may refuse: not for the credit limit (the ledger lets this kind of entry
pass it, and nothing else) and not for an agent who sells no more. Further sales are refused until he pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from accounts.models import User
from billing.models import Agent
from billing.services.agents import commission_of
from vouchers.models import Voucher, VoucherEvent, VoucherSale
from vouchers.services.money import sales_post

# of the request keys of sales; nobody may ask with such a key (`selling`)
KEY = "used:"


def uses_charge(
    voucher_ids: Sequence[int], *, actor: User | None = None, price: Decimal | None = None, request_key: str = ""
) -> list[VoucherSale]:
    """Write and post the sales of vouchers that were just locked and given their `sold_at`. Each can be charged once.

    `actor`, `price` and `request_key` are given for one voucher that a person charges later.
    """
    if not voucher_ids:
        return []
    rows = Voucher.objects.filter(pk__in=voucher_ids).select_related("batch", "agent").order_by("pk")
    sales = VoucherSale.objects.bulk_create(
        [_sale(row, row.agent, price, request_key) for row in rows if row.agent is not None]
    )
    sales_post(sales)
    VoucherEvent.objects.bulk_create(
        VoucherEvent(
            voucher_id=sale.voucher_id, kind="sold_by_use", at=sale.sold_at, actor=actor,
            details={"amount": str(sale.amount), "sale": sale.pk},
        )
        for sale in sales
    )  # fmt: skip
    return sales


def _sale(voucher: Voucher, agent: Agent, price: Decimal | None, request_key: str) -> VoucherSale:
    """Without a seller: that is how a sale by use is known (`VoucherSale.is_by_use`)."""
    amount = voucher.batch.price if price is None else price
    return VoucherSale(
        voucher=voucher, amount=amount, cost=voucher.batch.price_cost, agent=agent,
        commission=commission_of(agent, amount), request_key=request_key or f"{KEY}{voucher.pk}",
        sold_at=voucher.sold_at,  # type: ignore[misc]  # the caller has just set it
    )  # fmt: skip

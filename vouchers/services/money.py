"""The money of voucher sales in the ledger: cash in the seller's drawer, or taken off the agent's deposit, against income.

Every sale row with an amount has one entry, `voucher_sale:<id>`; the row that takes a sale back has the reversing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import CASH_NAME, EntryKind
from billing.ledger import chart
from billing.ledger.posting import Entry, Line, entries_post, entry_reverse
from billing.models import Agent, JournalEntry
from billing.services.agents import agent_lock, commission_of
from core.errors import DomainError
from core.formats import money
from vouchers.models import Voucher, VoucherLocation, VoucherSale

CHUNK = 5_000


def sales_post(sales: Sequence[VoucherSale], *, account: str | None = None) -> int:
    """Post sales that were just written, with a few statements however many; returns how many entries are new.

    Without `account` the money is in the drawer of each seller; a sale by nobody is money we cannot explain yet.
    """
    plans = dict(Voucher.objects.filter(pk__in=[s.voucher_id for s in sales]).values_list("pk", "plan_id"))
    places = _places([sale.voucher_id for sale in sales])
    entries = [
        _entry(sale, plans[sale.voucher_id], places.get(sale.voucher_id), account) for sale in sales if sale.amount
    ]
    return len(entries_post(entries))


def _entry(sale: VoucherSale, plan_id: int, location_id: int | None, account: str | None) -> Entry:
    if sale.agent_id:
        lines = [
            Line(chart.agent(sale.agent_id), sale.amount - sale.commission),
            Line(chart.AGENT_COMMISSION, sale.commission),
        ]
    else:
        drawer = chart.cash(sale.seller_id) if sale.seller_id else chart.SUSPENSE
        lines = [Line(account or drawer, sale.amount)]
    kind = EntryKind.VOUCHER_USED if sale.is_by_use else EntryKind.VOUCHER_SALE
    return Entry(
        kind, f"voucher_sale:{sale.pk}", [*lines, Line(chart.INCOME_VOUCHER, -sale.amount, plan_id=plan_id)],
        sale.sold_at, actor_id=sale.seller_id, location_id=location_id, agent_id=sale.agent_id,
        method="" if sale.agent_id else CASH_NAME,
    )  # fmt: skip


def sale_unpost(sale: VoucherSale, reversal: VoucherSale, *, actor: User | None) -> None:
    """The reversing entry of a sale that was taken back."""
    if not sale.amount:
        return
    entry = JournalEntry.objects.filter(source=f"voucher_sale:{sale.pk}").first()
    if entry is None:  # sold before the ledger began, and taken back in the minute of the upgrade
        sales_post([sale])
        entry = JournalEntry.objects.get(source=f"voucher_sale:{sale.pk}")
    entry_reverse(entry, occurred_at=reversal.sold_at, actor=actor, reason="", source=f"voucher_sale:{reversal.pk}")


def agent_may_sell(agent_id: int, prices: Sequence[Decimal]) -> tuple[Agent, list[Decimal]]:
    """The agent, locked, and his commission on each price. Raises DomainError (`agent.credit`) beyond deposit and credit."""
    agent = agent_lock(agent_id)
    if not agent.is_active:
        raise DomainError("agent.inactive", _("This agent does not sell any more."), status=409)
    commissions = [commission_of(agent, price) for price in prices]
    room = agent.balance + agent.credit_limit
    needed = sum(prices, Decimal(0)) - sum(commissions, Decimal(0))
    if needed > max(room, Decimal(0)):
        raise DomainError("agent.credit", _credit_sentence(agent, needed, room), status=409)
    return agent, commissions


def _credit_sentence(agent: Agent, needed: Decimal, room: Decimal) -> str:
    if room < 0:  # vouchers of his were used before he sold them
        message = _(
            "The deposit is %(amount)s below the limit, because vouchers were used before they were sold. Pay a deposit "
            "first. Nothing was sold."
        )
        return message % {"amount": money(-room)}
    message = _("The deposit is not enough: %(needed)s needed, %(room)s left. Nothing was sold.")
    return message % {"needed": money(needed), "room": money(room)}


def _places(voucher_ids: Sequence[int]) -> Mapping[int, int]:
    """The location of each voucher that is good at exactly one; a roaming one belongs to none in reports."""
    moved: dict[int, list[int]] = {}
    for voucher_id, location_id in VoucherLocation.objects.filter(voucher_id__in=voucher_ids).values_list(
        "voucher_id", "location_id"
    ):
        moved.setdefault(voucher_id, []).append(location_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, min(l.location_id) FROM vouchers_voucher v JOIN vouchers_batchlocation l ON l.batch_id = v.batch_id "
            "WHERE v.id = ANY(%s) GROUP BY v.id HAVING count(*) = 1",
            [list(voucher_ids)],
        )
        places = dict(cursor.fetchall())
    for voucher_id, ids in moved.items():
        places.pop(voucher_id, None)
        if len(ids) == 1:
            places[voucher_id] = ids[0]
    return places


UNPOSTED = """
SELECT s.id FROM vouchers_vouchersale s WHERE s.amount <> 0
  AND NOT EXISTS (SELECT 1 FROM billing_journalentry e WHERE e.source = 'voucher_sale:' || s.id)"""

# an agent's code that was used is charged in the same moment; one that is not was used before this was so
UNCHARGED = """
SELECT v.id FROM vouchers_voucher v JOIN vouchers_voucherbatch b ON b.id = v.batch_id
WHERE v.used_at IS NOT NULL AND v.sold_at IS NULL AND v.agent_id IS NOT NULL AND v.status <> 'void' AND b.price > 0"""


def old_sales_post() -> int:
    """Post the sales made before there was a ledger; returns how many. Chunks, a transaction each; a second run finds none.

    Their cash left the drawers long ago and nobody wrote where to, so it is booked to the owner: drawers start at what
    is sold from now on.
    """
    total = 0
    while ids := _unposted_ids():
        with transaction.atomic():
            rows = list(VoucherSale.objects.filter(pk__in=ids).select_related("reverses").order_by("pk"))
            total += sales_post([row for row in rows if row.reverses_id is None], account=chart.OWNER)
            for row in rows:
                if row.reverses is not None:
                    sale_unpost(row.reverses, row, actor=None)
                    total += 1
    return total


def _unposted_ids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"{UNPOSTED} ORDER BY s.id LIMIT {CHUNK}")
        return [row[0] for row in cursor.fetchall()]

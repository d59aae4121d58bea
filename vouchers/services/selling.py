"""Selling a voucher and taking a sale back. A sale is a row that never changes; its undoing is another row."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import ValidityFrom
from billing.services.agents import agent_of
from billing.services.drawers import drawer_enter
from core import clock
from core.db.locks import lock_row
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.money import quantise
from locations.choices import Presence, Priority
from locations.services import accounts_remove, accounts_set_validity
from vouchers.choices import VOUCHER_MOVES, PushAt, VoucherStatus
from vouchers.models import Voucher, VoucherSale
from vouchers.selectors import accounts_of, locations_of
from vouchers.services.entries import Usage, entries_put, limit_uptime, wanted_locations
from vouchers.services.history import event_write, staff_acted, voucher_for
from vouchers.services.money import agent_may_sell, sale_unpost, sales_post
from vouchers.services.retry import deadlock_retried
from vouchers.services.use_selling import KEY, uses_charge

UNDO_SECONDS = 60
MAX_KEY = 64


@deadlock_retried
def voucher_sell(
    voucher: Voucher,
    *,
    actor: User | None,
    ip: str | None = None,
    request_key: str,
    amount: Decimal | int | str | None = None,
    now: datetime | None = None,
) -> VoucherSale:
    """Sell at the batch's price, or at `amount`. The same `request_key` returns the sale it made, however often.

    A voucher somebody already logged in with, before anyone pressed "sell", may still be sold, also when its time is
    over: that records the money and changes nothing on the router. One in an agent's hands is then charged to him,
    whoever presses. Raises TransitionError (`voucher.not_sellable`) when it is sold, expired unused or void;
    DomainError for another voucher's key, a voucher of other locations, a negative amount.
    """
    if not request_key or len(request_key) > MAX_KEY or request_key.startswith(KEY):
        raise DomainError(
            "voucher.request_key", _("A request key of 1 to %(n)d characters is needed.") % {"n": MAX_KEY}
        )
    if known := _sale_of_request(request_key, voucher):
        return known
    try:
        with transaction.atomic():
            return _sell(voucher, actor, ip, request_key, amount, now or clock.now())
    except (IntegrityError, TransitionError):
        # a twin of this very request was faster: its sale is our answer
        known = _sale_of_request(request_key, voucher)
        if known is None:
            raise
        return known


def _sale_of_request(request_key: str, voucher: Voucher) -> VoucherSale | None:
    sale = VoucherSale.objects.filter(request_key=request_key).first()
    if sale and (sale.voucher_id != voucher.pk or sale.reverses_id):
        raise DomainError(
            "voucher.request_key_reused", _("This request was already used for another voucher."), status=409
        )
    return sale


def _sell(
    voucher: Voucher, actor: User | None, ip: str | None, request_key: str, amount: Decimal | int | str | None,
    now: datetime,
) -> VoucherSale:  # fmt: skip
    agent_id = seller_check(actor)
    fresh = voucher_for(voucher, actor)
    batch = fresh.batch
    price = _amount(batch.price if amount is None else amount)
    if fresh.is_used_unsold and fresh.agent_id is not None:
        return _charge_agent(fresh, agent_id, actor, ip, request_key, price, now)
    stock_check(fresh, agent_id)
    if fresh.is_used_unsold:
        Voucher.objects.filter(pk=fresh.pk).update(sold_at=now)
    elif fresh.status == VoucherStatus.NEW:
        _to_sold(fresh, now)
    else:
        raise TransitionError(_unsellable(fresh), code="voucher.not_sellable")
    commission = _commission(agent_id, price, batch.price)
    sale = VoucherSale.objects.create(
        voucher=fresh, amount=price, cost=batch.price_cost, agent_id=agent_id, commission=commission, seller=actor,
        sold_at=now, request_key=request_key,
    )  # fmt: skip
    sales_post([sale])
    event_write(fresh.pk, "sold", at=now, actor=actor, amount=str(price), sale=sale.pk)
    staff_acted(actor, "voucher.sold", ip, voucher=fresh.pk, code=fresh.code, amount=str(price), sale=sale.pk)
    return sale


def _charge_agent(
    voucher: Voucher, agent_id: int | None, actor: User | None, ip: str | None, request_key: str, price: Decimal,
    now: datetime,
) -> VoucherSale:  # fmt: skip
    """His code is used and was never paid for: it was in use before being used was being sold. Staff may ask for less."""
    if agent_id is not None and price != voucher.batch.price:
        raise _not_his_price()
    voucher.sold_at = now
    voucher.save(update_fields=["sold_at"])
    [sale] = uses_charge([voucher.pk], actor=actor, price=price, request_key=request_key)
    staff_acted(actor, "voucher.charged", ip, voucher=voucher.pk, code=voucher.code, amount=str(price), sale=sale.pk)
    return sale


def _not_his_price() -> DomainError:
    message = _("Agents sell at the batch's price.")
    return DomainError("voucher.agent_price", message, fields={"amount": message})


def seller_check(actor: User | None) -> int | None:
    """The agent who sells, or None for staff, whose drawer is about to get the money (it is locked before the voucher)."""
    if actor is None:
        return None
    agent = agent_of(actor)
    if agent is None:
        drawer_enter(actor)
        return None
    return agent.pk


def stock_check(voucher: Voucher, agent_id: int | None) -> None:
    """Vouchers in an agent's hands are sold by him: his deposit pays for them."""
    if voucher.agent_id != agent_id:
        raise TransitionError(
            _("Voucher %(code)s is in an agent's stock. Take it back first. Nothing was changed.")
            % {"code": voucher.code},
            code="voucher.of_agent",
        )


def _commission(agent_id: int | None, price: Decimal, list_price: Decimal) -> Decimal:
    if agent_id is None:
        return Decimal(0)
    if price != list_price:
        raise _not_his_price()
    _agent, commissions = agent_may_sell(agent_id, [price])
    return commissions[0]


def _to_sold(voucher: Voucher, now: datetime) -> None:
    batch = voucher.batch
    valid_until = None
    if batch.validity_from == ValidityFrom.SALE and batch.duration_seconds is not None:
        valid_until = now + timedelta(seconds=batch.duration_seconds)
    rows = Voucher.objects.filter(pk=voucher.pk, status=VoucherStatus.NEW)
    transition(rows, to=VoucherStatus.SOLD, allowed=VOUCHER_MOVES, sold_at=now, valid_until=valid_until)
    if batch.push_at == PushAt.SALE:
        entries_put(
            voucher, locations_of(voucher), valid_until=valid_until, priority=Priority.PAID,
            limit_uptime_seconds=limit_uptime(batch, voucher.plan.shared_users), limit_bytes=batch.data_limit_bytes,
        )  # fmt: skip
    elif valid_until is not None:
        wanted = accounts_of(voucher).filter(presence=Presence.PRESENT).values_list("pk", flat=True)
        accounts_set_validity([(pk, valid_until) for pk in wanted.order_by("pk")])


def _amount(amount: Decimal | int | str) -> Decimal:
    value = quantise(amount)
    if value < 0:
        message = _("Write an amount of money, 0 or more.")
        raise DomainError("voucher.amount", message, fields={"amount": message})
    return value


def _unsellable(voucher: Voucher) -> str:
    status = VoucherStatus(voucher.status).label
    if VoucherSale.objects.filter(voucher=voucher, agent__isnull=False, seller=None).exists():
        return _("Voucher %(code)s was used before it was sold and is paid from the deposit. Nothing was changed.") % {
            "code": voucher.code,
        }  # fmt: skip
    if voucher.sold_at is not None and voucher.status in {VoucherStatus.SOLD, VoucherStatus.ACTIVE}:
        return _("Voucher %(code)s is sold already. Nothing was changed.") % {"code": voucher.code}
    return _("Voucher %(code)s is %(status)s and cannot be sold. Nothing was changed.") % {
        "code": voucher.code, "status": status,
    }  # fmt: skip


@deadlock_retried
@transaction.atomic
def voucher_sale_undo(
    sale: VoucherSale, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> VoucherSale:
    """Take a sale back within 60 s while nobody used the voucher; writes the reversing sale and returns it.

    Undoing twice returns the same reversing row. Raises TransitionError (`sale.too_late`, `sale.used`).
    """
    now = now or clock.now()
    voucher = voucher_for(Voucher(pk=sale.voucher_id), actor)
    sale = lock_row(VoucherSale.objects.all(), sale.pk)
    known = VoucherSale.objects.filter(reverses=sale).first()
    if known:
        return known
    if sale.reverses_id:
        raise TransitionError(_("This row already takes a sale back."), code="sale.is_reversal")
    if now - sale.sold_at > timedelta(seconds=UNDO_SECONDS):
        raise TransitionError(
            _("A sale can be undone for %(n)d seconds only.") % {"n": UNDO_SECONDS}, code="sale.too_late"
        )
    if voucher.status != VoucherStatus.SOLD or voucher.used_at or Usage(voucher).was_seen:
        raise TransitionError(_("This voucher was used already; the sale stays."), code="sale.used")
    _to_unsold(voucher)
    reversal = VoucherSale.objects.create(
        voucher=voucher, amount=-sale.amount, cost=-sale.cost, agent_id=sale.agent_id, commission=-sale.commission,
        seller=actor, sold_at=now, reverses=sale, request_key=f"undo-{sale.pk}",
    )  # fmt: skip
    sale_unpost(sale, reversal, actor=actor)
    event_write(voucher.pk, "sale_undone", at=now, actor=actor, sale=sale.pk)
    staff_acted(actor, "voucher.sale_undone", ip, voucher=voucher.pk, code=voucher.code, sale=sale.pk)
    return reversal


def _to_unsold(voucher: Voucher) -> None:
    rows = Voucher.objects.filter(pk=voucher.pk, status=VoucherStatus.SOLD)
    transition(rows, to=VoucherStatus.NEW, allowed=VOUCHER_MOVES, sold_at=None, valid_until=None)
    batch = voucher.batch
    if batch.push_at == PushAt.SALE:
        accounts_remove(accounts_of(voucher).filter(presence=Presence.PRESENT))
    elif voucher.valid_until is not None:
        entries_put(
            voucher, wanted_locations(voucher), valid_until=None, priority=Priority.CHANGE,
            limit_uptime_seconds=limit_uptime(batch, voucher.plan.shared_users), limit_bytes=batch.data_limit_bytes,
        )  # fmt: skip

"""What staff do with one voucher. Methods of `VoucherAdmin`: each offers a `Confirmation` while it is possible."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core import clock
from core.admin import Confirmation
from core.client_ip import client_ip
from core.formats import duration, money
from core.money import quantise
from locations.selectors import locations_visible_to
from vouchers.choices import VoucherStatus
from vouchers.forms import ExtendForm, SellForm, VoidForm, move_form
from vouchers.models import Voucher, VoucherSale
from vouchers.selectors import locations_of
from vouchers.services import voucher_extend, voucher_move, voucher_sale_undo, voucher_sell, voucher_void

if TYPE_CHECKING:
    from vouchers.admin.voucher import VoucherAdmin

UNDO_SECONDS = 60
ALIVE = {VoucherStatus.NEW, VoucherStatus.SOLD, VoucherStatus.ACTIVE}


def sell(self: VoucherAdmin, request: HttpRequest, row: Voucher) -> Confirmation | None:
    if row.status != VoucherStatus.NEW and not row.is_used_unsold:
        return None
    actor: Any = request.user
    is_charge = row.is_used_unsold and row.agent_id is not None

    def run(data: dict[str, Any]) -> str:
        sale = voucher_sell(
            row, actor=actor, ip=client_ip(request), request_key=data["request_key"], amount=data["amount"]
        )
        return _sold_sentence(row, sale)

    title = _("Charge the agent") if is_charge else _("Sell")
    return Confirmation(
        title=title, button=title, run=run, icon="sell", form=SellForm, is_primary=True,
        question=_sell_question(row), initial={"amount": quantise(row.batch.price)},
        permission="vouchers.sell_voucher",
    )  # fmt: skip


def _sell_question(row: Voucher) -> str:
    if not row.is_used_unsold:
        return _("Sell voucher %(code)s?") % {"code": row.code}
    if row.agent is not None:
        text = _("A guest used voucher %(code)s before %(name)s sold it. How much does he owe for it?")
        return text % {"code": row.code, "name": row.agent.name}
    text = _(
        "A guest used voucher %(code)s and no sale was recorded. What did you get for it? Write 0 if it was given away."
    )
    return text % {"code": row.code}


def _sold_sentence(row: Voucher, sale: VoucherSale) -> str:
    words = {"code": row.code, "amount": money(sale.amount), "n": UNDO_SECONDS}
    if sale.is_by_use:
        return _("Voucher %(code)s: %(amount)s taken off the agent's deposit, less his commission.") % words
    if row.is_used_unsold:
        return _("The sale of voucher %(code)s for %(amount)s is recorded.") % words
    return _("Voucher %(code)s sold for %(amount)s. You can undo this for %(n)d seconds.") % words


def undo_sale(self: VoucherAdmin, request: HttpRequest, row: Voucher) -> Confirmation | None:
    if row.status != VoucherStatus.SOLD or row.used_at is not None:
        return None
    sale = VoucherSale.objects.filter(voucher=row, reverses=None, reversal=None).order_by("-id").first()
    if sale is None:
        return None
    left = timedelta(seconds=UNDO_SECONDS) - (clock.now() - sale.sold_at)
    if left <= timedelta(0):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        voucher_sale_undo(sale, actor=actor, ip=client_ip(request))
        return _("The sale of %(code)s is undone; the voucher is new again.") % {"code": row.code}

    return Confirmation(
        title=_("Undo sale"), button=_("Undo sale"), run=run, icon="undo", is_direct=True,
        question=_("Undo the sale of %(code)s?") % {"code": row.code},
        expires_seconds=max(1, int(left.total_seconds())), permission="vouchers.undo_vouchersale",
    )  # fmt: skip


def extend(self: VoucherAdmin, request: HttpRequest, row: Voucher) -> Confirmation | None:
    if row.status == VoucherStatus.VOID:
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        voucher_extend(row, seconds=data["seconds"], actor=actor, ip=client_ip(request))
        return _("Voucher %(code)s got %(time)s more.") % {"code": row.code, "time": duration(data["seconds"])}

    return Confirmation(
        title=_("Extend"), button=_("Extend"), run=run, icon="more_time", form=ExtendForm,
        question=_("How much more time does voucher %(code)s get?") % {"code": row.code},
        permission="vouchers.extend_voucher",
    )  # fmt: skip


def move(self: VoucherAdmin, request: HttpRequest, row: Voucher) -> Confirmation | None:
    if row.status not in ALIVE:
        return None
    actor: Any = request.user
    here = [place.pk for place in locations_of(row)]
    places = locations_visible_to(actor).filter(is_active=True).order_by("name")
    if len(here) == 1:
        places = places.exclude(pk__in=here)

    def run(data: dict[str, Any]) -> str:
        voucher_move(row, location=data["location"], actor=actor, ip=client_ip(request))
        text = _("Voucher %(code)s is good at %(place)s now; the old router removes it when it confirms.")
        return text % {"code": row.code, "place": data["location"].name}

    return Confirmation(
        title=_("Change location"), button=_("Move"), run=run, icon="move_location", form=move_form(places),
        question=_("Where should voucher %(code)s be good?") % {"code": row.code},
        permission="vouchers.move_voucher",
    )  # fmt: skip


def void(self: VoucherAdmin, request: HttpRequest, row: Voucher) -> Confirmation | None:
    if row.status not in ALIVE:
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        voucher_void(row, actor=actor, reason=data["reason"], ip=client_ip(request))
        return _("Voucher %(code)s is void; routers end its sessions.") % {"code": row.code}

    return Confirmation(
        title=_("Void"), button=_("Void"), run=run, icon="block", form=VoidForm, is_danger=True,
        question=_("End voucher %(code)s for good? This cannot be undone.") % {"code": row.code},
        permission="vouchers.void_voucher",
    )  # fmt: skip

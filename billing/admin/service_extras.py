"""Steps about what comes on a service's bills beside its price: add-ons, one-off charges, coupons; methods of
`SubscriptionAdmin` like those of `service_actions`. Each says before what will be credited or asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.admin.service_actions import step
from billing.choices import SubscriptionStatus
from billing.models import Addon, Charge, CouponUse, Subscription
from billing.selectors_services import addons_running, charges_waiting, coupons_running, next_bill_of
from billing.service_forms import AddonForm, ChargeForm, CouponForm, addon_end_form, charge_form, coupon_end_form
from billing.service_words import day_text
from billing.services.engine.unused import addon_credit_worth
from billing.services.history import today_at
from billing.services.subscriptions_extras import (
    addon_add,
    addon_end,
    addon_end_day,
    charge_add,
    charge_bill_now,
    charge_drop,
    coupon_use,
    coupon_use_end,
)
from core import clock
from core.admin import Confirmation
from core.formats import money

if TYPE_CHECKING:
    from billing.admin.subscriptions import SubscriptionAdmin


def add_addon(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED:
        return None
    return step(
        request, row, addon_add, _("The add-on comes on the bills of %(name)s."), title=_("Add-on"), icon="add",
        question=_("What does %(name)s get more, every month?"), form=AddonForm,
    )  # fmt: skip


def add_charge(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED:
        return None

    def run(_row: Subscription, **values: Any) -> None:
        charge_add(customer=row.customer, subscription=row, **values)

    return step(
        request, row, run, _("The charge of %(name)s is written."), title=_("One-off charge"), icon="receipt",
        question=_("What does %(name)s pay once?"), form=ChargeForm,
    )  # fmt: skip


def enter_coupon(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED:
        return None
    return step(
        request, row, coupon_use, _("The coupon comes off the next bills of %(name)s."), title=_("Coupon"), icon="sell",
        question=_("Which coupon does %(name)s use?"), form=CouponForm,
    )  # fmt: skip


def end_addon(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    today = today_at(row, clock.now())
    addons = addons_running(row, today)
    if row.status == SubscriptionStatus.ENDED or not addons:
        return None

    def run(_row: Subscription, *, addon: Addon, **values: Any) -> None:
        addon_end(addon, **values)

    question = [_("Which add-on of %(name)s ends?") % {"name": row.username}]
    question += [_addon_words(addon, row) for addon in addons]
    question.append(
        _(
            "A credit goes to the bill it is on, the rest to the balance. Days used and not billed come on the next bill."
        )
    )
    return step(
        request, row, run, _("The add-on of %(name)s ends as you chose."), title=_("End an add-on"), icon="remove",
        question=" ".join(question).replace("%", "%%"), form=addon_end_form(addons),
    )  # fmt: skip


def _addon_words(addon: Addon, row: Subscription) -> str:
    """What each of the two ways would mean for this add-on."""
    today = today_at(row, clock.now())
    end = addon_end_day(addon, row, today, is_at_once=False)
    values = {"addon": addon.name, "price": money(addon.amount), "day": day_text(end - timedelta(days=1))}
    if end <= addon.from_on:
        return _("%(addon)s (%(price)s a month) would come on no bill.") % values
    now = addon_end_day(addon, row, today, is_at_once=True)
    worth = addon_credit_worth(addon, row, now)
    if not worth:
        return _("%(addon)s (%(price)s a month): until %(day)s, or today without a credit.") % values
    text = _("%(addon)s (%(price)s a month): until %(day)s, or today with %(credit)s credited.")
    return text % (values | {"credit": money(worth)})


def bill_charge(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED or not charges_waiting(row):
        return None

    def run(_row: Subscription, *, charge: Charge, **values: Any) -> None:
        charge_bill_now(charge, **values)

    return step(
        request, row, run, _("The charge of %(name)s is billed."), title=_("Bill a charge now"), icon="receipt",
        question=_("Which charge of %(name)s gets a bill of its own today, instead of waiting for the next one?"),
        form=charge_form(charges_waiting(row)),
    )  # fmt: skip


def drop_charge(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    if row.status == SubscriptionStatus.ENDED or not charges_waiting(row):
        return None

    def run(_row: Subscription, *, charge: Charge, **values: Any) -> None:
        charge_drop(charge, **values)

    return step(
        request, row, run, _("The charge of %(name)s is dropped."), title=_("Drop a charge"), icon="delete",
        question=_("Which charge of %(name)s is dropped? It is on no bill yet; nobody is asked for it then."),
        form=charge_form(charges_waiting(row)), is_danger=True,
    )  # fmt: skip


def end_coupon(self: SubscriptionAdmin, request: HttpRequest, row: Subscription) -> Confirmation | None:
    uses = coupons_running(row)
    if row.status == SubscriptionStatus.ENDED or not uses:
        return None

    def run(_row: Subscription, *, use: CouponUse, **values: Any) -> None:
        coupon_use_end(use, **values)

    bill = next_bill_of(row)
    off = bill.coupons if bill else {}
    question = [_("Which coupon is taken off the bills of %(name)s?") % {"name": row.username}]
    question += [_coupon_words(use, off.get(use.coupon.code)) for use in uses]
    question.append(_("What it took off before stays; nothing is billed now. The same coupon cannot be entered again."))
    return step(
        request, row, run, _("The coupon is off the next bills of %(name)s."), title=_("Take a coupon off"),
        icon="remove", question=" ".join(question).replace("%", "%%"), form=coupon_end_form(uses),
    )  # fmt: skip


def _coupon_words(use: CouponUse, off: Any) -> str:
    values = {"code": use.coupon.code, "n": use.bills_left, "amount": money(off) if off else ""}
    if not off:
        return ngettext("%(code)s: for %(n)d more bill.", "%(code)s: for %(n)d more bills.", use.bills_left) % values
    return ngettext(
        "%(code)s: for %(n)d more bill, %(amount)s off the next one.",
        "%(code)s: for %(n)d more bills, %(amount)s off the next one.", use.bills_left,
    ) % values  # fmt: skip

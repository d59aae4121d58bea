"""What comes on a service's bills beside its price: add-ons, one-off charges, coupons."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import User
from billing import periods
from billing.choices import RUNNING, SubscriptionStatus
from billing.models import Addon, Charge, Coupon, CouponUse, Invoice, Subscription
from billing.services.amounts import amount_positive
from billing.services.engine.lines import addon_lines
from billing.services.engine.unused import addon_credit
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.invoices import InvoiceDraft, charge_bill, charge_cancel, invoice_issue
from billing.services.roots import customer_lock_living
from billing.services.settling import balance_apply
from billing.services.standing import services_reconsider
from billing.services.subscriptions_plans import period_ends_on
from core import clock
from core.db.locks import lock_row
from core.errors import DomainError, TransitionError
from core.events import emit
from core.staff_events import StaffActed
from customers.models import Customer
from customers.selectors import customers_visible_to

LIVING = (SubscriptionStatus.DRAFT, *sorted(RUNNING), SubscriptionStatus.PAUSED)
LONGEST_NAME = 120


def _name(name: str) -> str:
    text = name.strip()
    if not text or len(text) > LONGEST_NAME:
        message = _("Write a name of at most %(n)d characters.") % {"n": LONGEST_NAME}
        raise DomainError("extra.name", message, fields={"name": message})
    return text


@transaction.atomic
def addon_add(
    subscription: Subscription,
    *,
    name: str,
    amount: Decimal | int | str,
    from_on: date | None = None,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Addon:
    """Something more per month from `from_on` (else from the next bill on); days that are billed already are billed now."""
    at = now or clock.now()
    fresh = subscription_for(subscription, actor, statuses=LIVING)
    today = today_at(fresh, at)
    begins = from_on or fresh.billed_until or today
    if fresh.started_on is not None and begins < today and begins != fresh.billed_until:
        message = _("An add-on begins today or later.")
        raise DomainError("addon.from_on", message, fields={"from_on": message})
    addon = Addon.objects.create(
        subscription=fresh, name=_name(name), amount=amount_positive(amount), from_on=begins
    )  # fmt: skip
    if fresh.billed_until is not None and begins < fresh.billed_until:
        _bill_part(fresh, addon, today, now=at, actor=actor)
    event_write(fresh, "addon_added", at=at, actor=actor, name=addon.name, amount=addon.amount, from_on=begins)
    staff_acted(actor, "addon.added", ip, fresh, name=addon.name, amount=addon.amount, from_on=begins)
    return addon


def _bill_part(row: Subscription, addon: Addon, today: date, *, now: datetime, actor: User | None) -> None:
    lines = addon_lines(row, [addon], addon.from_on, row.billed_until or addon.from_on)
    if not lines:
        return
    draft = InvoiceDraft(
        customer_id=row.customer_id, lines=lines, source=f"addon:{addon.pk}", issued_on=today,
        due_on=periods.due_day(today, row.due_days, not_before=today), tax_mode=row.tax_mode, subscription_id=row.pk,
        location_id=row.location_id,
    )  # fmt: skip
    invoice_issue(draft, now=now, actor=actor)
    balance_apply([row.customer_id], now=now)


@transaction.atomic
def addon_end(
    addon: Addon,
    *,
    is_at_once: bool = False,
    reason: str = "",
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Addon:
    """End an add-on with the days that are billed (postpaid: with the running period), or today.

    Today: billed days that are not used are credited, first against the bill they are on, the rest to the balance; days
    used and not billed yet come on the next bill. One that runs out with its period may still be ended today.
    """
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(addon.subscription, actor, statuses=LIVING)
    known = lock_row(Addon.objects.all(), addon.pk)
    last = addon_end_day(known, fresh, today_at(fresh, at), is_at_once=is_at_once)
    if known.until_on is not None and known.until_on <= last:
        raise TransitionError(_("This add-on has ended already."), code="addon.ended")
    credited = addon_credit(known, fresh, last, now=at, actor=actor, ip=ip, reason=why) if is_at_once else Decimal(0)
    known.until_on = last
    known.save(update_fields=["until_on"])
    if credited:
        balance_apply([fresh.customer_id], now=at)
        services_reconsider([fresh.pk], now=at)
    details: dict[str, Any] = {"name": known.name, "until_on": last, "credited": credited}
    event_write(fresh, "addon_ended", at=at, actor=actor, reason=why, **details)
    staff_acted(actor, "addon.ended", ip, fresh, reason=why, **details)
    return known


def addon_end_day(addon: Addon, row: Subscription, today: date, *, is_at_once: bool) -> date:
    """The first day on which it would not run any more; the day of its beginning when it never ran."""
    if row.started_on is None:
        return addon.from_on
    return max(addon.from_on, today if is_at_once else max(today, period_ends_on(row, today)))


@transaction.atomic
def charge_add(
    *,
    customer: Customer,
    subscription: Subscription | None = None,
    name: str,
    amount: Decimal | int | str,
    is_billed_now: bool = False,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Charge:
    """A one-off amount: on the next bill, or on one of its own at once."""
    at = now or clock.now()
    root = customer_lock_living(customer.pk)
    if subscription is not None:
        subscription = subscription_for(subscription, actor, statuses=LIVING)
        if subscription.customer_id != root.pk:
            message = _("This service belongs to another customer.")
            raise DomainError("charge.other_customer", message, fields={"subscription": message})
    elif actor is not None and not customers_visible_to(actor).filter(pk=customer.pk).exists():
        raise DomainError("customer.not_found", _("There is no such customer at your locations."), status=404)
    charge = Charge.objects.create(
        customer_id=root.pk, subscription=subscription, name=_name(name),
        amount=amount_positive(amount), created_by=actor,
    )  # fmt: skip
    details = {"charge": charge.pk, "customer": charge.customer_id, "name": charge.name, "amount": str(charge.amount)}
    emit(StaffActed(actor.pk if actor else None, "charge.added", details, ip))
    if subscription is not None:
        event_write(subscription, "charge_added", at=at, actor=actor, name=charge.name, amount=charge.amount)
    if is_billed_now:
        charge_bill(charge, now=at, actor=actor, ip=ip)
        charge.refresh_from_db()
    return charge


@transaction.atomic
def charge_bill_now(
    charge: Charge, *, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Invoice:
    """Bill a charge of a service that waits for the next bill, on a bill of its own."""
    at = now or clock.now()
    fresh = _service_of(charge, actor)
    invoice = charge_bill(charge, now=at, actor=actor, ip=ip)
    event_write(fresh, "charge_billed", at=at, actor=actor, name=charge.name, amount=charge.amount)
    services_reconsider([fresh.pk], now=at)
    return invoice


@transaction.atomic
def charge_drop(charge: Charge, *, actor: User | None, ip: str | None = None, now: datetime | None = None) -> None:
    """Forget a charge of a service that waits for the next bill: nobody is asked for it."""
    at = now or clock.now()
    fresh = _service_of(charge, actor)
    charge_cancel(charge, now=at, actor=actor, ip=ip)
    event_write(fresh, "charge_cancelled", at=at, actor=actor, name=charge.name, amount=charge.amount)


def _service_of(charge: Charge, actor: User | None) -> Subscription:
    if charge.subscription is None:
        raise DomainError("charge.no_service", _("This charge belongs to no service."), status=409)
    return subscription_for(charge.subscription, actor, statuses=LIVING)


@transaction.atomic
def coupon_use(
    subscription: Subscription, *, code: str, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> CouponUse:
    """Enter a coupon: it comes off the next bills, as many as it says. Once per service, and not more often than it may."""
    at = now or clock.now()
    fresh = subscription_for(subscription, actor, statuses=LIVING)
    today = today_at(fresh, at)
    coupon = Coupon.objects.filter(code__iexact=code.strip(), is_active=True).first()
    is_valid = coupon is not None and not (
        (coupon.valid_from and today < coupon.valid_from) or (coupon.valid_until and today > coupon.valid_until)
    )
    if coupon is None or not is_valid:
        raise _coupon_refused(_("There is no such coupon now."))
    if CouponUse.objects.filter(coupon=coupon, subscription=fresh).exists():
        raise _coupon_refused(_("This coupon was used for this service already."))
    free = Q(max_uses=None) | Q(used__lt=F("max_uses"))
    if not Coupon.objects.filter(free, pk=coupon.pk).update(used=F("used") + 1):
        raise _coupon_refused(_("This coupon was used as often as it may be."))
    try:
        with transaction.atomic():
            use = CouponUse.objects.create(
                coupon=coupon, subscription=fresh, bills_left=coupon.bills, at=at, actor=actor
            )  # fmt: skip
    except IntegrityError:
        raise _coupon_refused(_("This coupon was used for this service already.")) from None
    event_write(fresh, "coupon_used", at=at, actor=actor, code=coupon.code, bills=coupon.bills)
    staff_acted(actor, "coupon.used", ip, fresh, code=coupon.code)
    return use


def _coupon_refused(message: str) -> DomainError:
    return DomainError("coupon.refused", message, fields={"code": message})


@transaction.atomic
def coupon_use_end(use: CouponUse, *, actor: User | None, ip: str | None = None, now: datetime | None = None) -> None:
    """Take a coupon off the bills to come; what it took off before stays."""
    fresh = subscription_for(use.subscription, actor)
    row = lock_row(CouponUse.objects.all(), use.pk)
    if not row.bills_left:
        raise TransitionError(_("This coupon is used up already."), code="coupon.ended")
    CouponUse.objects.filter(pk=row.pk).update(bills_left=0)
    event_write(fresh, "coupon_ended", at=now or clock.now(), actor=actor, code=use.coupon.code)
    staff_acted(actor, "coupon.ended", ip, fresh, code=use.coupon.code)

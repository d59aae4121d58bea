"""A customer who brings the money of several months today: they are billed now, with the discount for so many.

Which discount that is stands on the plan, or on the service where something else was agreed with its customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import periods
from billing.choices import RUNNING, BillingMode, SubscriptionStatus
from billing.models import Invoice, PrepayDiscount, Subscription
from billing.services.engine.bills import Extras, bill_of, bills_due, bills_write, rhythm_of
from billing.services.history import event_write, staff_acted, subscription_for, today_at
from billing.services.money_preview import MoneyPreview, money_preview
from billing.services.settling import balance_apply
from billing.services.standing import services_reconsider
from core import clock
from core.errors import DomainError, TransitionError

MOST_MONTHS = 24
MOST_AHEAD = timedelta(days=3 * 366)
LIVING = (SubscriptionStatus.DRAFT, *sorted(RUNNING), SubscriptionStatus.PAUSED)


@transaction.atomic
def subscription_pay_ahead(
    subscription: Subscription,
    *,
    months: int,
    from_on: date | None = None,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Invoice | None:
    """Bill the next `months` now, on one bill, to be paid when they begin; None when they cost nothing.

    A part of a month that waits for its first full bill comes with them. `from_on`: the first day as the caller saw it,
    so that a request sent twice is refused instead of billing twice (TransitionError `paying_ahead.moved`).
    """
    at = now or clock.now()
    fresh = subscription_for(subscription, actor, statuses=RUNNING)
    today = today_at(fresh, at)
    if from_on is not None and fresh.billed_until != from_on:
        text = _("This service is billed until another day meanwhile. Nothing was changed.")
        raise TransitionError(text, code="paying_ahead.moved")
    bills_write(bills_due([fresh], today), now=at)
    start = fresh.billed_until or today
    end = _end(fresh, start, months, today)
    bill = bill_of(fresh, start, end, Extras([fresh]), today, issued_on=today)
    if bill.draft is not None:
        due = periods.due_day(max(start, today), fresh.due_days, not_before=today)
        bill = replace(bill, draft=replace(bill.draft, due_on=due))
    bills_write([bill], now=at)
    balance_apply([fresh.customer_id], now=at)
    services_reconsider([fresh.pk], now=at)
    made = Invoice.objects.filter(source=bill.source).first() if bill.draft else None
    details: dict[str, Any] = {
        "months": months,
        "from_on": start,
        "until_on": end,
        "number": made.number if made else "",
    }
    event_write(fresh, "paid_ahead", at=at, actor=actor, **details)
    staff_acted(actor, "subscription.paid_ahead", ip, fresh, **details)
    return made


def pay_ahead_preview(
    subscription: Subscription, *, months: int, actor: User | None, now: datetime | None = None, **_more: Any
) -> MoneyPreview:
    """What it would bill. Raises what doing it would raise."""
    return money_preview(
        subscription, lambda: subscription_pay_ahead(subscription, months=months, actor=actor, now=now)
    )


def _end(row: Subscription, start: date, months: int, today: date) -> date:
    message = ""
    if row.billing_mode == BillingMode.POSTPAID:
        message = _("A postpaid service is billed after it was used. Change its terms to prepaid first.")
    elif not 1 <= months <= MOST_MONTHS:
        message = _("1 to %(n)d months.") % {"n": MOST_MONTHS}
    else:
        anchor = rhythm_of(row, start).anchor
        first = start if periods.is_boundary(anchor, start) else periods.boundary_after(anchor, start)
        end = periods.boundaries_later(anchor, first, months)
        if end <= today + MOST_AHEAD:
            return end
        message = _("At most three years ahead.")
    raise DomainError("paying_ahead.months", message, fields={"months": message})


@transaction.atomic
def prepay_discounts_put(
    subscription: Subscription,
    *,
    discounts: Mapping[int, Decimal | int | str] | None,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Subscription:
    """Agree on other discounts for months paid ahead than the plan's: percent by months; None: the plan's hold again."""
    fresh = subscription_for(subscription, actor, statuses=LIVING)
    known = None if discounts is None else {str(n): _percent(n, discounts[n]) for n in sorted(discounts)}
    before = fresh.prepay_discounts
    if known == before:
        return fresh
    fresh.prepay_discounts = known
    fresh.save(update_fields=["prepay_discounts", "updated_at"])
    event_write(fresh, "prepay_changed", at=now or clock.now(), actor=actor, before=before, after=known)
    staff_acted(actor, "subscription.prepay_changed", ip, fresh, before=before, after=known)
    return fresh


def _percent(months: int, percent: Decimal | int | str) -> str:
    try:
        row = PrepayDiscount(months=months, percent=Decimal(str(percent)))
        row.clean_fields(exclude=["plan"])
    except (ValidationError, ArithmeticError):
        message = _("2 to 24 months, and 0 to 100 percent with at most 2 decimals.")
        raise DomainError("paying_ahead.discounts", message, fields={"discounts": message}) from None
    return f"{row.percent.normalize():f}"

"""Vacation: no service and no bills while it lasts.

Days that were billed and not used are credited when the service comes back, by exactly the days it was paused; the
periods themselves stay where they are, so the day of the month never moves. Days used and not billed yet (postpaid, or a
first part of a month that waits) are billed at once. Days after the billed ones are simply not billed: the next bill
begins with the day of the return.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import SUBSCRIPTION_MOVES, SubscriptionStatus
from billing.events import SubscriptionsStarted
from billing.models import Subscription
from billing.services.engine.bills import billed_until_set, bills_due, bills_write
from billing.services.engine.unused import unused_credit, used_part_bill
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.settling import balance_apply
from billing.services.subscriptions import bills_bring_up
from billing.services.subscriptions_logins import login_put
from core import clock
from core.db.transition import transition
from core.errors import DomainError
from core.events import emit
from locations.choices import Priority


@transaction.atomic
def subscription_pause(
    subscription: Subscription,
    *,
    reason: str = "",
    resume_on: date | None = None,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Subscription:
    """Switch the login off and bill nothing until it comes back: by a person, or by itself on `resume_on`."""
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE])
    before, today = fresh.status, today_at(fresh, at)
    if resume_on is not None and resume_on <= today:
        message = _("The service comes back on a day after today.")
        raise DomainError("subscription.resume_on", message, fields={"resume_on": message})
    bills_write(bills_due([fresh], today, lead_days=0), now=at)
    used_part_bill(fresh, today, now=at)
    balance_apply([fresh.customer_id], now=at)
    transition(
        Subscription.objects.filter(pk=fresh.pk), to=SubscriptionStatus.PAUSED, allowed=SUBSCRIPTION_MOVES,
        paused_on=today, resume_on=resume_on,
    )  # fmt: skip
    fresh.refresh_from_db()
    login_put(fresh, priority=Priority.CHANGE)
    event_write(
        fresh, "paused", at=at, actor=actor, reason=why, from_status=before, to_status=SubscriptionStatus.PAUSED,
        resume_on=resume_on,
    )  # fmt: skip
    staff_acted(actor, "subscription.paused", ip, fresh, reason=why, resume_on=resume_on)
    return fresh


@transaction.atomic
def subscription_resume(
    subscription: Subscription, *, reason: str = "", actor: User | None, ip: str | None = None,
    now: datetime | None = None, day: date | None = None,
) -> Subscription:  # fmt: skip
    """Open the service again; paused days that were paid for are credited. `day` overrules today (a night that was missed)."""
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.PAUSED])
    today = day or today_at(fresh, at)
    paused_on = fresh.paused_on or today
    billed_until = fresh.billed_until or today
    credited = unused_credit(
        fresh, paused_on, min(today, billed_until), why="paused", now=at, actor=actor, ip=ip
    )  # fmt: skip
    if billed_until < today:
        billed_until_set({fresh.pk: today})
    transition(
        Subscription.objects.filter(pk=fresh.pk), to=SubscriptionStatus.ACTIVE, allowed=SUBSCRIPTION_MOVES,
        paused_on=None, resume_on=None,
    )  # fmt: skip
    fresh.refresh_from_db()
    login_put(fresh, priority=Priority.PAID)
    event_write(
        fresh, "resumed", at=at, actor=actor, reason=why, from_status=SubscriptionStatus.PAUSED,
        to_status=SubscriptionStatus.ACTIVE, paused_on=paused_on, days=(today - paused_on).days, credited=credited,
    )  # fmt: skip
    staff_acted(actor, "subscription.resumed", ip, fresh, reason=why, credited=credited)
    bills_bring_up(fresh, today, now=at, is_fresh=True)
    emit(SubscriptionsStarted([fresh.pk]))
    fresh.refresh_from_db()
    return fresh

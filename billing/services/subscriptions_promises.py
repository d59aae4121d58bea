"""Promises to pay, and the grace a person ends early. Whether a service is open follows from them by the one rule."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from billing.choices import PROMISE_MOVES, PromiseStatus, SubscriptionStatus
from billing.models import Promise, Subscription
from billing.selectors import overdue_since
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.standing import services_reconsider
from core import clock
from core.db.transition import transition, transition_set
from core.errors import DomainError, TransitionError
from core.settings_registry import setting

LONGEST = "billing.promise_days"
OVERDUE = (SubscriptionStatus.ACTIVE, SubscriptionStatus.GRACE, SubscriptionStatus.ISOLATED)


@transaction.atomic
def promise_to_pay(
    subscription: Subscription,
    *,
    until_on: date,
    note: str = "",
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Promise:
    """Open the service until that day (included) though a bill is overdue; a promise that is open is replaced.

    Raises DomainError for a day that has passed or is too far, and when nothing is overdue.
    """
    at = now or clock.now()
    text = reason_checked(note)
    fresh = subscription_for(subscription, actor, statuses=OVERDUE)
    today = today_at(fresh, at)
    until_checked(until_on, today)
    if overdue_since(fresh, today) is None:
        raise TransitionError(_("Nothing is overdue; there is nothing to promise."), code="promise.not_overdue")
    transition_set(
        Promise.objects.filter(subscription=fresh), to=PromiseStatus.CANCELLED, allowed=PROMISE_MOVES, ended_at=at
    )
    promise = Promise.objects.create(subscription=fresh, until_on=until_on, note=text, actor=actor, at=at)
    Subscription.objects.filter(pk=fresh.pk).update(isolated_by_hand_on=None)
    event_write(fresh, "promised", at=at, actor=actor, reason=text, until_on=until_on)
    staff_acted(actor, "promise.made", ip, fresh, until_on=until_on, note=text)
    services_reconsider([fresh.pk], now=at, actor=actor, reason=text)
    return promise


def until_checked(until_on: date, today: date) -> None:
    longest = int(setting(LONGEST))
    if not today <= until_on <= today + timedelta(days=longest):
        message = ngettext(
            "From today to %(n)d day ahead.", "From today to %(n)d days ahead.", longest
        ) % {"n": longest}  # fmt: skip
        raise DomainError("promise.until_on", message, fields={"until_on": message})


@transaction.atomic
def promise_cancel(promise: Promise, *, actor: User | None, ip: str | None = None, now: datetime | None = None) -> None:
    """Take a promise back; the service is judged by its bills again. Raises TransitionError when it has ended."""
    at = now or clock.now()
    fresh = subscription_for(promise.subscription, actor)
    rows = Promise.objects.filter(pk=promise.pk)
    transition(rows, to=PromiseStatus.CANCELLED, allowed=PROMISE_MOVES, ended_at=at)
    event_write(fresh, "promise_cancelled", at=at, actor=actor, until_on=promise.until_on)
    staff_acted(actor, "promise.cancelled", ip, fresh, until_on=promise.until_on)
    services_reconsider([fresh.pk], now=at, actor=actor)


@transaction.atomic
def subscription_isolate(
    subscription: Subscription, *, reason: str, actor: User | None, ip: str | None = None, now: datetime | None = None
) -> Subscription:
    """Hold an overdue service back now instead of after its days of grace; a promise ends with it.

    It opens by itself when nothing is overdue any more. Raises TransitionError when nothing is overdue: who has paid is
    never held back.
    """
    at = now or clock.now()
    why = reason_checked(reason, is_needed=True)
    fresh = subscription_for(subscription, actor, statuses=OVERDUE)
    today = today_at(fresh, at)
    if overdue_since(fresh, today) is None:
        raise TransitionError(_("Nothing is overdue; a customer who has paid is not held back."), code="isolate.paid")
    transition_set(
        Promise.objects.filter(subscription=fresh), to=PromiseStatus.CANCELLED, allowed=PROMISE_MOVES, ended_at=at
    )
    Subscription.objects.filter(pk=fresh.pk).update(isolated_by_hand_on=today)
    staff_acted(actor, "subscription.isolated", ip, fresh, reason=why)
    services_reconsider([fresh.pk], now=at, actor=actor, reason=why)
    fresh.refresh_from_db()
    return fresh

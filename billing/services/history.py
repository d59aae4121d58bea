"""A subscription's history lines, and who may act on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.models import Subscription, SubscriptionEvent
from billing.services.roots import STEPS
from core.clock import local_date
from core.errors import DomainError, TransitionError
from core.events import emit
from core.staff_events import StaffActed
from locations.selectors import locations_visible_to

MAX_REASON = 300


def event_write(
    subscription: Subscription,
    kind: str,
    *,
    at: datetime,
    actor: User | None,
    reason: str = "",
    from_status: str = "",
    to_status: str = "",
    **details: Any,
) -> None:
    """One line; statuses are given when it was a move."""
    SubscriptionEvent.objects.create(
        subscription_id=subscription.pk, kind=kind, from_status=from_status, to_status=to_status, at=at, actor=actor,
        reason=reason, details=plain(details),
    )  # fmt: skip


def staff_acted(actor: User | None, action: str, ip: str | None, subscription: Subscription, **details: Any) -> None:
    """The same for the activity log: which service of whom, and what."""
    known = {
        "subscription": subscription.pk, "username": subscription.username, "customer": subscription.customer_id,
    }  # fmt: skip
    emit(StaffActed(actor.pk if actor else None, action, plain(known | details), ip))


def plain(details: dict[str, Any]) -> dict[str, Any]:
    """Days, moments and amounts as text: both logs keep JSON."""
    return {
        key: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
        for key, value in details.items()
    }


def reason_checked(reason: str, *, is_needed: bool = False) -> str:
    """Raises DomainError for a reason that is missing where one is needed, or too long."""
    text = reason.strip()
    if len(text) > MAX_REASON or (is_needed and not text):
        message = _("Write a reason of at most %(n)d characters.") % {"n": MAX_REASON}
        raise DomainError("subscription.reason", message, fields={"reason": message})
    return text


def subscription_for(
    subscription: Subscription, actor: User | None, *, statuses: Iterable[str] | None = None
) -> Subscription:
    """The subscription, locked behind its customer and fresh, if this person may act on it; nobody (None) is the system.

    Raises DomainError (`subscription.not_found`, 404) for a service of other people's locations, TransitionError
    (`subscription.state`) when it is in none of `statuses`.
    """
    fresh = subscriptions_lock([subscription.pk]).get(subscription.pk)
    if fresh is None or (actor is not None and not locations_visible_to(actor).filter(pk=fresh.location_id).exists()):
        raise DomainError("subscription.not_found", _("There is no such service at your locations."), status=404)
    if statuses is not None and fresh.status not in set(statuses):
        message = _("%(name)s is %(status)s; that is not possible now. Nothing was changed.")
        values = {"name": fresh.username, "status": fresh.get_status_display()}
        raise TransitionError(message % values, code="subscription.state")
    return fresh


def subscriptions_lock(ids: Sequence[int]) -> dict[int, Subscription]:
    """Lock the customers first, then the services, each by primary key; the fresh rows by id. In a transaction only."""
    locked = services_lock(ids)
    return {row.pk: row for row in Subscription.objects.filter(pk__in=locked).select_related("plan", "location")}


_CUSTOMERS = """
SELECT c.id FROM customers_customer c WHERE c.id IN (SELECT s.customer_id FROM billing_subscription s WHERE s.id = ANY(%s))
ORDER BY c.id FOR NO KEY UPDATE
"""
_SERVICES = "SELECT id, customer_id FROM billing_subscription WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def services_lock(ids: Sequence[int]) -> list[int]:
    """The same locks without reading the rows, for thousands; the ids that exist.

    A service always belongs to the customer that stayed; one that changed hands while we waited is tried again.
    """
    for _attempt in range(STEPS):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CUSTOMERS, [list(ids)])
            customers = {row[0] for row in cursor.fetchall()}
            cursor.execute(_SERVICES, [list(ids)])
            rows = cursor.fetchall()
            if all(customer in customers for _pk, customer in rows):
                return [pk for pk, _customer in rows]
            transaction.set_rollback(True)  # the locks are given back, so that the next try starts in order
    raise TransitionError(_("The customer is being merged; try again."))


def today_at(subscription: Subscription, now: datetime) -> date:
    """The calendar day where the service is."""
    return local_date(subscription.location.timezone, now)

"""A customer's history lines, and who may act on it.

Neither events nor the activity log may hold a name, a phone number or anything else that tells who somebody is: both
only grow, and a person can be erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError, TransitionError
from core.events import emit
from core.staff_events import StaffActed
from customers.models import Customer, CustomerEvent
from customers.selectors import customers_visible_to
from locations.models import Location
from locations.selectors import locations_visible_to


def event_write(customer_id: int, kind: str, *, at: datetime, actor: User | None, **details: Any) -> None:
    CustomerEvent.objects.create(customer_id=customer_id, kind=kind, at=at, actor=actor, details=details)


def staff_acted(actor: User | None, action: str, ip: str | None, **details: Any) -> None:
    emit(StaffActed(actor.pk if actor else None, action, details, ip))


def customers_lock(ids: Iterable[int]) -> dict[int, Customer]:
    """Lock rows by primary key, with the weak lock: rows that point to a customer do not wait for it."""
    rows = Customer.objects.filter(pk__in=set(ids)).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}


def customer_for(customer: Customer, actor: User | None) -> Customer:
    """The customer, locked and fresh, if this person may change it; nobody (None) is the system.

    Raises DomainError (`customer.not_found`, 404) for one of another place, TransitionError for one that was merged
    or erased.
    """
    fresh = customers_lock([customer.pk]).get(customer.pk)
    if fresh is None or not _is_visible(fresh, actor):
        raise DomainError("customer.not_found", _("There is no such customer at your locations."), status=404)
    refuse_gone(fresh)
    return fresh


def refuse_gone(customer: Customer) -> None:
    """Raises TransitionError for a row that is only kept for its bills."""
    if customer.merged_into_id:
        text = _("Customer %(number)s was merged into another one; change that one.")
        raise TransitionError(text % {"number": customer.number}, code="customer.merged")
    if customer.erased_at:
        text = _("Customer %(number)s was erased; nothing can be written about this person.")
        raise TransitionError(text % {"number": customer.number}, code="customer.erased")


def location_allowed(location: Location | None, actor: User | None) -> None:
    """Raises DomainError when this person may not put a customer at this place.

    Somebody who is limited to his locations must name one: a customer without a place would be out of his sight.
    """
    if actor is None:
        return
    places = locations_visible_to(actor)
    if not places.query.where:
        return
    if location is None or not places.filter(pk=location.pk).exists():
        message = _("Choose one of your own locations.")
        raise DomainError("customer.not_your_location", message, fields={"location": message})


def _is_visible(customer: Customer, actor: User | None) -> bool:
    return actor is None or customers_visible_to(actor).filter(pk=customer.pk).exists()

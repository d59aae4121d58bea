"""Where something new of a plan goes, when a group of locations chooses."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from billing.models import Plan
from billing.selectors import publications
from core.errors import DomainError
from locations.models import LocationGroup
from locations.selectors import locations_visible_to
from locations.services import Choice, location_choose
from locations.services.balancing import Point


def place_choose(
    plan: Plan, group: LocationGroup, *, point: Point | None = None, actor: User | None, now: datetime
) -> Choice:
    """Among the group's locations where the plan is published and this person works; why is written down.

    `point`: where the customer is. Raises DomainError (`balancing.none`, field `group`) when none can take it.
    """
    places = publications(plan.pk, list(group.places.values_list("location_id", flat=True)))
    allowed = set(places)
    if actor is not None:
        allowed &= set(locations_visible_to(actor).values_list("pk", flat=True))
    try:
        return location_choose(group, allowed=allowed, point=point, now=now, actor=actor)
    except DomainError as error:
        raise DomainError(error.code, error.message, fields={"group": str(error.message)}, status=409) from None

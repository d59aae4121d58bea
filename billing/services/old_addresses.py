"""Addresses of static services that ended before such addresses were shut: found, and shut when a person says so.

Whether one of them serves something else by now nobody here can know, and one that a person opened again must stay open.
So nothing does this by itself: `manage.py shut_old_addresses` lists them first.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from billing.choices import PlanType, SubscriptionStatus
from billing.models import Subscription
from locations.choices import Presence
from locations.models import AccessAccount
from locations.selectors import shut_address
from locations.services import addresses_pass

Place = tuple[int, str]  # location id, address


def old_addresses() -> list[Place]:
    """Where an ended static service was, and nothing keeps its address shut, and nobody has it now; by location."""
    ended = Subscription.objects.filter(type=PlanType.STATIC, status=SubscriptionStatus.ENDED)
    rows = ended.exclude(static_address=None).values_list("location_id", "static_address")
    left = {(location, str(address)) for location, address in rows}
    addresses = {address for _location, address in left}
    living = Subscription.objects.exclude(status=SubscriptionStatus.ENDED).filter(static_address__in=addresses)
    accounts = AccessAccount.objects.filter(presence=Presence.PRESENT, static_address__in=addresses)
    for taken in (living, accounts):
        left -= {(location, str(address)) for location, address in taken.values_list("location_id", "static_address")}
    return sorted(place for place in left if shut_address(*place) is None)


@transaction.atomic
def old_addresses_shut(places: Sequence[Place]) -> None:
    """Keep these shut like those of services that end now: until somebody gets them, or a person opens them."""
    addresses_pass(left=places)

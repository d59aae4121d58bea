"""Groups of locations: made and changed by people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import events
from core.errors import DomainError
from core.staff_events import StaffActed
from locations.choices import Strategy
from locations.models import GroupPlace, Location, LocationGroup

EDITABLE = {"name", "strategy", "manual_location", "max_cpu_load"}


@transaction.atomic
def group_put(
    group: LocationGroup | None,
    *,
    locations: Iterable[Location] | None = None,
    paused: Iterable[Location] | None = None,
    actor: User | None,
    ip: str | None = None,
    **fields: Any,
) -> LocationGroup:
    """Make a group, or change one. `locations` are all its members, `paused` those that get nothing new for now.

    What is not given stays. Raises DomainError per field, and for "always the one chosen here" without one of them.
    """
    unknown = sorted(set(fields) - EDITABLE)
    if unknown:
        raise DomainError("group.unknown_field", _("Unknown field."), {name: _("Unknown field.") for name in unknown})
    is_new = group is None
    row = LocationGroup() if group is None else LocationGroup.objects.select_for_update().get(pk=group.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        problems = {name: texts[0] for name, texts in error.message_dict.items()}
        raise DomainError("group.invalid", _("Please correct the marked fields."), problems) from None
    row.save()
    if locations is not None:
        _members_put(row, list(locations))
    if paused is not None:
        _paused_put(row, list(paused))
    _check_manual(row)
    details = {"group": row.pk, "name": row.name, "strategy": row.strategy, "fields": sorted(fields)}
    details["locations"] = list(row.places.order_by("location_id").values_list("location_id", flat=True))
    events.emit(StaffActed(actor.pk if actor else None, "group.added" if is_new else "group.changed", details, ip))
    return row


def _members_put(group: LocationGroup, locations: list[Location]) -> None:
    wanted = {location.pk for location in locations}
    here = set(group.places.values_list("location_id", flat=True))
    group.places.exclude(location__in=wanted).delete()
    # a newcomer does not get everything until it has caught up with turns it never had
    GroupPlace.objects.bulk_create(
        GroupPlace(group=group, location_id=pk, last_turn=group.turn) for pk in sorted(wanted - here)
    )


def _paused_put(group: LocationGroup, locations: list[Location]) -> None:
    paused = [location.pk for location in locations]
    group.places.filter(location__in=paused).update(is_paused=True)
    group.places.exclude(location__in=paused).update(is_paused=False)


def _check_manual(group: LocationGroup) -> None:
    manual = group.manual_location_id
    if group.strategy == Strategy.MANUAL and (manual is None or not group.places.filter(location_id=manual).exists()):
        text = _("Choose one of the group's locations.")
        raise DomainError("group.invalid", text, {"manual_location": text})


@transaction.atomic
def group_remove(group: LocationGroup, *, actor: User | None, ip: str | None = None) -> None:
    """Nothing is shared out by it any more; choices made stay written down."""
    details = {"group": group.pk, "name": group.name}
    group.delete()
    events.emit(StaffActed(actor.pk if actor else None, "group.removed", details, ip))

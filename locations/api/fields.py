"""Fields that name locations; only those the caller may see exist for him."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from core.api.serializers import MAX_ID, id_field
from locations.models import Location, LocationGroup
from locations.selectors import groups_visible_to, locations_visible_to


class LocationsField(serializers.ListField):
    """Ids of 1 to 500 different locations; the validated value is the locations themselves, by name."""

    def __init__(self, **kwargs: Any):
        super().__init__(child=id_field(), min_length=1, max_length=500, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        ids: list[int] = super().to_internal_value(data)
        if len(set(ids)) != len(ids):
            raise serializers.ValidationError(_("The same location twice."))
        found = list(locations_visible_to(self.context["request"].user).filter(pk__in=ids).order_by("name"))
        missing = sorted(set(ids) - {location.pk for location in found})
        if missing:
            raise serializers.ValidationError(_("No such location: %(id)s.") % {"id": ", ".join(map(str, missing))})
        return found


class LocationField(serializers.IntegerField):
    """The id of one location the caller may see; the validated value is the Location."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Location:
        number = super().run_validation(data)
        location = locations_visible_to(self.context["request"].user).filter(pk=number).first()
        if location is None:
            raise serializers.ValidationError(_("No such location: %(id)s.") % {"id": number})
        return location


class GroupField(serializers.IntegerField):
    """The id of a group of locations the caller may see; the validated value is the LocationGroup."""

    def __init__(self, **kwargs: Any):
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> LocationGroup:
        number = super().run_validation(data)
        group = groups_visible_to(self.context["request"].user).filter(pk=number).first()
        if group is None:
            raise serializers.ValidationError(_("No such group: %(id)s.") % {"id": number})
        return group

"""Groups of locations over REST, what they would choose now, and the choices made."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import id_filter
from core.api.requests import who
from core.api.serializers import OutSerializer, StrictSerializer, TextField, WholeField
from core.api.views import RoomViewSet
from locations.api.fields import LocationField, LocationsField
from locations.choices import Strategy
from locations.models import GroupPlace, LocationChoice, LocationGroup
from locations.selectors import choices_visible_to, groups_visible_to
from locations.services import group_put, group_remove, location_preview
from locations.words_balancing import choice_sentences


class GroupPlaceOut(serializers.ModelSerializer[GroupPlace]):
    name = serializers.CharField(source="location.name")

    class Meta:
        model = GroupPlace
        fields = ["location", "name", "is_paused"]
        read_only_fields = fields


class GroupOut(serializers.ModelSerializer[LocationGroup]):
    places = GroupPlaceOut(many=True)

    class Meta:
        model = LocationGroup
        fields = ["id", "name", "strategy", "manual_location", "max_cpu_load", "places", "created_at"]
        read_only_fields = fields


class GroupIn(StrictSerializer):
    name = TextField(max_length=80)
    strategy = serializers.ChoiceField(choices=Strategy.choices, required=False)
    manual_location = LocationField(required=False, help_text="For `manual`: one of `locations`.")
    max_cpu_load = WholeField(min_value=1, max_value=100, required=False)
    locations = LocationsField(help_text="All locations of the group.")
    paused = LocationsField(required=False, help_text="Of these the ones that get nothing new for now.")


class GroupPatchIn(GroupIn):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, partial=True, **kwargs)


class PreviewOut(OutSerializer):
    location = serializers.IntegerField(source="location.pk")
    reasons = serializers.SerializerMethodField()
    details = serializers.DictField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_reasons(self, choice: Any) -> list[str]:
        return choice_sentences(choice.details)


class ChoiceOut(serializers.ModelSerializer[LocationChoice]):
    location_name = serializers.CharField(source="location.name")
    reasons = serializers.SerializerMethodField(help_text="In the language of the caller.")

    class Meta:
        model = LocationChoice
        fields = [
            "id", "group", "location", "location_name", "strategy", "subject", "name", "reasons", "details", "actor",
            "chosen_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_reasons(self, choice: LocationChoice) -> list[str]:
        return choice_sentences(choice.details)


class ChoiceFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    subject = django_filters.CharFilter(max_length=64, label="Exactly this subject.")

    class Meta:
        model = LocationChoice
        fields: list[str] = []


class GroupViewSet(RoomViewSet):
    """Groups of locations that share new customers out."""

    model = LocationGroup
    list_serializer = GroupOut
    detail_serializer = GroupOut
    http_method_names = ["get", "head", "post", "patch", "delete"]
    action_permissions = {
        "list": "locations.view_locationgroup",
        "retrieve": "locations.view_locationgroup",
        "preview": "locations.view_locationgroup",
        "create": "locations.add_locationgroup",
        "partial_update": "locations.change_locationgroup",
        "destroy": "locations.delete_locationgroup",
    }

    def visible(self) -> QuerySet[LocationGroup]:
        return groups_visible_to(self.caller).prefetch_related("places__location")

    @extend_schema(request=GroupIn, responses={201: GroupOut})
    def create(self, request: Request) -> Response:
        """Make a group."""
        group = group_put(None, **self.checked(GroupIn), **who(request))
        return self.answer(self.fresh(group), 201)

    @extend_schema(request=GroupPatchIn, responses={200: GroupOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a group; what is left out stays."""
        group = self.get_object()
        group_put(group, **self.checked(GroupPatchIn), **who(request))
        return self.answer(self.fresh(group))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a group. Choices made with it stay written down."""
        group_remove(self.get_object(), **who(request))
        return Response(status=204)

    @extend_schema(responses={200: PreviewOut}, filters=False)
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """Which location a new customer would get now, and why. Nothing is chosen by asking."""
        return Response(PreviewOut(location_preview(self.get_object())).data)


class ChoiceViewSet(RoomViewSet):
    """Locations chosen by groups, with the reasons."""

    model = LocationChoice
    list_serializer = ChoiceOut
    detail_serializer = ChoiceOut
    filterset_class = ChoiceFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": "locations.view_locationchoice", "retrieve": "locations.view_locationchoice"}

    def visible(self) -> QuerySet[LocationChoice]:
        return choices_visible_to(self.caller).select_related("location")

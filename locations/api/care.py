"""How routers fare over REST, to read: the last 24 hours of one router, and the warnings of all."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import id_filter
from core.api.serializers import OutSerializer
from core.api.views import RoomViewSet
from core.clock import now
from locations.choices import AlertKind, RebootStatus
from locations.models import RouterAlert, RouterReboot, RouterState
from locations.selectors_health import Cell, alerts_open, alerts_visible_to, quarters_of, reboot_shown


class AlertOut(serializers.ModelSerializer[RouterAlert]):
    kind = serializers.ChoiceField(choices=AlertKind.choices)
    value = serializers.IntegerField(
        help_text="licence: per cent used; clock: seconds ahead; flash: per cent worn out; as last measured."
    )

    class Meta:
        model = RouterAlert
        fields = ["id", "location", "kind", "value", "since", "ended_at"]
        read_only_fields = fields


class MeasuredOut(serializers.ModelSerializer[RouterState]):
    """What the last poll measured."""

    class Meta:
        model = RouterState
        fields = [
            "reach", "reach_since", "seen_at", "latency_ms", "cpu_load", "free_memory", "total_memory",
            "uptime_seconds", "restarted_at", "version", "clock_skew_seconds", "licence_limit", "write_sectors",
            "write_sectors_total", "bad_blocks", "last_error",
        ]  # fmt: skip
        read_only_fields = fields


class RebootOut(serializers.ModelSerializer[RouterReboot]):
    status = serializers.ChoiceField(choices=RebootStatus.choices)

    class Meta:
        model = RouterReboot
        fields = ["id", "status", "asked_at", "confirmed_at", "sent_at", "back_at", "ended_at", "router_words"]
        read_only_fields = fields


class QuarterOut(OutSerializer):
    """A quarter of an hour and the worst of what its polls told; null where none told it."""

    at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=Cell.choices, source="cell")
    answered = serializers.IntegerField(help_text="Polls the router answered.")
    failed = serializers.IntegerField(help_text="Polls it did not.")
    latency_ms = serializers.IntegerField(allow_null=True)
    cpu_load = serializers.IntegerField(allow_null=True)
    free_memory = serializers.IntegerField(allow_null=True)
    sessions = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(help_text="Why the last failed poll of it failed.")


class LocationHealthOut(OutSerializer):
    measured = MeasuredOut(allow_null=True)
    alerts = AlertOut(many=True, help_text="Warnings that hold now.")
    reboot = RebootOut(allow_null=True, help_text="The restart under way, or the last one for a day.")
    quarters = QuarterOut(many=True, help_text="The last 24 hours, oldest first, always 96; the last one still runs.")


class CareMixin:
    """Health of one location, as an action of its view set."""

    @extend_schema(responses={200: LocationHealthOut}, filters=False)
    @action(detail=True, methods=["get"])
    def health(self: Any, request: Request, pk: str) -> Response:
        """How the router fared in the last 24 hours. Nothing is asked of it now."""
        location, at = self.get_object(), now()
        answer = {
            "measured": getattr(location, "state", None),
            "alerts": alerts_open([location.pk]).get(location.pk, []),
            "reboot": reboot_shown(location, at),
            "quarters": quarters_of([location.pk], at)[location.pk],
        }
        return Response(LocationHealthOut(answer).data)


class AlertFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    kind = django_filters.ChoiceFilter(choices=AlertKind.choices)
    is_open = django_filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull", label="Holds now.")

    class Meta:
        model = RouterAlert
        fields: list[str] = []


class AlertViewSet(RoomViewSet):
    """Warnings of routers: licences nearly used up, wrong clocks, flash memory that wears out."""

    model = RouterAlert
    list_serializer = AlertOut
    detail_serializer = AlertOut
    filterset_class = AlertFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": "locations.view_location", "retrieve": "locations.view_location"}

    def visible(self) -> QuerySet[RouterAlert]:
        return alerts_visible_to(self.caller)

"""Traffic over REST: interfaces of routers with their last 24 hours, a login's days, and what goes through just now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.filters import id_filter
from core.api.serializers import OutSerializer, StrictSerializer
from core.api.views import RoomViewSet
from locations.models import AccessAccount, InterfaceTraffic
from locations.selectors_sessions import days_of, interface_history, interfaces_visible_to
from locations.services import Watch, account_watch, interface_watch, sentence_of

MOST_DAYS = 366


class InterfaceOut(OutSerializer):
    id = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id")
    name = serializers.CharField()
    is_running = serializers.BooleanField()
    rx_bytes = serializers.IntegerField(help_text="Counter of the router, as of the last poll.")
    tx_bytes = serializers.IntegerField()
    rx_rate = serializers.IntegerField(allow_null=True, help_text="Bits per second between the last two polls.")
    tx_rate = serializers.IntegerField(allow_null=True)
    seen_at = serializers.DateTimeField(help_text="The poll that all this is as of.")


class QuarterRateOut(OutSerializer):
    """An average over a quarter of an hour, in bits per second; 0 also where nothing was seen."""

    at = serializers.DateTimeField()
    received = serializers.IntegerField()
    sent = serializers.IntegerField()


class SampleOut(OutSerializer):
    at = serializers.SerializerMethodField()
    received = serializers.IntegerField(help_text="Bits per second.")
    sent = serializers.IntegerField()

    def get_at(self, sample: Any) -> datetime:
        return datetime.fromtimestamp(sample.at, UTC)


class NowOut(OutSerializer):
    """Readings of the last minutes while somebody asked, oldest first. Ask again after two seconds or more."""

    is_there = serializers.BooleanField(
        allow_null=True, help_text="The router has this interface, the login is online; null: not read yet."
    )
    problem = serializers.CharField(help_text="Empty, or why nothing new was read: `timeout`, `login`, `unreachable` …")
    message = serializers.CharField(help_text="The same as a sentence.")
    samples = SampleOut(many=True)


class DayOut(OutSerializer):
    day = serializers.DateField(help_text="In the location's calendar.")
    bytes_in = serializers.IntegerField(help_text="Sent by the customer.")
    bytes_out = serializers.IntegerField(help_text="Received by the customer.")
    seconds = serializers.IntegerField(help_text="Online, summed over devices; a static address has none.")


class DaysIn(StrictSerializer):
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=30)


class InterfaceFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    name = django_filters.CharFilter(max_length=160, label="Exactly this interface.")

    class Meta:
        model = InterfaceTraffic
        fields: list[str] = []


def answer_of(watch: Watch) -> Response:
    message = sentence_of(watch.problem, watch.words) if watch.problem else ""
    facts = {"is_there": watch.is_there, "problem": watch.problem, "message": message, "samples": watch.samples}
    return Response(NowOut(facts).data)


class InterfaceViewSet(RoomViewSet):
    """A router's own interfaces, as of its last poll."""

    model = InterfaceTraffic
    list_serializer = detail_serializer = InterfaceOut
    filterset_class = InterfaceFilter
    http_method_names = ["get", "head"]
    action_permissions = dict.fromkeys(("list", "retrieve", "history", "now"), "locations.view_location")

    def visible(self) -> QuerySet[InterfaceTraffic]:
        return interfaces_visible_to(self.caller).select_related("location")

    @extend_schema(responses={200: QuarterRateOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """The last 24 hours in quarters of an hour, oldest first, always 96; the last one still runs."""
        row = self.get_object()
        return Response(QuarterRateOut(interface_history(row.location, row.name, clock.now()), many=True).data)

    @extend_schema(responses={200: NowOut}, filters=False)
    @action(detail=True, methods=["get"])
    def now(self, request: Request, pk: str) -> Response:
        """What goes through now, asked from the router: at most one reading in two seconds for all who ask."""
        row = self.get_object()
        return answer_of(interface_watch(row.location, row.name, clock.now()))


class AccountTrafficMixin:
    """A login's days and its traffic now, as actions of its view set."""

    @extend_schema(
        parameters=[OpenApiParameter("days", int, description=f"How many days up to today, 1 to {MOST_DAYS}; 30.")],
        responses={200: DayOut(many=True)}, filters=False,
    )  # fmt: skip
    @action(detail=True, methods=["get"], pagination_class=None)
    def usage(self: Any, request: Request, pk: str) -> Response:
        """What this login used per day at its location, oldest first, days without use too."""
        row: AccessAccount = self.get_object()
        asked = DaysIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        today = clock.local_date(row.location.timezone, clock.now())
        login = (row.location_id, row.kind, row.name)
        return Response(DayOut(days_of([login], today, asked.validated_data["days"]), many=True).data)

    @extend_schema(responses={200: NowOut}, filters=False)
    @action(detail=True, methods=["get"])
    def now(self: Any, request: Request, pk: str) -> Response:
        """What this login receives and sends now, all its sessions together, asked from the router."""
        return answer_of(account_watch(self.get_object(), clock.now()))

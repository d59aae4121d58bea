"""Live and past sessions, use, and who uses most, for the locations of the caller."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.filters import id_filter
from core.api.requests import who
from core.api.serializers import OutSerializer, StrictSerializer
from core.api.views import HouseView, RoomViewSet
from core.errors import DomainError
from core.numbers import whole_number
from locations.choices import Kind, SessionEnd, UsagePeriod
from locations.models import AccountUsage, RouterSession, SessionKick, SessionRecord
from locations.selectors import locations_visible_to
from locations.selectors_sessions import (
    PERIODS,
    kicks_visible_to,
    records_visible_to,
    sessions_visible_to,
    top_talkers,
    usage_visible_to,
)
from locations.services import sessions_kick
from locations.services.sessions import MAX_KICKS

VIEW = "locations.view_accessaccount"


class LiveSessionOut(OutSerializer):
    id = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id")
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    account = serializers.IntegerField(source="account_id", allow_null=True)
    mac_address = serializers.CharField()
    address = serializers.CharField()
    uptime_seconds = serializers.IntegerField()
    bytes_in = serializers.IntegerField(help_text="Sent by the customer.")
    bytes_out = serializers.IntegerField(help_text="Received by the customer.")
    rate_in = serializers.IntegerField(allow_null=True, help_text="Bits per second between the last two polls.")
    rate_out = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="The poll that all this is as of.")


class SessionRecordOut(OutSerializer):
    id = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id")
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    mac_address = serializers.CharField()
    address = serializers.CharField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="Last poll that saw it.")
    ended_at = serializers.DateTimeField(help_text="First moment at which it was known to be over.")
    uptime_seconds = serializers.IntegerField()
    bytes_in = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    end = serializers.ChoiceField(choices=SessionEnd.choices)


class UsageOut(OutSerializer):
    id = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id")
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    period = serializers.ChoiceField(choices=UsagePeriod.choices)
    starts_on = serializers.DateField(help_text="In the location's calendar.")
    bytes_in = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    seconds = serializers.IntegerField()


class SessionKickOut(OutSerializer):
    id = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id")
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    mac_address = serializers.CharField()
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Confirmed by the router; null: it waits.")
    had_cookie = serializers.BooleanField(help_text="A cookie would have let it in again; it was removed.")
    came_back_at = serializers.DateTimeField(allow_null=True, help_text="The same device logged in again.")


class TalkerOut(OutSerializer):
    location = serializers.IntegerField(source="location_id")
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    sent = serializers.IntegerField(help_text="Bits per second for `now`, else bytes.")
    received = serializers.IntegerField()


class KickIn(StrictSerializer):
    sessions = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MAX_KICKS
    )


class KickedOut(OutSerializer):
    asked = serializers.IntegerField(help_text="How many were asked for now; those asked for before are not counted.")


class _Filter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    name = django_filters.CharFilter(max_length=128, label="Exactly this login.")


class LiveSessionFilter(_Filter):
    mac_address = django_filters.CharFilter(max_length=32, label="Exactly this device.")

    class Meta:
        model = RouterSession
        fields: list[str] = []


class RecordFilter(_Filter):
    class Meta:
        model = SessionRecord
        fields: list[str] = []


class UsageFilter(_Filter):
    period = django_filters.ChoiceFilter(choices=UsagePeriod.choices)
    from_day = django_filters.DateFilter(field_name="starts_on", lookup_expr="gte")
    to_day = django_filters.DateFilter(field_name="starts_on", lookup_expr="lte")

    class Meta:
        model = AccountUsage
        fields: list[str] = []


class KickFilter(_Filter):
    class Meta:
        model = SessionKick
        fields: list[str] = []


class LiveSessionViewSet(RoomViewSet):
    """Who is online, as of the last poll of each router."""

    model = RouterSession
    list_serializer = detail_serializer = LiveSessionOut
    filterset_class = LiveSessionFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {"list": VIEW, "retrieve": VIEW, "kick": "locations.kick_accessaccount"}

    def visible(self) -> QuerySet[RouterSession]:
        return sessions_visible_to(self.caller)

    @extend_schema(request=KickIn, responses={200: KickedOut})
    @action(detail=False, methods=["post"])
    def kick(self, request: Request) -> Response:
        """Ask for the end of sessions, with the cookies that would let them in again. `session-ends` says what the
        routers confirmed. Refused as a whole when one of them is not online any more or not at your locations."""
        ids = set(self.checked(KickIn)["sessions"])
        rows = list(self.visible().filter(pk__in=ids))
        if len(rows) != len(ids):
            raise DomainError(
                "session.gone", _("One of these sessions is not online any more. Nothing was changed."), status=409
            )
        return Response({"asked": sessions_kick(rows, now=clock.now(), **who(request))})


class SessionRecordViewSet(RoomViewSet):
    """Sessions that ended."""

    model = SessionRecord
    list_serializer = detail_serializer = SessionRecordOut
    filterset_class = RecordFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": VIEW, "retrieve": VIEW}

    def visible(self) -> QuerySet[SessionRecord]:
        return records_visible_to(self.caller)


class UsageViewSet(RoomViewSet):
    """What each login used per day and month."""

    model = AccountUsage
    list_serializer = detail_serializer = UsageOut
    filterset_class = UsageFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": VIEW, "retrieve": VIEW}

    def visible(self) -> QuerySet[AccountUsage]:
        return usage_visible_to(self.caller)


class SessionEndViewSet(RoomViewSet):
    """Ends of sessions that people asked for, and what became of them."""

    model = SessionKick
    list_serializer = detail_serializer = SessionKickOut
    filterset_class = KickFilter
    http_method_names = ["get", "head"]
    action_permissions = {"list": VIEW, "retrieve": VIEW}

    def visible(self) -> QuerySet[SessionKick]:
        return kicks_visible_to(self.caller)


class TalkersView(HouseView):
    """Who uses most, of all your locations or one."""

    action_permissions = {"get": VIEW}

    @extend_schema(
        parameters=[
            OpenApiParameter("period", str, enum=PERIODS, default="now"),
            OpenApiParameter("location", int),
        ],
        responses={200: TalkerOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        """At most 20, most first."""
        period, location = request.query_params.get("period", "now"), request.query_params.get("location", "")
        if period not in PERIODS:
            raise ValidationError({"period": _("One of: %(choices)s.") % {"choices": ", ".join(PERIODS)}})
        if location and whole_number(location) is None:
            raise ValidationError({"location": _("Write a whole number.")})
        user: Any = request.user
        places = locations_visible_to(user)
        chosen = list(places.filter(pk=int(location)) if location else places)
        return Response(TalkerOut(top_talkers(chosen, period, clock.now()), many=True).data)

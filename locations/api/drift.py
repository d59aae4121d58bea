"""Drift over REST: what a comparison found, comparing now, repairing what is chosen."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import who
from core.api.serializers import OutSerializer, StrictBooleanField, StrictSerializer, id_field
from core.clock import now
from locations.models import AccessAccount, DriftRow, RouterProfile
from locations.selectors import drift_of
from locations.services import accounts_compare, drift_repair, location_compare, profiles_compare


class DriftRowOut(serializers.ModelSerializer[DriftRow]):
    row = serializers.IntegerField(source="row_id", allow_null=True, help_text="Id of the login, profile or entry.")
    words = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="[word, wanted, found] of each word that differs; a password is only named.",
    )

    class Meta:
        model = DriftRow
        fields = [
            "id", "category", "subject", "kind", "name", "row", "words", "found_at", "repair_at", "removed_at",
            "router_words",
        ]  # fmt: skip
        read_only_fields = fields


class CompareIn(StrictSerializer):
    account = id_field(required=False, help_text="Only this login.")
    profile = id_field(required=False, help_text="Only this router profile and the logins that have it.")
    repairs = StrictBooleanField(
        required=False, default=False, help_text="Repair what is missing or different, whatever the location's setting."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & {"account", "profile"}) > 1 or (attrs["repairs"] and len(attrs) > 1):
            raise serializers.ValidationError("account, profile, repairs: one of them.")
        return attrs


class RepairIn(StrictSerializer):
    rows = serializers.ListField(
        child=id_field(), min_length=1, max_length=500, required=False,
        help_text="Findings to repair: missing and different are sent again, extra are removed, conflicts taken over. "
        "Left out: everything missing or different.",
    )  # fmt: skip


class RepairedOut(OutSerializer):
    sent = serializers.IntegerField()
    removed = serializers.IntegerField()
    adopted = serializers.IntegerField()


class ComparedOut(OutSerializer):
    routers = serializers.IntegerField(help_text="How many routers are asked.")


class DriftMixin:
    """The drift of one location, as actions of its view set."""

    @extend_schema(responses={200: DriftRowOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def drift(self: Any, request: Request, pk: str) -> Response:
        """What the last comparison found. At most 500 of each kind of finding are kept."""
        page = self.paginate_queryset(drift_of(self.get_object()))
        return self.get_paginated_response(DriftRowOut(page, many=True).data)  # type: ignore[no-any-return]

    @extend_schema(request=CompareIn, responses={200: ComparedOut})
    @action(detail=True, methods=["post"])
    def compare(self: Any, request: Request, pk: str) -> Response:
        """Compare the router with what is wanted, now: everything, one login, or one profile."""
        location = self.get_object()
        given = self.checked(CompareIn)
        by = {**who(request), "now": now()}
        if "account" in given:
            accounts = AccessAccount.objects.filter(location=location, pk=given["account"])
            routers = accounts_compare(accounts, **by)
        elif "profile" in given:
            routers = profiles_compare(RouterProfile.objects.filter(location=location, pk=given["profile"]), **by)
        else:
            location_compare(location, repairs=given["repairs"], **by)
            routers = 1
        if not routers:
            raise Http404
        return Response({"routers": routers})

    @extend_schema(request=RepairIn, responses={200: RepairedOut})
    @action(detail=True, methods=["post"])
    def repair(self: Any, request: Request, pk: str) -> Response:
        """Repair findings. The router's own entries are never touched."""
        location = self.get_object()
        given = self.checked(RepairIn)
        done = drift_repair(location, row_ids=given.get("rows"), now=now(), **who(request))
        return Response(RepairedOut(done).data)

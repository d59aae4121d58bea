"""Nameless entries and speed changes over REST."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import who
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.clock import now
from locations.api.filters import EntryFilter, RolloutFilter
from locations.api.serializers import EntryRowOut, RolloutIn, RolloutOut, RolloutRowOut
from locations.models import ProfileRollout, RouterEntry, RouterProfile
from locations.selectors import entries_visible_to, locations_visible_to, rollouts_visible_to
from locations.services import address_release, entry_adopt, profile_rollout_cancel, profile_rollout_start


class EntryViewSet(RoomViewSet):
    """Address-list, walled-garden and firewall entries that should be on routers."""

    model = RouterEntry
    list_serializer = EntryRowOut
    detail_serializer = EntryRowOut
    filterset_class = EntryFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "locations.view_routerentry",
        "retrieve": "locations.view_routerentry",
        "adopt": "locations.adopt_accessaccount",
        "release": "locations.disable_accessaccount",
    }

    def visible(self) -> QuerySet[RouterEntry]:
        return entries_visible_to(self.caller).select_related("location")

    @extend_schema(request=NoInput, responses={200: EntryRowOut})
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: str) -> Response:
        """Decide a conflict: the router's own row is this entry."""
        entry = self.get_object()
        self.checked(NoInput)
        entry_adopt(entry, **who(request))
        return self.answer(self.fresh(entry))

    @extend_schema(request=NoInput, responses={200: EntryRowOut})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Open an address (tag `off`) that was shut when its static subscriber left."""
        entry = self.get_object()
        self.checked(NoInput)
        address_release(entry, **who(request))
        return self.answer(self.fresh(entry))


class RolloutViewSet(RoomViewSet):
    """Changed speeds on their way to the customers who are online."""

    model = ProfileRollout
    list_serializer = RolloutRowOut
    detail_serializer = RolloutOut
    filterset_class = RolloutFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": "locations.view_profilerollout",
        "retrieve": "locations.view_profilerollout",
        "create": "locations.add_profilerollout",
        "cancel": "locations.change_profilerollout",
    }

    def visible(self) -> QuerySet[ProfileRollout]:
        return rollouts_visible_to(self.caller).select_related("location", "profile")

    @extend_schema(request=RolloutIn, responses={201: RolloutOut})
    def create(self, request: Request) -> Response:
        """Bring a profile's speed to running sessions: now at the location's pace, or with their next login."""
        given = self.checked(RolloutIn)
        here = locations_visible_to(self.caller).values("pk")
        profile = RouterProfile.objects.filter(pk=given["profile"], location__in=here).first()
        if profile is None:
            raise Http404
        rollout = profile_rollout_start(profile, mode=given["mode"], now=now(), **who(request))
        return self.answer(self.fresh(rollout), 201)

    @extend_schema(request=NoInput, responses={200: RolloutOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End no more sessions."""
        rollout = self.get_object()
        self.checked(NoInput)
        profile_rollout_cancel(rollout, now=now(), **who(request))
        return self.answer(self.fresh(rollout))

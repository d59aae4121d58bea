from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.requests import who
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from core.errors import DomainError
from locations.api.care import CareMixin
from locations.api.connecting import CONNECTING_PERMISSIONS, ConnectingMixin
from locations.api.drift import DriftMixin
from locations.api.filters import LocationFilter
from locations.api.output import AccessOut, CertificateOut, LocationOut, RetryOut, TestOut
from locations.api.serializers import (
    CHANGE_LOCATION,
    LocationIn,
    LocationPatchIn,
    LocationRowOut,
    SessionRowOut,
    TrustIn,
)
from locations.models import Location, RouterSession
from locations.routeros.errors import RouterError
from locations.selectors import locations_visible_to
from locations.services import (
    access_check,
    certificate_look,
    certificate_state,
    certificate_trust,
    location_accept_router,
    location_add,
    location_change,
    location_retry,
    location_test,
)
from locations.services.asking import sentence_of


class LocationViewSet(CareMixin, ConnectingMixin, DriftMixin, RoomViewSet):
    """Routers and the places they serve."""

    model = Location
    list_serializer = LocationRowOut
    detail_serializer = LocationOut
    filterset_class = LocationFilter
    http_method_names = ["get", "head", "post", "patch"]
    action_permissions = {
        "list": "locations.view_location",
        "retrieve": "locations.view_location",
        "sessions": "locations.view_location",
        "create": "locations.add_location",
        "partial_update": CHANGE_LOCATION,
        "test": "locations.test_location",
        "retry": "locations.retry_location",
        "accept_router": "locations.accept_router",
        "switch_off": CHANGE_LOCATION,
        "switch_on": CHANGE_LOCATION,
        "certificate": "locations.test_location",
        "check_access": "locations.test_location",
        "trust_certificate": "locations.trust_certificate",
        "drift": "locations.view_location",
        "health": "locations.view_location",
        "compare": "locations.repair_location",
        "repair": "locations.repair_location",
        **CONNECTING_PERMISSIONS,
    }

    def visible(self) -> QuerySet[Location]:
        return locations_visible_to(self.caller)

    @extend_schema(request=LocationIn, responses={201: LocationOut})
    def create(self, request: Request) -> Response:
        """Add a location. Nothing is contacted now; use `test`."""
        location = location_add(**self.checked(LocationIn), **who(request))
        return self.answer(self.fresh(location), 201)

    @extend_schema(request=LocationPatchIn, responses={200: LocationOut})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a location. Leave the password out to keep it."""
        location = self.get_object()
        location_change(location, **self.checked(LocationPatchIn), **who(request))
        return self.answer(self.fresh(location))

    @extend_schema(request=NoInput, responses={200: TestOut})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Contact the router now and say what is right and wrong. Changes nothing on it."""
        location = self.get_object()
        self.checked(NoInput)
        return Response(TestOut(location_test(location)).data)

    @extend_schema(request=NoInput, responses={200: RetryOut})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try everything again that the router refused or that waits for its turn."""
        location = self.get_object()
        self.checked(NoInput)
        return Response({"released": location_retry(location, **who(request))})

    @extend_schema(request=NoInput, responses={200: LocationOut})
    @action(detail=True, methods=["post"], url_path="accept-router")
    def accept_router(self, request: Request, pk: str) -> Response:
        """Go on with the router that answers now, though its serial is another than before."""
        location = self.get_object()
        self.checked(NoInput)
        location_accept_router(location, **who(request))
        return self.answer(self.fresh(location))

    @extend_schema(request=NoInput, responses={200: LocationOut})
    @action(detail=True, methods=["post"], url_path="switch-off")
    def switch_off(self, request: Request, pk: str) -> Response:
        """Leave the router alone: nothing is read from or written to it. What it has stays on it, changes wait."""
        return self._switched(is_active=False)

    @extend_schema(request=NoInput, responses={200: LocationOut})
    @action(detail=True, methods=["post"], url_path="switch-on")
    def switch_on(self, request: Request, pk: str) -> Response:
        """Work with the router again: it is contacted at once and gets what waited."""
        return self._switched(is_active=True)

    def _switched(self, *, is_active: bool) -> Response:
        location = self.get_object()
        self.checked(NoInput)
        if location.is_active != is_active:
            location_change(location, is_active=is_active, **who(self.request))
        return self.answer(self.fresh(location))

    @extend_schema(request=NoInput, responses={200: CertificateOut})
    @action(detail=True, methods=["post"])
    def certificate(self, request: Request, pk: str) -> Response:
        """Ask the router for its certificate now. Neither name nor password is sent; compare the answer on the router."""
        location = self.get_object()
        self.checked(NoInput)
        try:
            certificate_look(location)
        except RouterError as error:
            raise DomainError(f"router.{error.problem}", sentence_of(error.problem, error.words), status=409) from None
        return Response(CertificateOut(certificate_state(self.fresh(location))).data)

    @extend_schema(request=TrustIn, responses={200: LocationOut})
    @action(detail=True, methods=["post"], url_path="trust-certificate")
    def trust_certificate(self, request: Request, pk: str) -> Response:
        """Confirm the fingerprint that a person compared on the router. Any other certificate stops all work there."""
        location = self.get_object()
        certificate_trust(location, **self.checked(TrustIn), **who(request))
        return self.answer(self.fresh(location))

    @extend_schema(request=NoInput, responses={200: AccessOut})
    @action(detail=True, methods=["post"], url_path="check-access")
    def check_access(self, request: Request, pk: str) -> Response:
        """Log in once and say which of our features the rights of our user are enough for. Only reads are sent.

        A prepared user that works is the location's from then on.
        """
        location = self.get_object()
        self.checked(NoInput)
        return Response(AccessOut(access_check(location, **who(request))).data)

    @extend_schema(responses={200: SessionRowOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def sessions(self, request: Request, pk: str) -> Response:
        """Who is online here, as of the last poll."""
        page = self.paginate_queryset(RouterSession.objects.filter(location=self.get_object()))
        return self.get_paginated_response(SessionRowOut(page, many=True).data)

"""Taking over a router over REST: read, choose, look at every row, apply, undo."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import id_filter
from core.api.requests import request_key, who
from core.api.schema import IDEMPOTENCY
from core.api.serializers import NoInput
from core.api.views import RoomViewSet
from imports.api.serializers import ChooseIn, RouterImportOut, RouterImportRowOut, StartIn, VerdictOut
from imports.choices import RouterImportStatus
from imports.models import RouterImport
from imports.selectors import router_imports_visible_to, router_rows_search
from imports.services import (
    router_import_again,
    router_import_apply,
    router_import_cancel,
    router_import_choose,
    router_import_start,
    router_import_undo,
    router_scripts_give_back,
    router_scripts_retire,
)

VIEW, ADD = "imports.view_routerimport", "imports.add_routerimport"


class RouterImportFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    status = django_filters.ChoiceFilter(choices=RouterImportStatus.choices)


class RouterImportViewSet(RoomViewSet):
    """Routers that ran with something else before. Reading and applying go on in the background."""

    model = RouterImport
    list_serializer = RouterImportRowOut
    detail_serializer = RouterImportOut
    filterset_class = RouterImportFilter
    http_method_names = ["get", "head", "post"]
    action_permissions = {
        "list": VIEW, "retrieve": VIEW, "rows": VIEW, "create": ADD, "choose": ADD, "again": ADD, "apply": ADD, "undo": ADD,
        "cancel": ADD, "retire_scripts": ADD, "give_scripts_back": ADD,
    }  # fmt: skip

    def visible(self) -> QuerySet[RouterImport]:
        return router_imports_visible_to(self.caller).prefetch_related("profiles")

    @extend_schema(request=StartIn, responses={201: RouterImportOut}, parameters=[IDEMPOTENCY])
    def create(self, request: Request) -> Response:
        """Have a router read. Nothing on it is changed; the status becomes `checked`."""
        key, given = request_key(request), self.checked(StartIn)
        run = router_import_start(location=given["location"], request_key=key, **who(request))
        return self.answer(self.fresh(run), status=201)

    @extend_schema(responses={200: VerdictOut(many=True)}, filters=False)
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: str) -> Response:
        """Every row of the router with its verdict."""
        run = self.get_object()
        page = self.paginate_queryset(router_rows_search(run))
        return self.get_paginated_response(VerdictOut(page, many=True, context={"zone": "UTC"}).data)

    @extend_schema(request=ChooseIn, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"])
    def choose(self, request: Request, pk: str) -> Response:
        """Decide what profiles become; every row is judged anew."""
        run, given = self.get_object(), self.checked(ChooseIn)
        profiles = given.pop("profiles", [])
        choices = {one["id"]: {name: value for name, value in one.items() if name != "id"} for one in profiles}
        router_import_choose(run, choices=choices, **given, **who(request))
        return self.answer(self.fresh(run))

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Read the router once more."""
        return self._step(router_import_again)

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str) -> Response:
        """Take over what was announced: all of it or nothing. Nothing on the router is changed."""
        return self._step(router_import_apply)

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Remove what was taken over; what moved on since stays, with its reason in `rows`."""
        return self._step(router_import_undo)

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it; nothing of this step stays."""
        return self._step(router_import_cancel)

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"], url_path="retire-scripts")
    def retire_scripts(self, request: Request, pk: str) -> Response:
        """Take the other program's scripts out of the profiles and write our comments."""
        return self._step(router_scripts_retire)

    @extend_schema(request=NoInput, responses={200: RouterImportOut})
    @action(detail=True, methods=["post"], url_path="give-scripts-back")
    def give_scripts_back(self, request: Request, pk: str) -> Response:
        """Write the old scripts and comments back, as they were."""
        return self._step(router_scripts_give_back)

    def _step(self, service: Any) -> Response:
        run = self.get_object()
        self.checked(NoInput)
        service(run, **who(self.request))
        return self.answer(self.fresh(run))

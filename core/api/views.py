"""Bases of all API views: throttle first, house errors, strict input, keyset lists. They hold no rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, ClassVar

import django_filters
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from core.api.pagination import KeysetPagination
from core.api.schema import HouseSchema
from core.api.serializers import StrictSerializer
from core.api.throttling import allowance_of


class HouseView(APIView):
    """An APIView of the house. `action_permissions` names the permission of every method."""

    schema = HouseSchema()
    metadata_class = None  # OPTIONS would describe forms; docs/openapi.yaml does
    action_permissions: ClassVar[Mapping[str, str]] = {}
    _is_throttle_checked = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Times are answered in UTC (`…Z`), whatever the installation's zone is."""
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Count before judging: DRF would never throttle a refused token or a missing login."""
        try:
            super().perform_authentication(request)
            request._request._cached_user = request.user  # type: ignore[attr-defined]  # the log line names him
        finally:
            self.check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        if not self._is_throttle_checked:
            self._is_throttle_checked = True
            super().check_throttles(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if allowance := allowance_of(getattr(request, "_request", request)):
            allowance.put_on(response)
        response["Cache-Control"] = "no-store"  # codes and passwords have no place in a browser's cache
        return response

    @property
    def caller(self) -> Any:
        """The person who asks; a member of staff, or the permission check would not have let him in."""
        return self.request.user

    def checked(self, serializer_class: type[StrictSerializer], **kwargs: Any) -> dict[str, Any]:
        """The validated body. Raises ValidationError with every field that is wrong."""
        serializer = serializer_class(data=self.request.data, context={"request": self.request}, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Refuses query parameters nobody declared: a misspelt filter must not answer with everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if getattr(view, "detail", False):
            return queryset
        filterset_class = self.get_filterset_class(view, queryset)
        known = set(filterset_class.base_filters) if filterset_class else set()
        known |= set(KeysetPagination.parameters)
        unknown = {name[:80]: [_("There is no such filter.")] for name in request.query_params if name not in known}
        if unknown:
            raise ValidationError(unknown)
        return super().filter_queryset(request, queryset, view)  # type: ignore[no-any-return]


class RoomViewSet(HouseView, GenericViewSet[Any]):
    """List and detail over one scoped queryset; commands are added by the room.

    `visible()` is the only source of rows: what it leaves out answers 404 on every action.
    """

    lookup_value_regex = r"[0-9]{1,18}"
    filter_backends = (StrictFilterBackend,)
    filterset_class: type[django_filters.FilterSet] | None = None
    model: ClassVar[type[Model]]
    list_serializer: ClassVar[type[BaseSerializer[Any]]]
    detail_serializer: ClassVar[type[BaseSerializer[Any]]]

    def visible(self) -> QuerySet[Any]:
        """The rows this person may see."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):  # the OpenAPI document asks without a person
            return self.model._default_manager.none()
        return self.visible()

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.list_serializer if self.action == "list" else self.detail_serializer

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return self.answer(self.get_object())

    def answer(self, row: Model | None, status: int = 200) -> Response:
        """The detail of a row as it is now."""
        return Response(self.detail_serializer(row, context=self.get_serializer_context()).data, status=status)

    def fresh(self, row: Model) -> Any:
        """The row read again in the caller's scope, after a command changed it."""
        return self.get_queryset().get(pk=row.pk)

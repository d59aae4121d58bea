"""Keyset pages, newest first: page 10,000 costs what page 1 costs, and nothing is ever counted."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.numbers import whole_number

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

LARGEST_ID = 2**63 - 1
OLDER, NEWER = "o", "n"


class KeysetPagination(BasePagination):
    """`?limit=` (1-200) and an opaque `?cursor=`; answers `{next, previous, results}`.

    A cursor is a direction and an id: rows with a smaller id for "next", with a larger one for "previous".
    """

    default_limit = 50
    max_limit = 200
    parameters = ("cursor", "limit")

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.request = request
        limit = self._limit(request)
        direction, edge = self._cursor(request)
        rows = queryset
        if edge is not None:
            rows = rows.filter(pk__lt=edge) if direction == OLDER else rows.filter(pk__gt=edge)
        page = list(rows.order_by("-pk" if direction == OLDER else "pk")[: limit + 1])
        has_more = len(page) > limit
        page = page[:limit]
        if direction == NEWER:
            page.reverse()
        self._next = self._link(OLDER, page[-1].pk) if page and (has_more or direction == NEWER) else None
        is_newer_known = has_more if direction == NEWER else edge is not None
        self._previous = self._link(NEWER, page[0].pk) if page and is_newer_known else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next, "previous": self._previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": dict(link), "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor", "in": "query", "required": False,
                "schema": {"type": "string", "maxLength": 40},
                "description": "Where the page begins: taken from `next` or `previous`, never made by hand.",
            },
            {
                "name": "limit", "in": "query", "required": False,
                "schema": {
                    "type": "integer", "minimum": 1, "maximum": self.max_limit, "default": self.default_limit,
                },
                "description": "Rows per page.",
            },
        ]  # fmt: skip

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.default_limit
        number = whole_number(text)
        if number is None or not 1 <= number <= self.max_limit:
            raise ValidationError({"limit": _("A whole number from 1 to %(max)d.") % {"max": self.max_limit}})
        return number

    def _cursor(self, request: Request) -> tuple[str, int | None]:
        text = request.query_params.get("cursor")
        if text is None:
            return OLDER, None
        try:
            plain = base64.urlsafe_b64decode(text[:40].encode() + b"=" * (-len(text) % 4)).decode("ascii")
            direction, edge = plain[:1], int(plain[1:])
        except (binascii.Error, ValueError):
            direction, edge = "", 0
        if direction not in {OLDER, NEWER} or not 0 <= edge <= LARGEST_ID:
            raise ValidationError({"cursor": _("This is not a cursor from an answer of this API.")})
        return direction, edge

    def _link(self, direction: str, edge: int) -> str:
        cursor = base64.urlsafe_b64encode(f"{direction}{edge}".encode()).decode().rstrip("=")
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", cursor))

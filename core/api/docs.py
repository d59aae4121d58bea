"""The OpenAPI document and its two readers, served from our own files: no page of ours asks another host."""

from __future__ import annotations

from threading import Lock
from typing import Any, ClassVar

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import HouseView


class SchemaView(HouseView, SpectacularAPIView):
    """The OpenAPI document as YAML, or as JSON when the Accept header asks for it; the same for every reader."""

    schema = None  # type: ignore[assignment]
    action_permissions = {"get": ""}
    _documents: ClassVar[dict[str, Any]] = {}  # by language; making one takes a second of CPU
    _lock = Lock()  # the generator works on global state: two threads at once would mix their documents

    def get(self, request: Request) -> Response:
        language = get_language() or ""
        with self._lock:
            if language not in self._documents:
                with patched_settings(self.custom_settings):
                    generator: Any = SchemaGenerator  # untyped library
                    self._documents[language] = generator().get_schema(request=None, public=True)
        return Response(self._documents[language])


class SwaggerView(HouseView, SpectacularSwaggerView):
    schema = None  # type: ignore[assignment]
    url_name = "schema"
    action_permissions = {"get": ""}


class RedocView(HouseView, SpectacularRedocView):
    schema = None  # type: ignore[assignment]
    url_name = "schema"
    template_name = "core/api/redoc.html"  # the library's own asks a font server
    action_permissions = {"get": ""}

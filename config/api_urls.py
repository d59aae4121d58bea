"""The REST API, version 1. Each room brings its own addresses; anything else under /api/v1/ is a JSON 404."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import include, path, re_path

from core.api.docs import RedocView, SchemaView, SwaggerView
from core.api.errors import not_found

# What the OpenAPI document needs beyond SPECTACULAR_SETTINGS. Write it again after changing the API:
# manage.py spectacular --file docs/openapi.yaml --custom-settings config.api_urls.DOCUMENT --lang en --fail-on-warn
DOCUMENT: dict[str, Any] = {
    key: settings.SPECTACULAR_SETTINGS[key]
    for key in ("SCHEMA_PATH_PREFIX", "COMPONENT_SPLIT_REQUEST", "ENUM_NAME_OVERRIDES")
}

urlpatterns = [
    path("", include("accounts.api.urls")),
    path("", include("locations.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("billing.api.urls")),
    path("", include("payments.api.urls")),
    path("", include("vouchers.api.urls")),
    path("", include("imports.api.urls")),
    path("schema/", SchemaView.as_view(custom_settings=DOCUMENT), name="schema"),
    path("docs/", SwaggerView.as_view(), name="api-docs"),
    path("redoc/", RedocView.as_view(), name="api-redoc"),
    re_path(r"", not_found, name="api-nothing"),
]

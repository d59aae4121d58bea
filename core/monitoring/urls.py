"""`path("", include("core.monitoring.urls"))` in config/urls.py, before anything that catches all paths."""

from __future__ import annotations

from django.urls import path

from core.monitoring.views import healthz, readyz

app_name = "health"
urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]

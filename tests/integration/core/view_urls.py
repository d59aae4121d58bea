"""Views that misbehave in every way a view can, for the middleware's tests."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from core.errors import DomainError
from core.models import Setting
from core.request_context import request_id_now

SECRET = "hunter2-Xy9"


def fine(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request_id_now())


def refuses(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Setting.objects.create(key="x", value="1", description="", category="")
        raise DomainError("voucher.void", "This voucher is <void>.", {"code": "This one."}, status=409)


def breaks(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"password={SECRET}")


def breaks_database(request: HttpRequest) -> HttpResponse:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
    return HttpResponse()


def not_found(request: HttpRequest) -> HttpResponse:
    raise Http404


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def slow(request: HttpRequest, code: str) -> HttpResponse:
    with connection.cursor() as cursor:
        for seconds in (0.15, 0.12):
            cursor.execute("SELECT pg_sleep(%s), %s::text WHERE 'literal-value' <> ''", [seconds, code])
        cursor.execute("SELECT 1")
    return HttpResponse()


urlpatterns = [
    path("", include("core.monitoring.urls")),
    path("fine/", fine, name="fine"),
    path("refuses/", refuses),
    path("api/refuses/", refuses),
    path("breaks/", breaks, name="breaks"),
    path("api/breaks/", breaks),
    path("breaks-database/", breaks_database),
    path("not-found/", not_found),
    path("denied/", denied),
    path("suspicious/", suspicious),
    path("slow/<str:code>/", slow, name="slow"),
]

"""Probes. `/healthz`: this process answers. `/readyz`: it can serve. Details only for staff and for this machine."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.client_ip import is_loopback
from core.monitoring.checks import health_report, is_healthy, is_serving


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive; asks nothing of the database, so a database that is down does not get healthy processes killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 `ready`, 200 `degraded` (serves, but background work stands still), or 503 `not ready`."""
    lines = health_report(only_ready=True)
    serving = is_serving(lines)
    status = "ready" if is_healthy(lines) else "degraded" if serving else "not ready"
    body: dict[str, object] = {"status": status}
    if is_loopback(request) or _is_staff(request):
        body["checks"] = [{"name": line.name, "ok": line.is_ok, "sentence": line.sentence} for line in lines]
    response = JsonResponse(body, status=200 if serving else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # a probe every few seconds: one state, not many errors
    return response


def _is_staff(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # absent when the probe came with a foreign Host header
    try:
        return bool(user is not None and user.is_active and user.is_staff)
    except (DatabaseError, InterfaceError):  # the session cannot be read: the very thing this probe is to tell
        return False

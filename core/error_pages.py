"""Errors as answers: an API body, a fragment for htmx, or a page. Which one, the request decides.

The pages are small templates of their own and need no database, session or static file: they must still work when
the thing that broke is one of those.
"""

from __future__ import annotations

from typing import Any

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext as _

from core.error_log import error_record
from core.errors import DomainError


def domain_error_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refusal in the user's words, with the status the error names. Nothing was changed, and the page says so."""
    if wants_json(request):
        return JsonResponse(error.as_dict(), status=error.status)
    context: dict[str, Any] = {
        "message": str(error.message),
        "fields": [str(text) for text in error.fields.values()],
        "code": error.code,
    }
    return _page(request, "core/errors/domain", context, error.status)


def fault_response(request: HttpRequest, error: Exception, *, source: str) -> HttpResponse:
    """An error of ours: recorded with the request's id, shown without any of its text."""
    request_id = str(getattr(request, "request_id", ""))
    # Sentry and Django's test client listen to this signal; the test client raises the error again.
    got_request_exception.send(sender=None, request=request)
    error_record(source=source, error=error, request_id=request_id)
    message = _("Something went wrong here. It was recorded; nothing you sent was at fault.")
    if wants_json(request):
        body = DomainError("server.error", message).as_dict() | {"request_id": request_id}
        response: HttpResponse = JsonResponse(body, status=500)
    else:
        response = _page(request, "core/errors/fault", {"message": message, "request_id": request_id}, 500)
    response._has_been_logged = True  # type: ignore[attr-defined]  # error_record wrote the line, with its traceback
    return response


def page_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address, or a row that this person may not see (the two must look the same)."""
    return _refused(request, "not_found", _("There is nothing at this address that you may see."), 404)


def page_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: somebody who is logged in and lacks the right."""
    return _refused(request, "permission.denied", _("Your role may not do this."), 403)


def page_bad(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that no page of ours sends."""
    return _refused(request, "bad_request", _("This request was not understood."), 400)


def form_stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of the check against forged forms (CSRF_FAILURE_VIEW): mostly a form opened before a login or logout."""
    text = _("This form is no longer valid, perhaps because you logged in again since. Load its page anew and send it.")
    return _refused(request, "form.stale", text, 403)


def _refused(request: HttpRequest, code: str, message: str, status: int) -> HttpResponse:
    return domain_error_response(request, DomainError(code, message, status=status))


def wants_json(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json")


def is_fragment(request: HttpRequest) -> bool:
    """A part of a page asked for by htmx; a boosted link asks for the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    name = f"{template}_fragment.html" if is_fragment(request) else f"{template}.html"
    try:
        html: str = render_to_string(name, context)
    except Exception as failure:
        # A broken template must not replace the error it was to tell about.
        error_record(source=name, error=failure)
        html = f"<!doctype html><title>{status}</title><p role=alert>{escape(str(context['message']))}</p>"
    return HttpResponse(html, status=status)

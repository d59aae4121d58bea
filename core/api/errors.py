"""Every error of the API has one body, `{code, message, fields}`; a fault of ours adds `request_id`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.error_pages import fault_response
from core.errors import DomainError

NOT_A_FIELD = {"non_field_errors", "__all__"}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Turn any exception of a view into the house's error body. Registered in REST_FRAMEWORK."""
    set_rollback()
    if isinstance(error, DomainError):
        return Response(error.as_dict(), status=error.status)
    if isinstance(error, exceptions.ValidationError):
        return _invalid(dict(_flatten(error.detail)))
    if isinstance(error, ValidationError):  # of a model or a form below us
        return _invalid(dict(_flatten(error.message_dict if hasattr(error, "error_dict") else error.messages)))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        code, message = _words(error)
        return Response(body(code, message), status=error.status_code, headers=_headers(error))
    return _fault(error, context, context["request"]._request)


def body(code: str, message: str, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The error body itself, for the few places that answer outside a view."""
    return DomainError(code, message, fields).as_dict()


def not_found(request: HttpRequest) -> JsonResponse:
    """For addresses under /api/ that do not exist: still the house's body, not an HTML page."""
    return JsonResponse(body("not_found", _("There is nothing at this address.")), status=404)


def _invalid(fields: dict[str, str]) -> Response:
    whole = fields.pop("", "")
    message = whole or _("Some of what was sent is not right; nothing was changed.")
    return Response(body("input.invalid", message, fields), status=400)


def _words(error: exceptions.APIException) -> tuple[str, str]:
    """Stable code and a sentence; library sentences are replaced where they speak of internals."""
    if isinstance(error, exceptions.NotAuthenticated):
        return "auth.required", _("Log in first: send a token or a session cookie.")
    if isinstance(error, exceptions.AuthenticationFailed):
        return "auth.failed", _("This login is not valid (any more). Log in again.")
    if isinstance(error, exceptions.PermissionDenied):
        is_csrf = str(error.detail).startswith("CSRF")
        if is_csrf:
            return "auth.csrf", _("The X-CSRFToken header is missing or wrong.")
        return "permission.denied", _("Your role may not do this.")
    if isinstance(error, exceptions.NotFound):
        return "not_found", _("There is nothing at this address that you may see.")
    if isinstance(error, exceptions.MethodNotAllowed):
        return "method.not_allowed", str(error.detail)
    if isinstance(error, exceptions.ParseError):
        return "input.unreadable", _("The body is not valid JSON.")
    if isinstance(error, exceptions.UnsupportedMediaType):
        return "input.media_type", _("Send JSON with the header Content-Type: application/json.")
    if isinstance(error, exceptions.Throttled):
        return "rate.limited", _("Too many requests; wait for the time named in the Retry-After header.")
    return str(error.default_code), str(error.detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested errors as dotted field names: `locations.0`, and "" for the whole body."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if not inner:
                continue  # the good elements of a list with a bad one
            step = "" if name in NOT_A_FIELD else str(name)
            yield from _flatten(inner, ".".join(part for part in (path, step) if part))
    elif isinstance(detail, (list, tuple)):
        plain = [str(item) for item in detail if not isinstance(item, (Mapping, list, tuple))]
        if plain:
            yield path, " ".join(plain)
        for index, item in enumerate(detail):
            if isinstance(item, (Mapping, list, tuple)):
                yield from _flatten(item, f"{path}.{index}" if path else str(index))
    else:
        yield path, str(detail)


def _fault(error: Exception, context: Mapping[str, Any], request: HttpRequest) -> HttpResponse:
    """An error of ours: recorded for the admin and for Sentry, and never described to the caller."""
    view = context.get("view")
    action = getattr(view, "action", None) or str(request.method).lower()
    return fault_response(request, error, source=f"api {type(view).__name__}.{action}")

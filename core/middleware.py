"""What every request passes: an id and a log line, the watch over slow queries, and errors turned into pages."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from core.error_pages import domain_error_response, fault_response
from core.errors import DomainError
from core.monitoring.views import healthz, readyz
from core.request_context import HEADER, request_context, request_id_accept
from core.slow_queries import slow_queries_record, slow_queries_watched

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
EXPECTED = (Http404, PermissionDenied, SuspiciousOperation, BadRequest, MultiPartParserError)
QUIET_PATHS = {"/healthz", "/readyz"}  # probes every few seconds would be most of the log


class RequestContext:
    """Gives the request its id (`request.request_id`, header `X-Request-ID`) and writes one log line when it is done.

    Stands outermost, so it also answers probes itself: `/healthz` must not need a database, and neither probe may
    fail because it came with another Host header than people use.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_accept(request.headers.get(HEADER, ""))
        request.request_id = request_id  # type: ignore[attr-defined]
        began = time.perf_counter()
        with request_context(request_id=request_id):
            response = _probe_answer(request) or self.get_response(request)
            response.headers[HEADER] = request_id
            if request.path_info not in QUIET_PATHS:
                _log_line(request, response, time.perf_counter() - began)
        return response


class SlowQueries:
    """Notes queries over 100 ms in memory and stores them after the view is done, outside the watch."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with slow_queries_watched() as watch:
            response = self.get_response(request)
        if watch.seen:
            slow_queries_record(view_name(request), watch.seen)
        return response


class DomainErrorPage:
    """Turns exceptions of views into answers: a refusal with its reason, a fault with its number and nothing else."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DomainError):
            return domain_error_response(request, error)
        if isinstance(error, EXPECTED):
            return None  # Django asks the handlers of config/urls.py
        return fault_response(request, error, source=view_name(request))


def view_name(request: HttpRequest) -> str:
    """The view's URL name (`admin:index`), or its path pattern: never the path itself, which may hold a code."""
    match = request.resolver_match
    if match is None:
        return "(no view)"
    return match.view_name or match.route


def _probe_answer(request: HttpRequest) -> HttpResponse | None:
    if request.path_info == "/healthz":
        return healthz(request)
    if request.path_info == "/readyz":
        try:
            request.get_host()
        except DisallowedHost:
            return readyz(request)
    return None


def _logged_path(request: HttpRequest) -> str:
    """The path without a `token` that is in it: who has a bill's link has the bill, and logs go to many places."""
    token = str(request.resolver_match.kwargs.get("token") or "") if request.resolver_match else ""
    return request.path_info.replace(token, "…") if token else request.path_info


def _log_line(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    user = getattr(request, "_cached_user", None)  # set only if the view asked: the log line costs no query
    logger.info(
        "%s %s %d", request.method, _logged_path(request), response.status_code,
        extra={
            "status": response.status_code, "ms": round(seconds * 1000), "view": view_name(request),
            "user_id": getattr(user, "pk", None),
        },
    )  # fmt: skip

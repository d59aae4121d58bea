"""A limit per person, or per address while nobody is logged in, that several web processes count together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.client_ip import address_network, client_ip

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.response import Response
    from rest_framework.views import APIView


@dataclass(frozen=True)
class Allowance:
    """How many requests are left in the window that ends in `reset_seconds`."""

    limit: int
    remaining: int
    reset_seconds: int

    def put_on(self, response: Response) -> None:
        response["X-RateLimit-Limit"] = str(self.limit)
        response["X-RateLimit-Remaining"] = str(self.remaining)
        response["X-RateLimit-Reset"] = str(self.reset_seconds)


class UserOrAddressThrottle(BaseThrottle):
    """Fixed windows of API_RATE_WINDOW_SECONDS with API_RATE_MAX requests, counted by the cache's atomic incr."""

    _reset_seconds = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        window = max(1, int(settings.API_RATE_WINDOW_SECONDS))
        moment = self.now()
        number = int(moment // window)
        self._reset_seconds = int((number + 1) * window - moment) + 1
        count = _count(f"api:{self._who(request)}:{window}:{number}", window + 1)
        limit = int(settings.API_RATE_MAX)
        # on the Django request: finalize_response and tests reach it from either side
        request._request.api_allowance = Allowance(  # type: ignore[attr-defined]
            limit, max(0, limit - count), self._reset_seconds
        )
        return count <= limit

    def wait(self) -> float:
        return float(self._reset_seconds)

    def now(self) -> float:
        """Seconds since the epoch; a method so that tests own the clock."""
        return time.time()

    def _who(self, request: Request) -> str:
        if request.user is not None and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{address_network(client_ip(request._request))}"


def allowance_of(request: HttpRequest) -> Allowance | None:
    return getattr(request, "api_allowance", None)


def _count(key: str, lifetime_seconds: int) -> int:
    """Add one and return the sum. One round trip in the common case; the first of a window takes three."""
    cache = caches["default"]
    for _attempt in range(3):
        try:
            return int(cache.incr(key))
        except ValueError:
            # Not there yet (or just expired). `add` writes only if nobody was faster, so no count is lost.
            cache.add(key, 0, timeout=lifetime_seconds)
    return 1

"""What services want to know about a request: who asks, from where, and whether they asked before."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.client_ip import client_ip

IDEMPOTENCY_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[A-Za-z0-9._:-]{8,40}")


def request_key(request: Request) -> str:
    """The caller's Idempotency-Key, made his own: nobody can fetch another person's answer by guessing a key.

    Raises ValidationError when the header is missing or not 8-40 letters, digits, `.`, `_`, `:` or `-`.
    """
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if not _KEY.fullmatch(key):
        sentence = _("Send a new random text of 8 to 40 letters and digits per command; repeat it when you retry.")
        raise ValidationError({IDEMPOTENCY_HEADER: sentence})
    return f"u{request.user.pk}:{key}"


def who(request: Request) -> dict[str, Any]:
    """The keyword arguments every service takes about the person who acts."""
    return {"actor": request.user, "ip": client_ip(request._request)}

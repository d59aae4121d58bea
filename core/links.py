"""Addresses of this installation that leave it: on paper, in messages, in QR codes."""

from __future__ import annotations

from django.conf import settings


def public_url(path: str) -> str:
    """`path` (starting with `/`) under the installation's public address."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def pay_link(token: str) -> str:
    """Where a customer sees and pays one invoice; `token` is unguessable (`Invoice.token`)."""
    return public_url(f"/pay/{token}/")

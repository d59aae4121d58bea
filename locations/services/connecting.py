"""A new router, step one: its name and how it is reached. It stays switched off until it was prepared and checked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from core.installation import installation
from locations.choices import TlsMode
from locations.models import Location
from locations.routeros.addresses import source_towards
from locations.services.locations import location_add
from locations.services.tunnels import is_tunnelled, location_add_tunnelled, server_address

TLS_PORT = 8729


def location_connect(*, name: str, host: str, way: str, actor: User | None, ip: str | None = None) -> Location:
    """A location to be prepared, encrypted and with a user of our own; nothing is contacted.

    `way` is a TunnelKind, then `host` is not looked at; or empty, then the router is at `host`. Raises DomainError.
    """
    fields: dict[str, Any] = {
        "name": name, "port": TLS_PORT, "is_active": False, "username": f"mb-{installation().tag}",
        "tls_mode": TlsMode.PINNED, "timezone": settings.TIME_ZONE, "actor": actor, "ip": ip,
    }  # fmt: skip
    if way:
        return location_add_tunnelled(kind=way, **fields)
    if not host:
        sentence = _("Enter the address, or choose a tunnel.")
        raise DomainError("location.host", sentence, {"host": sentence})
    return location_add(host=host, **fields)


def allowed_suggested(location: Location) -> str:
    """This server's address as the router sees it; empty when it cannot be told. Nothing is sent."""
    return server_address() if is_tunnelled(location) else source_towards(location.host)

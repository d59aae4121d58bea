"""States of what lives on routers, and of the routers themselves."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TlsMode(models.TextChoices):
    NONE = "none", _("No encryption (API port 8728)")
    PINNED = "pinned", _("TLS, certificate pinned")
    CA = "ca", _("TLS, certificate checked against authorities")
    ANONYMOUS = "anonymous", _("TLS without certificate (open to interception)")


class Kind(models.TextChoices):
    """Which RouterOS menu an account or profile belongs to."""

    HOTSPOT = "hotspot", _("Hotspot")
    PPP = "ppp", _("PPPoE")


class Presence(models.TextChoices):
    PRESENT = "present", _("should be on the router")
    ABSENT = "absent", _("should not be on the router")


class Hold(models.TextChoices):
    """Why a wanted change is not being tried: a person must decide. Empty: it is being tried."""

    NONE = "", _("no")
    REFUSED = "refused", _("refused by the router")
    CONFLICT = "conflict", _("the router has an entry of this name that is not ours")


class Reach(models.TextChoices):
    """What we know of a router."""

    UNKNOWN = "unknown", _("not contacted yet")
    ONLINE = "online", _("online")
    OFFLINE = "offline", _("offline")
    REFUSED = "refused", _("login refused")
    WRONG_ROUTER = "wrong_router", _("another router answers at this address")


class UserType(models.TextChoices):
    """How a person or account belongs to a location [location_users.user_type]."""

    STAFF = "staff", _("works here")
    ASSIGNED = "assigned", _("assigned by load balancing")


class Priority(models.IntegerChoices):
    """Order of the writer's work. Removals come right after paid activations."""

    PAID = 0, _("paid activation")
    REMOVAL = 1, _("removal")
    CHANGE = 3, _("change by a person")
    BULK = 5, _("bulk")

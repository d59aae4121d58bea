from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """One role per person; it sets the group (`accounts.roles`)."""

    SUPER_ADMIN = "super_admin", _("Super Admin")
    ADMIN = "admin", _("Admin")
    OPERATOR = "operator", _("Operator")
    AGENT = "agent", _("Agent")

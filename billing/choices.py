from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlanType(models.TextChoices):
    HOTSPOT = "hotspot", _("Hotspot")
    PPPOE = "pppoe", _("PPPoE")


class ValidityFrom(models.TextChoices):
    FIRST_LOGIN = "first_login", _("first login")
    SALE = "sale", _("sale")

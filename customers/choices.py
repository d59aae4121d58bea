"""Words of the customer room that are stored."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("e-mail")
    TELEGRAM = "telegram", _("Telegram")


class ConsentKind(models.TextChoices):
    """What a person agreed to be told. Receipts and bills need no marketing consent, but may be refused too."""

    SERVICE = "service", _("bills, receipts and outages")
    MARKETING = "marketing", _("offers")


class ContactRole(models.TextChoices):
    BILLING = "billing", _("pays the bills")
    TECHNICAL = "technical", _("lets the technician in")
    OTHER = "other", _("other")


class DocumentKind(models.TextChoices):
    IDENTITY = "identity", _("identity card")
    CONTRACT = "contract", _("contract")
    PHOTO = "photo", _("photo")
    OTHER = "other", _("other")

"""How we get into a router: the login prepared for it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.models.places import Location


class RouterLogin(models.Model):
    """The least-privilege user prepared for a router. Until a check proved it, the location's old login stays in use.

    `features` are keys of `access_rights.FEATURES` beyond the core. The password leaves this row when it is proven.
    """

    location = models.OneToOneField(Location, primary_key=True, on_delete=models.CASCADE, related_name="prepared")
    username = models.CharField(_("router user"), max_length=64)
    password = EncryptedTextField(blank=True)
    features = models.JSONField(default=list)
    ros_version = models.CharField(max_length=1, default="7")
    allowed_from = models.CharField(_("allowed from"), max_length=200, blank=True)
    prepared_at = models.DateTimeField(_("prepared"))
    proven_at = models.DateTimeField(_("proven"), null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("prepared login")
        verbose_name_plural = _("prepared logins")

    def __str__(self) -> str:
        return f"{self.username} @ {self.location_id}"

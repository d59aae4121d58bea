"""Configurations of routers as text: every version that differed from the one before, and every time one was asked for."""

from __future__ import annotations

import base64
import zlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.choices_configs import BackupProblem, BackupReason, BackupStatus
from locations.models.places import Location


def packed(lines: list[str]) -> str:
    return base64.b85encode(zlib.compress("\n".join(lines).encode(), 9)).decode("ascii")


class ConfigVersion(models.Model):
    """A router's configuration, normalised (`routeros.exports`), without the lines this system wrote itself.

    Compressed and encrypted at rest; nothing but `lines` opens it. `seen_at` is when the router was last found to have
    exactly this. `added` and `removed` count lines against the version before.
    """

    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField(_("number"))
    packed = EncryptedTextField()
    line_count = models.PositiveIntegerField(_("lines"))
    size = models.PositiveIntegerField(_("bytes"), help_text="of the text that was kept")
    left_out = models.PositiveIntegerField(default=0, help_text="lines that this system wrote and keeps itself")
    has_secrets = models.BooleanField(_("with passwords"), default=False)
    router_version = models.CharField(max_length=64, blank=True)
    router_serial = models.CharField(max_length=64, blank=True)
    taken_at = models.DateTimeField(_("first seen"))
    seen_at = models.DateTimeField(_("last seen"))
    added = models.PositiveIntegerField(_("lines that came"), default=0)
    removed = models.PositiveIntegerField(_("lines that went"), default=0)
    is_unexpected = models.BooleanField(_("changed by others"), default=False)
    acknowledged_at = models.DateTimeField(_("looked at"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("router configuration")
        verbose_name_plural = _("router configurations")
        constraints = [models.UniqueConstraint(fields=["location", "number"], name="locations_config_number")]
        indexes = [
            models.Index(
                fields=["location"], name="locations_config_open", condition=Q(is_unexpected=True, acknowledged_at=None)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.location_id} #{self.number}"

    @property
    def lines(self) -> list[str]:
        """The configuration, secrets included: for comparing. Whatever is shown goes through `exports.masked`."""
        return zlib.decompress(base64.b85decode(self.packed)).decode().split("\n")

    @property
    def is_open(self) -> bool:
        """Somebody else changed it and nobody here has looked yet."""
        return self.is_unexpected and self.acknowledged_at is None


class ConfigBackup(models.Model):
    """One wish for a backup and what became of it. The location's writer obeys it before its other work.

    At most one waits per location. `night_on` is the local night a nightly one is for; `tries` counts broken links.
    `words` are the router's own, or what is missing.
    """

    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+", db_index=False
    )
    reason = models.CharField(_("reason"), max_length=8, choices=BackupReason.choices)
    status = models.CharField(_("state"), max_length=8, choices=BackupStatus.choices, default=BackupStatus.WAITING)
    requested_at = models.DateTimeField(_("requested"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    night_on = models.DateField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)
    version = models.ForeignKey(ConfigVersion, on_delete=models.SET_NULL, null=True, related_name="+")
    is_new = models.BooleanField(default=False, help_text="it differed from the version before")
    problem = models.CharField(max_length=10, choices=BackupProblem.choices, default=BackupProblem.NONE, blank=True)
    words = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("configuration backup")
        verbose_name_plural = _("configuration backups")
        constraints = [
            models.UniqueConstraint(
                fields=["location"], name="locations_backup_waiting", condition=Q(status=BackupStatus.WAITING)
            ),
            models.UniqueConstraint(fields=["location", "night_on"], name="locations_backup_night"),
            models.CheckConstraint(
                condition=Q(status=BackupStatus.WAITING, finished_at=None)
                | (~Q(status=BackupStatus.WAITING) & Q(finished_at__isnull=False)),
                name="locations_backup_finished",
            ),
        ]
        indexes = [models.Index(fields=["location", "id"], name="locations_backup_last")]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.status}"

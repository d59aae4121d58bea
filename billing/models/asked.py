"""What one person asks for and, above a limit, a second one decides: corrections by hand, payments taken back."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import AdjustmentStatus
from core.fields import AmountField


class AskedChange(models.Model):
    """The asking and the decision. `noun` begins the codes of refusals and the names in the activity log."""

    noun: ClassVar[str]

    amount = AmountField(_("amount"))
    reason = models.CharField(_("reason"), max_length=300)
    status = models.CharField(
        _("status"), max_length=10, choices=AdjustmentStatus.choices, default=AdjustmentStatus.WAITING
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("asked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="%(app_label)s_%(class)s_not_zero"),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at=None) | Q(status__in=["posted", "rejected"]),
                name="%(app_label)s_%(class)s_decided",
            ),
        ]
        indexes = [models.Index(fields=["status", "-id"], name="%(app_label)s_%(class)s_status")]

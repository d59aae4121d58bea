"""Runs of the ledger check and what they found."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.choices import CheckStatus


class LedgerCheck(models.Model):
    """One recomputation of all money. The row is the order: the nightly one by `night`, one by hand by `requested_by`.

    `counts` and `findings` are those of `billing.ledger.checking.LedgerReport`; both are empty when all is right.
    """

    status = models.CharField(_("status"), max_length=8, choices=CheckStatus.choices, default=CheckStatus.WAITING)
    night = models.DateField(_("night"), null=True, unique=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    counts = models.JSONField(default=dict)
    findings = models.JSONField(default=dict)
    error = models.CharField(_("problem"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("ledger check")
        verbose_name_plural = _("ledger checks")
        ordering = ["-id"]
        constraints = [
            # a second press of the button joins the check that waits; two workers never run one side by side
            models.UniqueConstraint(fields=["status"], condition=Q(status="waiting"), name="billing_check_one_waiting"),
            models.UniqueConstraint(fields=["status"], condition=Q(status="running"), name="billing_check_one_running"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "running"], finished_at=None)
                | Q(status__in=["done", "failed"], finished_at__isnull=False),
                name="billing_check_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d}: {self.status}"

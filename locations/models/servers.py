"""Plans of commands that set up a hotspot or PPPoE server: reviewed, confirmed by a person, applied by the writer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from locations.choices_servers import PLAN_OPEN, PlanStatus, ServerKind
from locations.models.configs import ConfigBackup
from locations.models.places import Location


class ServerPlan(models.Model):
    """`steps` are `sync.server_steps.Step` as JSON: the exact commands, why, and what the router answered to each.

    `facts_hash` is what the router had when the plan was made: a router that changed since must be reviewed again.
    At most one plan per location is on its way.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=ServerKind.choices)
    status = models.CharField(_("state"), max_length=9, choices=PlanStatus.choices, default=PlanStatus.REVIEW)
    answers = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    facts_hash = models.CharField(max_length=64)
    needs_backup = models.BooleanField(default=True)
    backup = models.ForeignKey(ConfigBackup, on_delete=models.SET_NULL, null=True, related_name="+")
    router_words = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(_("planned"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    undo_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("server plan")
        verbose_name_plural = _("server plans")
        constraints = [
            models.UniqueConstraint(fields=["location"], name="locations_plan_open", condition=Q(status__in=PLAN_OPEN))
        ]
        indexes = [models.Index(fields=["location", "id"], name="locations_plan_last")]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.kind} {self.status}"

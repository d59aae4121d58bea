"""How routers fare over time: samples for the strip of a day, warnings that hold, restarts that were asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from locations.choices import REBOOT_OPEN, AlertKind, RebootStatus
from locations.models.places import Location


class RouterSample(models.Model):
    """Five minutes of polls of one router, added to by each of them (`at` is when they began).

    288 rows a day and router, 57,600 a day for 200 routers, pruned after a week. The figures are the worst of the five
    minutes: highest round trip, CPU load and sessions, least free memory; null when no poll told them. `error` is why the
    last failed one failed, as in `RouterState.last_error`.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    answered = models.PositiveSmallIntegerField(default=0)
    failed = models.PositiveSmallIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(null=True)
    cpu_load = models.PositiveSmallIntegerField(null=True)
    free_memory = models.BigIntegerField(null=True)
    sessions = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "at"], name="locations_sample_once")]

    def __str__(self) -> str:
        return f"{self.location_id} at {self.at:%H:%M}"


class RouterAlert(models.Model):
    """Something about a router that a person should know while it holds. At most one of a kind is open per location.

    `told_at`: it held long enough to be told (`RouterAlerted`); until then nobody sees it. `value` is what was measured
    last: per cent of the licence, seconds the clock is off, per cent of bad blocks.
    """

    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("warning"), max_length=8, choices=AlertKind.choices)
    value = models.IntegerField(default=0)
    since = models.DateTimeField(_("since"))
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("warning of a router")
        verbose_name_plural = _("warnings of routers")
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind"], condition=Q(ended_at=None), name="locations_alert_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.kind}"


class RouterReboot(models.Model):
    """A restart asked for by one person, confirmed by another and sent by the writer, once.

    `sent_at` is written before the word goes out: a writer that dies in between leaves a restart that perhaps never
    was, which the router's uptime tells, and never one that comes twice.
    """

    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+")
    status = models.CharField(_("state"), max_length=9, choices=RebootStatus.choices, default=RebootStatus.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(_("asked"))
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    back_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    router_words = models.CharField(_("router says"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("restart of a router")
        verbose_name_plural = _("restarts of routers")
        constraints = [
            models.UniqueConstraint(
                fields=["location"], condition=Q(status__in=REBOOT_OPEN), name="locations_reboot_once"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=models.F("asked_by")),
                name="locations_reboot_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.status}"

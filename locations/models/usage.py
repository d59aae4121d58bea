"""What sessions were and what they used: history that outlives the router's own memory, and the account on it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from locations.choices import Kind, SessionEnd, UsagePeriod
from locations.models.places import Location


class SessionRecord(models.Model):
    """A session that ended, written once. It was last seen at `seen_at` and was over at `ended_at`: the poll between
    them is how exactly the end is known.

    Not tied to an account's row, because that leaves with the account: identity is (location, kind, name).
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=128)
    router_id = models.CharField(max_length=16)
    mac_address = models.CharField(_("MAC address"), max_length=32, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    started_at = models.DateTimeField(_("began"))
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"))
    uptime_seconds = models.PositiveBigIntegerField()
    bytes_in = models.PositiveBigIntegerField(_("sent"))
    bytes_out = models.PositiveBigIntegerField(_("received"))
    end = models.CharField(_("why"), max_length=8, choices=SessionEnd.choices)

    class Meta:
        verbose_name = _("past session")
        verbose_name_plural = _("past sessions")
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind", "router_id", "started_at"], name="locations_record_once"
            ),
            models.CheckConstraint(condition=Q(ended_at__gte=models.F("seen_at")), name="locations_record_order"),
        ]
        indexes = [
            models.Index(fields=["location", "kind", "name", "-ended_at"], name="locations_record_account"),
            models.Index(fields=["name", "-id"], name="locations_record_name"),
            models.Index(fields=["ended_at"], name="locations_record_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.location_id}"


class SessionKick(models.Model):
    """A person wants one live session ended: work for the writer until the router confirmed it (`ended_at`).

    `came_back_at` is when the same device was seen with a new session soon after; `had_cookie` says that a cookie
    would have let it back in silently, and was removed.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=128)
    router_id = models.CharField(max_length=16)
    mac_address = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    had_cookie = models.BooleanField(default=False)
    came_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind", "router_id"], condition=Q(ended_at=None), name="locations_kick_once"
            )
        ]
        indexes = [models.Index(fields=["location", "ended_at"], name="locations_kick_ended")]

    def __str__(self) -> str:
        return f"{self.name} on {self.location_id}"


class AccountUsage(models.Model):
    """What one login used in one day or month of its location's calendar: a sum of what polls saw, added once each.

    A difference between two polls counts on the day of the second: exact to the time between polls. `seconds` is
    online time, summed over devices; a static address has none.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=64)
    period = models.CharField(max_length=5, choices=UsagePeriod.choices)
    starts_on = models.DateField()
    bytes_in = models.PositiveBigIntegerField(default=0)
    bytes_out = models.PositiveBigIntegerField(default=0)
    seconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "kind", "name", "period", "starts_on"], name="locations_usage_once"
            )
        ]
        indexes = [models.Index(fields=["period", "starts_on", "location"], name="locations_usage_period")]

    def __str__(self) -> str:
        return f"{self.name} {self.starts_on}"


class InterfaceTraffic(models.Model):
    """One of a router's own interfaces as last polled. Rates are bits per second between the last two polls."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=160)
    is_running = models.BooleanField(default=False)
    rx_bytes = models.PositiveBigIntegerField(default=0)
    tx_bytes = models.PositiveBigIntegerField(default=0)
    rx_rate = models.PositiveBigIntegerField(null=True)
    tx_rate = models.PositiveBigIntegerField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "name"], name="locations_interface_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.location_id}"


class InterfaceDay(models.Model):
    """Bytes of one interface in one UTC day, one sum per quarter of an hour (96): one small row, whatever the polls."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=160)
    day = models.DateField()
    rx = ArrayField(models.BigIntegerField())
    tx = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "name", "day"], name="locations_interface_day")]
        indexes = [models.Index(fields=["day"], name="locations_interface_prune")]

    def __str__(self) -> str:
        return f"{self.name} on {self.location_id}, {self.day}"

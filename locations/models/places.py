"""Routers and the places they serve, who works there, and groups of them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.choices import (
    DriftRepair,
    IsolationMethod,
    Strategy,
    TlsMode,
    UserType,
)


class Location(models.Model):
    """One router and the place it serves [locations]."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    host = models.CharField(_("address"), max_length=255)
    port = models.PositiveIntegerField(
        _("API port"), default=8728, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    username = models.CharField(_("router user"), max_length=64)
    password = EncryptedTextField(_("router password"), blank=True)
    tls_mode = models.CharField(_("encryption"), max_length=10, choices=TlsMode.choices, default=TlsMode.NONE)
    tls_fingerprint = models.CharField(_("certificate SHA-256"), max_length=64, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, default="Asia/Jakarta")
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    isolation_method = models.CharField(
        _("isolation"), max_length=12, choices=IsolationMethod.choices, default=IsolationMethod.PROFILE,
        db_default=IsolationMethod.PROFILE,
    )  # fmt: skip
    isolation_rate_limit = models.CharField(
        _("speed when isolated"), max_length=40, default="64k/64k", db_default="64k/64k"
    )
    isolation_list = models.CharField(
        _("address list of the isolated"), max_length=32, default="mb-isolated", db_default="mb-isolated"
    )
    isolation_page_address = models.GenericIPAddressField(
        _("address of the isolation page"), protocol="IPv4", null=True, blank=True
    )
    isolation_page_port = models.PositiveIntegerField(
        _("port of the isolation page"), default=80, db_default=80,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
    )  # fmt: skip
    isolation_allowed_hosts = models.TextField(_("hosts the isolated may reach"), blank=True, default="", db_default="")
    speed_change_pace = models.PositiveSmallIntegerField(
        _("sessions ended per second when a speed changes"), default=5, db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )  # fmt: skip
    drift_repair = models.CharField(
        _("repair what was changed on the router"), max_length=8, choices=DriftRepair.choices,
        default=DriftRepair.ALWAYS, db_default=DriftRepair.ALWAYS,
    )  # fmt: skip
    capacity = models.PositiveIntegerField(
        _("most users"), null=True, blank=True, validators=[MinValueValidator(1)]
    )  # for sharing new customers out; nobody is turned away by it
    writes_per_second = models.PositiveSmallIntegerField(
        _("most changes per second"), null=True, blank=True, validators=[MinValueValidator(2), MaxValueValidator(1000)]
    )  # empty: as fast as the router answers, slower while its CPU is busy
    drift_repair_hour = models.PositiveSmallIntegerField(
        _("hour of the daily repair"), default=3, db_default=3, validators=[MaxValueValidator(23)]
    )

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class LocationUser(models.Model):
    """A staff member's scope [location_users: location, user, user_type, created_at]."""

    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("staff member"), on_delete=models.CASCADE, related_name="+"
    )
    user_type = models.CharField(_("role here"), max_length=10, choices=UserType.choices, default=UserType.STAFF)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("location member")
        verbose_name_plural = _("location members")
        constraints = [
            models.UniqueConstraint(fields=["location", "user", "user_type"], name="locations_member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} @ {self.location}"


class LocationGroup(models.Model):
    """Locations among which new customers are shared out. `turn` counts the choices made."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    strategy = models.CharField(_("how"), max_length=12, choices=Strategy.choices, default=Strategy.LEAST_USERS)
    manual_location = models.ForeignKey(
        Location, verbose_name=_("always this one"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    max_cpu_load = models.PositiveSmallIntegerField(
        _("busy from this CPU load, in %"), default=85, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    locations = models.ManyToManyField(Location, through="GroupPlace", related_name="+")
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("group of locations")
        verbose_name_plural = _("groups of locations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class GroupPlace(models.Model):
    """A location in a group; `last_turn` is when it was chosen last."""

    group = models.ForeignKey(LocationGroup, on_delete=models.CASCADE, related_name="places")
    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+")
    is_paused = models.BooleanField(_("paused"), default=False)
    last_turn = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("location of the group")
        verbose_name_plural = _("locations of the group")
        constraints = [models.UniqueConstraint(fields=["group", "location"], name="locations_group_place_once")]

    def __str__(self) -> str:
        return f"{self.location} in {self.group}"


class LocationChoice(models.Model):
    """Where a new customer or batch was put and why [location_users, user_type "assigned"].

    `details` are the facts of the choice: every candidate with its numbers, and why it was left out. `subject` says
    what it was for in the words of the room that asked (`voucherbatch:7`), `name` the login when there is one.
    """

    group = models.ForeignKey(LocationGroup, on_delete=models.SET_NULL, null=True, related_name="+")
    location = models.ForeignKey(Location, verbose_name=_("location"), on_delete=models.CASCADE, related_name="+")
    strategy = models.CharField(_("how"), max_length=12, choices=Strategy.choices)
    details = models.JSONField(default=dict)
    subject = models.CharField(_("for"), max_length=64, blank=True)
    name = models.CharField(_("name"), max_length=64, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    chosen_at = models.DateTimeField(_("chosen"))

    class Meta:
        verbose_name = _("choice of a location")
        verbose_name_plural = _("choices of locations")
        indexes = [models.Index(fields=["subject"], name="locations_choice_subject")]

    def __str__(self) -> str:
        return f"{self.location_id} for {self.subject}"

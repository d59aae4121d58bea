"""What routers told us and how far work on them is; written by the writer, never by people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from locations.choices import (
    REPLACEMENT_OPEN,
    DriftCategory,
    DriftSubject,
    Kind,
    Reach,
    ReplacementStatus,
    RolloutMode,
    RolloutStatus,
)
from locations.models.desired import AccessAccount, RouterProfile
from locations.models.places import Location


class RouterState(models.Model):
    """What we know of a location's router, and who may write to it now. One row per location, written by machines."""

    location = models.OneToOneField(Location, primary_key=True, on_delete=models.CASCADE, related_name="state")
    reach = models.CharField(max_length=14, choices=Reach.choices, default=Reach.UNKNOWN)
    reach_since = models.DateTimeField(null=True)
    down_told_at = models.DateTimeField(null=True, help_text="`LocationDown` was told, `LocationUp` not yet")
    last_error = models.CharField(max_length=500, blank=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    # identity: a change of serial stops all writing until a person chose
    identity = models.CharField(max_length=128, blank=True)
    model = models.CharField(max_length=128, blank=True)
    version = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=64, blank=True)
    other_serial = models.CharField(max_length=64, blank=True)
    # a certificate nobody confirmed: while it stands here nothing is sent to the router, not even a login
    other_fingerprint = models.CharField(max_length=64, blank=True, default="", db_default="")
    uptime_seconds = models.BigIntegerField(null=True)
    clock_skew_seconds = models.IntegerField(null=True)
    cpu_load = models.PositiveSmallIntegerField(null=True)
    free_memory = models.BigIntegerField(null=True)
    total_memory = models.BigIntegerField(null=True)
    latency_ms = models.PositiveIntegerField(null=True, help_text="round trip of the last poll")
    write_sectors = models.BigIntegerField(null=True, help_text="sectors of the flash written since the restart")
    write_sectors_total = models.BigIntegerField(null=True)
    bad_blocks = models.FloatField(null=True, help_text="per cent of the flash")
    restarted_at = models.DateTimeField(null=True, help_text="the last restart we saw")
    licence_limit = models.PositiveIntegerField(null=True)
    entry_count = models.PositiveIntegerField(null=True, help_text="hotspot users and secrets on the router")
    # work
    taken_id = models.BigIntegerField(default=0, db_default=0, help_text="the last observation taken in: none twice")
    polled_at = models.DateTimeField(null=True)
    usage_swept_at = models.DateTimeField(null=True)
    reconcile_due_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    drift = models.JSONField(default=dict)
    repaired_at = models.DateTimeField(null=True)
    is_repair_due = models.BooleanField(default=False, db_default=False, help_text="the next comparison repairs")
    compare_wanted = models.JSONField(null=True, help_text='accounts and profiles to compare alone: [["account", id]]')
    # the last push of many rows: changes confirmed per second, what they were held to, why, and when that was
    push_rate = models.PositiveIntegerField(null=True)
    push_limit = models.PositiveIntegerField(null=True)
    push_reason = models.CharField(max_length=8, default="", db_default="", blank=True)
    push_at = models.DateTimeField(null=True)
    # one writer per location
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_sent = models.JSONField(default=dict, help_text="rows the lease holder is sending: kind to ids")

    def __str__(self) -> str:
        return f"{self.location_id}: {self.reach}"


class DriftRow(models.Model):
    """One thing that a comparison found otherwise than wanted. Every comparison replaces what it looked at.

    `row_id` is the desired row it is about; extra and foreign ones have none. `words` are [word, wanted, found], never
    a password. `repair_at`: a person asked for its removal, which only extra ones need: the others are wishes already.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    category = models.CharField(_("finding"), max_length=9, choices=DriftCategory.choices)
    subject = models.CharField(_("what"), max_length=7, choices=DriftSubject.choices)
    kind = models.CharField(_("kind"), max_length=16)
    name = models.CharField(_("name"), max_length=300)
    row_id = models.BigIntegerField(null=True)
    words = models.JSONField(default=list)
    found_at = models.DateTimeField(_("found"))
    repair_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    router_words = models.CharField(_("router says"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drift")
        indexes = [
            models.Index(fields=["location", "category", "id"], name="locations_drift_list"),
            models.Index(fields=["location", "subject", "row_id"], name="locations_drift_subject"),
            models.Index(
                fields=["location"],
                name="locations_drift_removal",
                condition=Q(repair_at__isnull=False, removed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.category}"


class ProfileRollout(models.Model):
    """A changed speed on its way to the sessions that run. At most one runs per profile.

    `confirmed_at` is when the router confirmed revision `revision` of the profile: sessions that began earlier are on
    the old speed. `total` is how many those were then, `ended` how many we ended.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    profile = models.ForeignKey(RouterProfile, on_delete=models.CASCADE, related_name="rollouts")
    mode = models.CharField(max_length=10, choices=RolloutMode.choices)
    status = models.CharField(max_length=9, choices=RolloutStatus.choices, default=RolloutStatus.RUNNING)
    requested_at = models.DateTimeField(_("requested"))
    pace_per_second = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    stepped_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)

    class Meta:
        verbose_name = _("speed change")
        verbose_name_plural = _("speed changes")
        constraints = [
            models.UniqueConstraint(
                fields=["profile"], condition=Q(status=RolloutStatus.RUNNING), name="locations_rollout_once"
            ),
            models.CheckConstraint(
                condition=Q(status=RolloutStatus.RUNNING, finished_at=None, cancelled_at=None)
                | Q(status=RolloutStatus.DONE, finished_at__isnull=False, cancelled_at=None)
                | Q(status=RolloutStatus.CANCELLED, finished_at=None, cancelled_at__isnull=False),
                name="locations_rollout_moments",
            ),
        ]
        indexes = [
            models.Index(
                fields=["location"], name="locations_rollout_running", condition=Q(status=RolloutStatus.RUNNING)
            )
        ]

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.status}"


class RouterReplacement(models.Model):
    """A new router at a location: confirmed by a person, filled, compared, done. At most one is open per location.

    `verify_at` is when the last comparison was asked for; `rounds` how many found something and sent it again.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+", db_index=False)
    old_serial = models.CharField(max_length=64, blank=True)
    new_serial = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=9, choices=ReplacementStatus.choices, default=ReplacementStatus.PUSHING)
    started_at = models.DateTimeField(_("started"))
    verify_at = models.DateTimeField(null=True)
    rounds = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("new router")
        verbose_name_plural = _("new routers")
        constraints = [
            models.UniqueConstraint(
                fields=["location"], condition=Q(finished_at=None), name="locations_replacement_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=REPLACEMENT_OPEN, finished_at=None)
                | (~Q(status__in=REPLACEMENT_OPEN) & Q(finished_at__isnull=False)),
                name="locations_replacement_finished",
            ),
        ]
        indexes = [models.Index(fields=["location", "id"], name="locations_replacement_last")]

    def __str__(self) -> str:
        return f"{self.location_id}: {self.old_serial} → {self.new_serial}"


class RouterSession(models.Model):
    """A live session as last observed; its row stays the same one until the session ends.

    A static address has no login: its "session" is the time in which the bytes of its queue grow. `bytes_in` is what
    the customer sent, `bytes_out` what he got. Rates are bits per second between the last two polls; None: not known.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    router_id = models.CharField(max_length=16)
    name = models.CharField(max_length=128)
    account = models.ForeignKey(AccessAccount, null=True, on_delete=models.SET_NULL, related_name="+")
    mac_address = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=64, blank=True)
    uptime_seconds = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    bytes_in = models.PositiveBigIntegerField(default=0, db_default=0)
    bytes_out = models.PositiveBigIntegerField(default=0, db_default=0)
    rate_in = models.PositiveBigIntegerField(null=True)
    rate_out = models.PositiveBigIntegerField(null=True)
    active_at = models.DateTimeField(null=True, help_text="when its bytes were last seen to grow")
    base_uptime_seconds = models.PositiveBigIntegerField(default=0, help_text="the user row's counter when it began")
    base_bytes = models.PositiveBigIntegerField(default=0)
    base_bytes_in = models.PositiveBigIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(help_text="as computed when it was first seen")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "kind", "router_id"], name="locations_session_identity")
        ]
        indexes = [
            models.Index(fields=["name"], name="locations_session_name"),
            models.Index(fields=["mac_address"], name="locations_session_mac"),
            models.Index(fields=["address"], name="locations_session_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.location_id}"


class Observation(models.Model):
    """What a router answered to one poll, insert-only; a second short transaction takes it in and marks it done."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+")
    observed_at = models.DateTimeField()
    payload = models.JSONField()
    processed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["location", "id"], name="locations_observation_todo", condition=Q(processed_at=None)),
            models.Index(fields=["processed_at"], name="locations_observation_done"),
        ]

    def __str__(self) -> str:
        return f"{self.location_id} at {self.observed_at:%H:%M:%S}"

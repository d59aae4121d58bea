"""Routers, what should be on them, and what they told us.

Every `DesiredRow` is its own outbox: `revision <> applied_revision` means the router does not have it yet
(DESIGN §3.1). Rows of `RouterState`, `RouterSession` and `Observation` are written by the writer, never by people.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.choices import (
    DriftCategory,
    DriftRepair,
    DriftSubject,
    EntryKind,
    Hold,
    IsolationMethod,
    Kind,
    Presence,
    Priority,
    Reach,
    RolloutMode,
    RolloutStatus,
    SessionEnd,
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


class RouterState(models.Model):
    """What we know of a location's router, and who may write to it now. One row per location, written by machines."""

    location = models.OneToOneField(Location, primary_key=True, on_delete=models.CASCADE, related_name="state")
    reach = models.CharField(max_length=14, choices=Reach.choices, default=Reach.UNKNOWN)
    reach_since = models.DateTimeField(null=True)
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
    uptime_seconds = models.BigIntegerField(null=True)
    clock_skew_seconds = models.IntegerField(null=True)
    cpu_load = models.PositiveSmallIntegerField(null=True)
    free_memory = models.BigIntegerField(null=True)
    licence_limit = models.PositiveIntegerField(null=True)
    entry_count = models.PositiveIntegerField(null=True, help_text="hotspot users and secrets on the router")
    # work
    polled_at = models.DateTimeField(null=True)
    usage_swept_at = models.DateTimeField(null=True)
    reconcile_due_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    drift = models.JSONField(default=dict)
    repaired_at = models.DateTimeField(null=True)
    is_repair_due = models.BooleanField(default=False, db_default=False, help_text="the next comparison repairs")
    compare_wanted = models.JSONField(null=True, help_text='accounts and profiles to compare alone: [["account", id]]')
    # one writer per location
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_sent = models.JSONField(default=dict, help_text="rows the lease holder is sending: kind to ids")

    def __str__(self) -> str:
        return f"{self.location_id}: {self.reach}"


# rows the writer should try now; held ones (a person must decide) stay out, so they cannot fill its batches
NOT_SYNCED = ~Q(revision=F("applied_revision"))
TODO = NOT_SYNCED & Q(hold="")


class DesiredRow(models.Model):
    """Something that should be on a router. Identity is (location, kind, name); location and kind never change."""

    # no index of its own: every index of the subclasses that is asked by location starts with it
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=64)
    presence = models.CharField(max_length=8, choices=Presence.choices, default=Presence.PRESENT)
    tag = models.CharField(max_length=16, default="a", help_text="`b<batch>` or `a`; last part of the router comment")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.CHANGE)
    revision = models.PositiveIntegerField(default=1)
    applied_revision = models.PositiveIntegerField(default=0)
    applied_at = models.DateTimeField(_("confirmed"), null=True)
    router_id = models.CharField(max_length=16, blank=True)
    applied_name = models.CharField(max_length=64, blank=True)
    hold = models.CharField(max_length=10, choices=Hold.choices, default=Hold.NONE, blank=True)
    router_words = models.CharField(_("router says"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def is_synced(self) -> bool:
        """The router confirmed the revision we want [mikrotik_synced]."""
        return self.revision == self.applied_revision


class RouterProfile(DesiredRow):
    """Speed and session rules on a router: `/ip/hotspot/user/profile` or `/ppp/profile` [router side of profiles]."""

    rate_limit = models.CharField(max_length=120, blank=True)
    shared_users = models.PositiveSmallIntegerField(default=1)
    session_timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    idle_timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    keepalive_timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    address_pool = models.CharField(max_length=64, blank=True)
    address_list = models.CharField(max_length=32, blank=True, default="", db_default="")
    # what isolated accounts of this profile have instead; made on demand, one per kind and pool
    isolation_profile = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("router profile")
        verbose_name_plural = _("router profiles")
        constraints = [models.UniqueConstraint(fields=["location", "kind", "name"], name="locations_profile_identity")]
        indexes = [
            models.Index(
                fields=["location", "priority", "id"], name="locations_profile_todo",
                condition=TODO,
            )
        ]  # fmt: skip


class AccessAccount(DesiredRow):
    """A login on one router: hotspot user or PPP secret [pppoe_users for PPP].

    `password` NULL means "the same as the name" (most vouchers). Used amounts are `past_*` (router epochs that
    ended with a reset) plus `epoch_*` (the router's own counters as last seen). Rows with the same kind, name and
    tag at several locations are one roaming account: limits hold for their sum.
    """

    profile = models.ForeignKey(RouterProfile, verbose_name=_("profile"), on_delete=models.PROTECT, related_name="+")
    password = EncryptedTextField(_("password"), null=True, blank=True)
    is_disabled = models.BooleanField(_("disabled"), default=False)
    is_isolated = models.BooleanField(_("isolated"), default=False, db_default=False)
    mac_address = models.CharField(_("MAC address"), max_length=17, blank=True)
    is_mac_locked = models.BooleanField(default=False, help_text="the first device becomes the only one")
    static_address = models.GenericIPAddressField(_("static address"), null=True, blank=True)
    limit_uptime_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    limit_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    is_kick_due = models.BooleanField(default=False, help_text="end its live sessions with the next write")
    is_adopted = models.BooleanField(default=False, help_text="a person said that the router's entry is this account")
    # of an account on its way out: which one takes its place, and whether that one waits until this one is gone
    moved_to = models.ForeignKey(
        "self", on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    is_move_awaited = models.BooleanField(default=False, db_default=False)
    sent_limit_seconds = models.PositiveBigIntegerField(null=True, help_text="limit-uptime as the router has it")
    first_login_at = models.DateTimeField(_("first login"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    past_uptime_seconds = models.PositiveBigIntegerField(default=0)
    past_bytes = models.PositiveBigIntegerField(default=0)
    epoch_uptime_seconds = models.PositiveBigIntegerField(default=0)
    epoch_bytes = models.PositiveBigIntegerField(default=0)
    last_session_ended_at = models.DateTimeField(_("last session ended"), null=True, blank=True)
    last_session_end = models.CharField(
        max_length=8, choices=SessionEnd.choices, default=SessionEnd.NONE, db_default="", blank=True
    )

    class Meta:
        verbose_name = _("access account")
        verbose_name_plural = _("access accounts")
        constraints = [
            models.UniqueConstraint(fields=["location", "kind", "name"], name="locations_account_identity"),
            models.CheckConstraint(
                condition=Q(applied_revision__lte=F("revision")), name="locations_account_revision_order"
            ),
            models.CheckConstraint(
                condition=~Q(kind=Kind.STATIC) | Q(static_address__isnull=False), name="locations_account_static"
            ),
            models.UniqueConstraint(
                fields=["location", "static_address"],
                condition=Q(kind=Kind.STATIC, presence=Presence.PRESENT),
                name="locations_account_static_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["location", "priority", "id"], name="locations_account_todo",
                condition=TODO,
            ),
            models.Index(fields=["name"], name="locations_account_name"),
            models.Index(fields=["tag"], name="locations_account_tag"),
            models.Index(
                fields=["location", "hold"], name="locations_account_held", condition=~Q(hold=""),
            ),
            models.Index(
                fields=["location", "id"], name="locations_account_isolated", condition=Q(is_isolated=True),
            ),
            models.Index(fields=["moved_to"], name="locations_account_moved", condition=Q(moved_to__isnull=False)),
        ]  # fmt: skip

    @property
    def secret(self) -> str:
        """The password the router gets."""
        return self.name if self.password is None else self.password

    @property
    def used_uptime_seconds(self) -> int:
        return self.past_uptime_seconds + self.epoch_uptime_seconds

    @property
    def used_bytes(self) -> int:
        return self.past_bytes + self.epoch_bytes


class RouterEntry(DesiredRow):
    """Something without a name that should be on a router: a list entry, a walled-garden host, a firewall rule.

    `words` are its RouterOS properties. `name` says its identity in one line: made of the words that identify it, or,
    for a rule, its role, which is also its `tag`. `place` is its order among our rules of the same menu.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=EntryKind.choices)
    name = models.CharField(_("name"), max_length=300)
    applied_name = models.CharField(max_length=300, blank=True)
    words = models.JSONField(default=dict)
    is_adopted = models.BooleanField(default=False, help_text="a person said that the router's row is this entry")
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("router entry")
        verbose_name_plural = _("router entries")
        constraints = [models.UniqueConstraint(fields=["location", "kind", "name"], name="locations_entry_identity")]
        indexes = [
            models.Index(
                fields=["location", "priority", "id"], name="locations_entry_todo",
                condition=TODO,
            )
        ]  # fmt: skip


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


class RouterSession(models.Model):
    """A live session as last observed; replaced by every poll."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    router_id = models.CharField(max_length=16)
    name = models.CharField(max_length=128)
    account = models.ForeignKey(AccessAccount, null=True, on_delete=models.SET_NULL, related_name="+")
    mac_address = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=64, blank=True)
    uptime_seconds = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    base_uptime_seconds = models.PositiveBigIntegerField(default=0, help_text="the user row's counter when it began")
    base_bytes = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "kind", "router_id"], name="locations_session_identity")
        ]
        indexes = [models.Index(fields=["name"], name="locations_session_name")]

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

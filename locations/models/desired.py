"""What should be on routers. Every row is its own outbox: `revision <> applied_revision` is work (DESIGN §3.1)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from locations.choices import (
    EntryKind,
    Hold,
    Kind,
    Presence,
    Priority,
    SessionEnd,
)
from locations.models.places import Location

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
    # the script at login, where we decide it; NULL: whatever the router has
    on_login = models.TextField(null=True)  # noqa: DJ001  # empty is no script
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
    # taken over with the router's own comment, which scripts there still read: ours is not written; NULL: it is ours
    kept_comment = models.TextField(null=True)  # noqa: DJ001  # empty is a comment too
    is_comment_due = models.BooleanField(
        default=False, db_default=False, help_text="the kept comment is written back with the next write"
    )
    is_password_kept = models.BooleanField(
        default=False, db_default=False, help_text="only the router knows the password: it is never sent"
    )
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
    epoch_bytes_in = models.PositiveBigIntegerField(default=0, db_default=0, help_text="of these, sent by the customer")
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

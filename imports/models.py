"""What comes from elsewhere: files with customers, and routers that ran before. Checked row by row, then applied as a whole."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models import Plan
from core.fields import AmountField, EncryptedTextField
from imports.choices import (
    ROUTER_IMPORT_OVER,
    ImportKind,
    ImportStatus,
    LoginUse,
    RouterImportStatus,
    Subject,
    Verdict,
)
from locations.choices import Kind
from locations.models import Location

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000


class ImportRun(models.Model):
    """One uploaded file. `content` is kept until it was applied or cancelled, so that web and worker need no common disk."""

    kind = models.CharField(_("what"), max_length=20, choices=ImportKind.choices, default=ImportKind.CUSTOMERS)
    filename = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64)
    location = models.ForeignKey(
        Location, verbose_name=_("location"), null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("For rows that name none."),
    )  # fmt: skip
    is_unknown_ignored = models.BooleanField(_("leave out columns nobody knows"), default=False)
    is_phone_shared = models.BooleanField(_("several customers may have one phone number"), default=False)
    status = models.CharField(_("status"), max_length=10, choices=ImportStatus.choices, default=ImportStatus.QUEUED)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    problem_count = models.PositiveIntegerField(_("problems"), default=0)
    is_cancel_requested = models.BooleanField(default=False)
    error = models.CharField(_("problem"), max_length=500, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("brought by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("brought"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="applied") | Q(finished_at__isnull=False, problem_count=0),
                name="imports_run_applied",
            )
        ]

    def __str__(self) -> str:
        return self.filename


class ImportRow(models.Model):
    """One row of the file as it was understood. `number` is its line in the file; `values` are clean, `problems` are not."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    values = models.JSONField(default=dict)
    problems = models.JSONField(default=list, help_text="pairs of column and sentence")

    class Meta:
        verbose_name = _("row")
        verbose_name_plural = _("rows")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="imports_row_once")]
        indexes = [models.Index(fields=["run", "number"], name="imports_row_wrong", condition=~Q(problems=[]))]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.number}"


class RouterImport(models.Model):
    """One router that is taken over: read, judged row by row, applied, and undone when a person wants it back.

    `made` names what applying created, by kind to ids, so that exactly that can be removed again. `facts` are what the
    router said about itself when it was read; `counts` the rows by subject and verdict.
    """

    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(
        _("status"), max_length=12, choices=RouterImportStatus.choices, default=RouterImportStatus.QUEUED
    )
    billed_from = models.DateField(
        _("first day to bill"), null=True, blank=True,
        help_text=_("Customers' services count as paid until the day before. Nothing is billed for the time before it."),
    )  # fmt: skip
    is_sales_wanted = models.BooleanField(
        _("keep the old sales as history"), default=True,
        help_text=_("They are kept to look at. They are no income in the books: those begin today."),
    )  # fmt: skip
    is_read = models.BooleanField(default=False, help_text="the router was read; other choices need no new reading")
    facts = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    made = models.JSONField(default=dict)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    is_cancel_requested = models.BooleanField(default=False)
    error = models.CharField(_("problem"), max_length=500, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    scripts_retired_at = models.DateTimeField(_("scripts retired"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("begun by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    request_key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("taking over of a router")
        verbose_name_plural = _("routers taken over")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["location"], condition=~Q(status__in=sorted(ROUTER_IMPORT_OVER)),
                name="imports_router_open_once",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["location", "-id"], name="imports_router_place")]

    def __str__(self) -> str:
        return self.location.name


class RouterImportRow(models.Model):
    """One row of the router as it was read, and what becomes of it. `secret` is its password where the router shows it.

    `reason` is a code that `imports.words_routers` puts into a sentence with `details`.
    """

    run = models.ForeignKey(RouterImport, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    subject = models.CharField(_("what"), max_length=12, choices=Subject.choices)
    name = models.CharField(_("name"), max_length=255)
    profile = models.CharField(_("profile"), max_length=255, blank=True)
    router_id = models.CharField(max_length=16, blank=True)
    values = models.JSONField(default=dict)
    secret = EncryptedTextField(null=True)
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=24, blank=True)
    details = models.JSONField(default=dict)
    is_done = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("row of a router")
        verbose_name_plural = _("rows of a router")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="imports_router_row_once")]
        indexes = [models.Index(fields=["run", "verdict", "subject", "number"], name="imports_router_row_list")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.subject} {self.name}"


class RouterImportProfile(models.Model):
    """What is decided about one profile of the router: which plan it becomes, and what its logins are."""

    run = models.ForeignKey(RouterImport, on_delete=models.CASCADE, related_name="profiles", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(_("profile"), max_length=255)
    use = models.CharField(_("its logins become"), max_length=8, choices=LoginUse.choices, default=LoginUse.LEAVE)
    plan = models.ForeignKey(
        Plan, verbose_name=_("plan"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text=_("Empty: a new plan is made."),
    )  # fmt: skip
    plan_name = models.CharField(_("name of the new plan"), max_length=60, blank=True)
    price_sell = AmountField(_("selling price"), default=0)
    price_cost = AmountField(_("cost price"), default=0)
    duration_seconds = models.PositiveBigIntegerField(_("validity"), null=True, blank=True)
    is_mac_locked = models.BooleanField(_("lock to first device"), default=False)
    has_script = models.BooleanField(default=False, help_text="Mikhmon's script runs at each login")
    logins = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["run", "kind", "name"], name="imports_router_profile_once")]

    def __str__(self) -> str:
        return self.name


class ImportedSale(models.Model):
    """A sale that another program kept on a router: history to look at. Its money was counted there, it is no income here."""

    run = models.ForeignKey(RouterImport, on_delete=models.PROTECT, related_name="sales")
    location = models.ForeignKey(
        Location, verbose_name=_("location"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    sold_at = models.DateTimeField(_("when"))
    user = models.CharField(_("login"), max_length=64)
    price = AmountField(_("price"))
    profile = models.CharField(_("profile"), max_length=64, blank=True)
    validity = models.CharField(_("validity"), max_length=40, blank=True)
    comment = models.CharField(_("comment"), max_length=255, blank=True)
    mac_address = models.CharField(_("MAC address"), max_length=17, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="of the row on the router: the same sale is kept once")

    class Meta:
        verbose_name = _("sale from before")
        verbose_name_plural = _("sales from before")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["location", "fingerprint"], name="imports_sale_once")]
        indexes = [
            models.Index(fields=["location", "sold_at"], name="imports_sale_when"),
            models.Index(fields=["user"], name="imports_sale_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.price}"

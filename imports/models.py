"""Files that bring customers from elsewhere: read, checked row by row, then applied as a whole or not at all."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from imports.choices import ImportKind, ImportStatus
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

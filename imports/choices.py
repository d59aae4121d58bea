"""States of an import and the legal moves between them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportKind(models.TextChoices):
    CUSTOMERS = "customers", _("customers")


class ImportStatus(models.TextChoices):
    QUEUED = "queued", _("waiting to be read")
    CHECKING = "checking", _("being checked")
    CHECKED = "checked", _("checked")
    WAITING = "waiting", _("waiting to be applied")
    APPLYING = "applying", _("being applied")
    APPLIED = "applied", _("applied")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("stopped by a problem")


IMPORT_MOVES: dict[str, frozenset[str]] = {
    ImportStatus.QUEUED: frozenset({ImportStatus.CHECKING, ImportStatus.CANCELLED}),
    # back to waiting: its worker went silent
    ImportStatus.CHECKING: frozenset(
        {ImportStatus.CHECKED, ImportStatus.FAILED, ImportStatus.CANCELLED, ImportStatus.QUEUED}
    ),
    ImportStatus.CHECKED: frozenset({ImportStatus.WAITING, ImportStatus.CANCELLED}),
    ImportStatus.WAITING: frozenset({ImportStatus.APPLYING, ImportStatus.CANCELLED}),
    # a refused or cancelled apply changed nothing: the checked file is still there to be applied
    ImportStatus.APPLYING: frozenset({ImportStatus.APPLIED, ImportStatus.CHECKED, ImportStatus.WAITING}),
    ImportStatus.APPLIED: frozenset(),
    ImportStatus.CANCELLED: frozenset(),
    ImportStatus.FAILED: frozenset(),
}
BUSY = frozenset({ImportStatus.QUEUED, ImportStatus.CHECKING, ImportStatus.WAITING, ImportStatus.APPLYING})

"""States of configuration backups."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

CONFIGS_NIGHTLY, CONFIGS_HOUR, CONFIGS_KEPT = "routers.configs_nightly", "routers.configs_hour", "routers.configs_kept"


class BackupReason(models.TextChoices):
    """Why a router's configuration is read. The order is that of urgency: what waits takes the first that asks."""

    WIZARD = "wizard", _("before the server wizard")
    IMPORT = "import", _("before an import")
    BULK = "bulk", _("before many changes")
    AFTER = "after", _("after our own change of the configuration")
    ASKED = "asked", _("a person asked")
    NIGHTLY = "nightly", _("nightly")


class BackupStatus(models.TextChoices):
    WAITING = "waiting", _("waiting")
    TAKEN = "taken", _("taken")
    FAILED = "failed", _("failed")


BACKUP_MOVES: dict[str, frozenset[str]] = {
    BackupStatus.WAITING: frozenset({BackupStatus.TAKEN, BackupStatus.FAILED}),
    BackupStatus.TAKEN: frozenset(),
    BackupStatus.FAILED: frozenset(),
}


class BackupProblem(models.TextChoices):
    """Why there is no backup, or what is left to say about one that is there."""

    NONE = "", _("none")
    POLICY = "policy", _("rights are missing")
    SPACE = "space", _("not enough room on the router")
    SIZE = "size", _("too large")
    CUT = "cut", _("not whole")
    UNREADABLE = "unreadable", _("cannot be read over the API")
    TRAP = "trap", _("refused by the router")
    LINK = "link", _("the connection broke")
    LEFT = "left", _("the file is still on the router")

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


class RouterImportStatus(models.TextChoices):
    """Where taking over a router is."""

    QUEUED = "queued", _("waiting to be read")
    CHECKING = "checking", _("being read")
    CHECKED = "checked", _("checked")
    WAITING = "waiting", _("waiting to be applied")
    APPLYING = "applying", _("being applied")
    APPLIED = "applied", _("applied")
    UNDO_WAITING = "undo_waiting", _("waiting to be undone")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("stopped by a problem")


ROUTER_IMPORT_MOVES: dict[str, frozenset[str]] = {
    RouterImportStatus.QUEUED: frozenset({RouterImportStatus.CHECKING, RouterImportStatus.CANCELLED}),
    RouterImportStatus.CHECKING: frozenset(
        {
            RouterImportStatus.CHECKED, RouterImportStatus.FAILED, RouterImportStatus.CANCELLED,
            RouterImportStatus.QUEUED,
        }
    ),
    # back to waiting: other choices, or the router is read once more
    RouterImportStatus.CHECKED: frozenset(
        {RouterImportStatus.WAITING, RouterImportStatus.QUEUED, RouterImportStatus.CANCELLED}
    ),
    RouterImportStatus.WAITING: frozenset({RouterImportStatus.APPLYING, RouterImportStatus.CANCELLED}),
    RouterImportStatus.APPLYING: frozenset(
        {RouterImportStatus.APPLIED, RouterImportStatus.CHECKED, RouterImportStatus.WAITING}
    ),
    RouterImportStatus.APPLIED: frozenset({RouterImportStatus.UNDO_WAITING}),
    RouterImportStatus.UNDO_WAITING: frozenset({RouterImportStatus.UNDOING, RouterImportStatus.APPLIED}),
    # back to applied: something of it moved on and stays, or the undoing was stopped
    RouterImportStatus.UNDOING: frozenset(
        {RouterImportStatus.UNDONE, RouterImportStatus.APPLIED, RouterImportStatus.UNDO_WAITING}
    ),
    RouterImportStatus.UNDONE: frozenset(),
    RouterImportStatus.CANCELLED: frozenset(),
    RouterImportStatus.FAILED: frozenset(),
}  # fmt: skip
ROUTER_IMPORT_OVER = frozenset(
    {
        RouterImportStatus.APPLIED, RouterImportStatus.UNDONE, RouterImportStatus.CANCELLED, RouterImportStatus.FAILED,
    }
)  # fmt: skip
ROUTER_IMPORT_BUSY = frozenset(RouterImportStatus) - ROUTER_IMPORT_OVER - {RouterImportStatus.CHECKED}


class Subject(models.TextChoices):
    """What one row of a router is."""

    PROFILE = "profile", _("hotspot profile")
    USER = "user", _("hotspot user")
    PPP_PROFILE = "ppp_profile", _("PPP profile")
    SECRET = "secret", _("PPP login")  # RouterOS's word for a PPP login
    SALE = "sale", _("sale of before")
    POOL = "pool", _("address pool")
    SCHEDULER = "scheduler", _("scheduler")


class Verdict(models.TextChoices):
    """What becomes of a row."""

    ADOPT = "adopt", _("is taken over")
    OURS = "ours", _("ours already")
    STAYS = "stays", _("stays as it is")
    SKIP = "skip", _("left out")
    PROBLEM = "problem", _("problem")


class LoginUse(models.TextChoices):
    """What the logins of a router's profile become."""

    VOUCHERS = "vouchers", _("vouchers")
    SERVICES = "services", _("services of customers")
    LEAVE = "leave", _("left out")

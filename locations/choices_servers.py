"""States of the plans that set up a hotspot or PPPoE server."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ServerKind(models.TextChoices):
    HOTSPOT = "hotspot", _("Hotspot server")
    PPPOE = "pppoe", _("PPPoE server")


class PlanStatus(models.TextChoices):
    REVIEW = "review", _("to be reviewed")
    CONFIRMED = "confirmed", _("confirmed, on its way")
    DONE = "done", _("done")
    FAILED = "failed", _("stopped")
    STALE = "stale", _("the router changed; plan it again")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")
    DISCARDED = "discarded", _("discarded")


PLAN_MOVES: dict[str, frozenset[str]] = {
    PlanStatus.REVIEW: frozenset({PlanStatus.CONFIRMED, PlanStatus.DISCARDED}),
    PlanStatus.CONFIRMED: frozenset({PlanStatus.DONE, PlanStatus.FAILED, PlanStatus.STALE}),
    PlanStatus.DONE: frozenset({PlanStatus.UNDOING}),
    PlanStatus.FAILED: frozenset({PlanStatus.UNDOING}),
    PlanStatus.UNDOING: frozenset({PlanStatus.UNDONE, PlanStatus.FAILED}),
    PlanStatus.STALE: frozenset(),
    PlanStatus.UNDONE: frozenset(),
    PlanStatus.DISCARDED: frozenset(),
}
PLAN_OPEN = (PlanStatus.CONFIRMED, PlanStatus.UNDOING)

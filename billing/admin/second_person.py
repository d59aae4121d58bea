"""The queue of what waits for a second person: its columns, and the two decisions. Used by every such change of money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import AdjustmentStatus
from billing.models.asked import AskedChange
from core.admin import Confirmation, ModelAdmin, ReadOnlyMixin
from core.formats import moment
from core.words import Tone, Words

TONES = {
    AdjustmentStatus.WAITING: (Tone.WAITING, "schedule"),
    AdjustmentStatus.POSTED: (Tone.GOOD, "check_circle"),
    AdjustmentStatus.REJECTED: (Tone.QUIET, "cancel"),
}
Asked = TypeVar("Asked", bound=AskedChange)


def asked_words(row: AskedChange) -> Words:
    tone, icon = TONES[AdjustmentStatus(row.status)]
    return Words(tone, icon, str(AdjustmentStatus(row.status).label))


class SecondPersonAdmin(ReadOnlyMixin, ModelAdmin[Asked]):
    """Base of the lists. `approve_permission` opens both decisions; the three texts and `decide` are the change's own.

    What a change must say raises here: the metaclass of ModelAdmin leaves no room for an abstract class.
    """

    nav_group = "money"
    list_filter = ("status",)
    sortable_by = ()
    ordering = ("-id",)
    confirmations = ("approve", "reject")
    approve_permission: ClassVar[str]

    def approve_question(self, row: Asked) -> str:
        raise NotImplementedError

    def reject_question(self, row: Asked) -> str:
        raise NotImplementedError

    def points(self, row: Asked) -> Sequence[str]:
        """What approving would do now, a sentence each."""
        return ()

    def decide(self, request: HttpRequest, row: Asked, *, is_approved: bool) -> str:
        """Do it; returns the sentence to show."""
        raise NotImplementedError

    @admin.display(description=gettext_lazy("asked"))
    def requested(self, row: Asked) -> str:
        return moment(row.requested_at)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Asked) -> Any:
        return asked_words(row).html()

    def approve(self, request: HttpRequest, row: Asked) -> Confirmation | None:
        if row.status != AdjustmentStatus.WAITING or row.requested_by_id == request.user.pk:
            return None
        return Confirmation(
            title=_("Approve"), button=_("Approve"), icon="check", is_primary=True,
            question=self.approve_question(row), points=self.points(row), permission=self.approve_permission,
            run=lambda _data: self.decide(request, row, is_approved=True),
        )  # fmt: skip

    def reject(self, request: HttpRequest, row: Asked) -> Confirmation | None:
        if row.status != AdjustmentStatus.WAITING:
            return None
        return Confirmation(
            title=_("Reject"), button=_("Reject"), icon="cancel", is_danger=True, question=self.reject_question(row),
            run=lambda _data: self.decide(request, row, is_approved=False), permission=self.approve_permission,
        )  # fmt: skip

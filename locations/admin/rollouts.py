"""Speed changes on their way: confirmed or not, how many sessions still have the old speed, and a button to stop."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import Confirmation, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.clock import now
from core.formats import moment, number
from core.words import Words
from locations.choices import RolloutMethod, RolloutStatus
from locations.models import ProfileRollout
from locations.selectors import RolloutProgress, rollout_progress, rollouts_visible_to
from locations.services import profile_rollout_cancel
from locations.words import rollout_words


def progress_words(progress: RolloutProgress) -> Words:
    return rollout_words(
        progress.method, progress.status, is_confirmed=progress.is_confirmed, total=progress.sessions_total,
        on_old=progress.sessions_on_old_speed, eta_seconds=progress.eta_seconds,
    )  # fmt: skip


@admin.register(ProfileRollout)
class ProfileRolloutAdmin(ReadOnlyMixin, ModelAdmin[ProfileRollout]):
    nav_group, nav_icon, nav_order = "routers", "schedule", 40
    list_display = ("profile", "location", "mode", "status", "requested_at", "ended")
    list_select_related = ("profile", "location")
    list_filter = ("status",)
    sortable_by = ()
    ordering = ("-id",)
    confirmations = ("cancel",)
    live_template = "locations/admin/account_facts.html"
    is_facts_only = True
    empty_text = gettext_lazy("When a plan gets another speed, its way to the customers who are online is shown here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProfileRollout]:
        return rollouts_visible_to(request.user).select_related("profile", "location")  # type: ignore[arg-type]

    def facts(self, request: HttpRequest, row: ProfileRollout) -> dict[str, Any]:
        zone = row.location.timezone
        progress = rollout_progress(row.profile)
        moments = (
            (_("Requested"), row.requested_at), (_("Confirmed by the router"), progress.confirmed_at),
            (_("Finished"), row.finished_at), (_("Cancelled"), row.cancelled_at),
        )  # fmt: skip
        facts = [
            (_("Location"), row.location.name),
            (_("Profile"), row.profile.name),
            (_("State"), row.get_status_display()),
            (_("How"), RolloutMethod(progress.method).label),
            (_("Online"), number(progress.sessions_total)),
            (_("On the old speed"), number(progress.sessions_on_old_speed)),
            (_("Sessions ended"), number(row.ended)),
            (_("Sessions ended per second"), number(row.pace_per_second)),
            *((label, moment(value, zone) if value else "–") for label, value in moments),
        ]
        wish = _("should reach everybody online")
        return {"words": progress_words(progress), "wish": wish, "fact_rows": facts}

    def cancel(self, request: HttpRequest, row: ProfileRollout) -> Confirmation | None:
        if row.status != RolloutStatus.RUNNING:
            return None

        def run(data: dict[str, Any]) -> str:
            profile_rollout_cancel(row, now=now(), actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("No more sessions are ended. The others get the new speed with their next login.")

        return Confirmation(
            title=_("Stop ending sessions"), button=_("Stop"), run=run, icon="block", is_danger=True,
            question=_("Stop ending sessions for %(name)s? Those not reached get the new speed with their next login.")
            % {"name": row.profile.name},
            permission="locations.change_profilerollout",
        )  # fmt: skip

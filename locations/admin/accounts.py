"""Access accounts: every login that should be on a router, with what the router confirmed. Read, switch, end; not edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import AutocompleteFilter, Confirmation, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.events import emit
from core.formats import data_size, duration, moment
from core.staff_events import StaffActed
from locations.admin.moving import switch
from locations.admin.opening import open_now
from locations.choices import OWN_TAG, Hold, Presence
from locations.models import NOT_SYNCED, AccessAccount
from locations.selectors import accounts_visible_to, last_session_end, moves_awaited
from locations.services import (
    account_disable,
    account_enable,
    account_kick,
    accounts_compare,
    accounts_remove,
    conflict_adopt,
)
from locations.words import fact_of, row_words, session_end_words


class StateFilter(admin.SimpleListFilter):
    """Served by the partial indexes of unsynced and held rows, so it stays fast at a million rows."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", gettext_lazy("waiting")),
            ("held", gettext_lazy("needs a decision")),
            ("leaving", gettext_lazy("leaving")),
            ("confirmed", gettext_lazy("on router")),
            ("isolated", gettext_lazy("isolated")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessAccount]) -> QuerySet[AccessAccount]:
        match self.value():
            case "waiting":
                return queryset.filter(NOT_SYNCED, hold=Hold.NONE)
            case "held":
                return queryset.exclude(hold=Hold.NONE)
            case "leaving":
                return queryset.filter(NOT_SYNCED, presence=Presence.ABSENT)
            case "confirmed":
                return queryset.filter(revision=F("applied_revision"), presence=Presence.PRESENT)
            case "isolated":
                return queryset.filter(is_isolated=True)
        return queryset


@admin.register(AccessAccount)
class AccessAccountAdmin(ReadOnlyMixin, ModelAdmin[AccessAccount]):
    nav_group, nav_icon, nav_order = "routers", "badge", 20
    list_display = ("name", "location", "kind", "state_words", "until")
    list_select_related = ("location__state", "profile")
    list_filter = (StateFilter, "kind", ("location", AutocompleteFilter))
    search_fields = ("name__startswith",)
    search_help_text = gettext_lazy("Name or its beginning")
    sortable_by = ()
    ordering = ("-id",)
    csv_fields = ("name", "location", "kind", "plain_state", "until")
    confirmations = ("kick", "disable", "enable", "adopt", "open_now", "switch", "compare", "remove")
    live_template = "locations/admin/account_facts.html"
    is_facts_only = True
    empty_text = gettext_lazy("Logins on routers appear here when vouchers are made.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAccount]:
        rows = accounts_visible_to(request.user)  # type: ignore[arg-type]
        return rows.select_related("location__state", "profile").defer("password")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("locations.view_accessaccount")

    @admin.display(description=gettext_lazy("state"))
    def state_words(self, row: AccessAccount) -> Any:
        return self._words(row).html()

    @admin.display(description=gettext_lazy("state"))
    def plain_state(self, row: AccessAccount) -> str:
        return str(self._words(row).text)

    def decorate(self, request: HttpRequest, rows: list[AccessAccount]) -> None:
        waiting = moves_awaited([row.pk for row in rows if not row.is_synced])
        for row in rows:
            row._waits_for = waiting.get(row.pk, "")  # type: ignore[attr-defined]

    @staticmethod
    def _words(row: AccessAccount) -> Any:
        waits_for = getattr(row, "_waits_for", "")
        return row_words(
            fact_of(row, location=row.location, state=getattr(row.location, "state", None), waits_for=waits_for)
        )

    @admin.display(description=gettext_lazy("valid until"))
    def until(self, row: AccessAccount) -> str:
        return moment(row.valid_until, row.location.timezone) if row.valid_until else "–"

    def facts(self, request: HttpRequest, row: AccessAccount) -> dict[str, Any]:
        zone = row.location.timezone
        self.decorate(request, [row])

        def when(value: Any) -> str:
            return moment(value, zone) if value else "–"

        facts = [
            (_("Location"), row.location.name),
            (_("Kind"), row.get_kind_display()),
            (_("Profile"), row.profile.name),
            (_("Valid until"), when(row.valid_until)),
            (_("First login"), when(row.first_login_at)),
            (_("Last seen"), when(row.last_seen_at)),
            (_("Online time used"), _used(duration, row.used_uptime_seconds, row.limit_uptime_seconds)),
            (_("Data used"), _used(data_size, row.used_bytes, row.limit_bytes)),
            (_("Device"), row.mac_address or "–"),
            (_("Address"), row.static_address or "–"),
            (_("Last session"), self._last_session(row)),
            (_("Changed"), when(row.changed_at)),
            (_("Confirmed"), when(row.applied_at)),
        ]
        wish = _("should not be on the router") if row.presence == Presence.ABSENT else _("should be on the router")
        if row.is_isolated:
            wish = _("should be isolated on the router")
        if row.is_disabled:
            wish = _("should be switched off on the router")
        return {"words": self._words(row), "wish": wish, "fact_rows": facts}

    @staticmethod
    def _last_session(row: AccessAccount) -> str:
        ended = last_session_end(row)
        if ended is None:
            return _("No end seen yet")
        return session_end_words(ended.at, ended.why, row.location.timezone).text

    # --- actions ----------------------------------------------------------------------------------------------------

    def kick(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if row.presence == Presence.ABSENT:
            return None

        def run(data: dict[str, Any]) -> str:
            account_kick(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The session of %(name)s is ended with the next write to the router.") % {"name": row.name}

        return Confirmation(
            title=_("End session"), button=_("End session"), run=run, icon="logout",
            question=_("End the live session of %(name)s? It may log in again.") % {"name": row.name},
            permission="locations.kick_accessaccount",
        )  # fmt: skip

    def disable(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if row.is_disabled or row.presence == Presence.ABSENT:
            return None

        def run(data: dict[str, Any]) -> str:
            account_disable(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(name)s will be switched off on the router.") % {"name": row.name}

        return Confirmation(
            title=_("Switch off"), button=_("Switch off"), run=run, icon="block", is_danger=True,
            question=_("Switch %(name)s off at %(place)s and end its session?")
            % {"name": row.name, "place": row.location.name},
            permission="locations.disable_accessaccount",
        )  # fmt: skip

    def enable(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if not row.is_disabled:
            return None

        def run(data: dict[str, Any]) -> str:
            account_enable(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(name)s will be switched on on the router.") % {"name": row.name}

        return Confirmation(
            title=_("Switch on"), button=_("Switch on"), run=run, icon="check", is_direct=True,
            question=_("Switch %(name)s on again?") % {"name": row.name}, permission="locations.disable_accessaccount",
        )  # fmt: skip

    def adopt(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if row.hold != Hold.CONFLICT:
            return None

        def run(data: dict[str, Any]) -> str:
            conflict_adopt(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The router's entry %(name)s is ours from now on.") % {"name": row.name}

        return Confirmation(
            title=_("Take over the router's entry"), button=_("Take over"), run=run, icon="swap_horiz", is_danger=True,
            question=_("The router has an entry %(name)s that we did not make. Take it over and write ours into it?")
            % {"name": row.name},
            permission="locations.adopt_accessaccount",
        )  # fmt: skip

    def open_now(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        return open_now(request, row)

    def switch(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        return switch(request, row)

    def compare(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if row.presence == Presence.ABSENT:
            return None

        def run(data: dict[str, Any]) -> str:
            accounts_compare([row], now=clock.now(), actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(name)s is compared with the router now. Look again in a moment.") % {"name": row.name}

        return Confirmation(
            title=_("Compare now"), button=_("Compare now"), run=run, icon="sync", is_direct=True,
            question=_("Look at %(name)s on the router now?") % {"name": row.name},
            permission="locations.repair_location",
        )  # fmt: skip

    def remove(self, request: HttpRequest, row: AccessAccount) -> Confirmation | None:
        if row.presence == Presence.ABSENT or row.tag != OWN_TAG:
            return None

        def run(data: dict[str, Any]) -> str:
            with transaction.atomic():
                accounts_remove(AccessAccount.objects.filter(pk=row.pk))
                details = {"account": row.pk, "name": row.name, "location": row.location_id}
                emit(StaffActed(request.user.pk, "account.removed", details, client_ip(request)))
            return _("%(name)s will be removed from the router.") % {"name": row.name}

        return Confirmation(
            title=_("Remove"), button=_("Remove from the router"), run=run, icon="delete", is_danger=True,
            question=_("Remove %(name)s from %(place)s and end its session?")
            % {"name": row.name, "place": row.location.name},
            permission="locations.delete_accessaccount",
        )  # fmt: skip


def _used(text: Any, used: int, limit: int | None) -> str:
    if limit is None:
        return str(text(used))
    return _("%(used)s of %(limit)s") % {"used": text(used), "limit": text(limit)}

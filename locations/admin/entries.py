"""Nameless entries on routers: lists, walled garden, firewall. What we want of each, and what the router confirmed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import AutocompleteFilter, Confirmation, ModelAdmin, ReadOnlyMixin
from core.client_ip import client_ip
from core.formats import moment
from locations.choices import OFF_TAG, Hold, Presence
from locations.models import NOT_SYNCED, RouterEntry
from locations.selectors import entries_visible_to
from locations.services import address_release, entry_adopt
from locations.words import fact_of, row_words


class EntryStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", gettext_lazy("waiting")), ("held", gettext_lazy("needs a decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RouterEntry]) -> QuerySet[RouterEntry]:
        if self.value() == "waiting":
            return queryset.filter(NOT_SYNCED)
        return queryset.exclude(hold=Hold.NONE) if self.value() == "held" else queryset


@admin.register(RouterEntry)
class RouterEntryAdmin(ReadOnlyMixin, ModelAdmin[RouterEntry]):
    nav_group, nav_icon, nav_order = "routers", "list", 30
    list_display = ("name", "location", "kind", "state_words")
    list_select_related = ("location__state",)
    list_filter = (EntryStateFilter, "kind", ("location", AutocompleteFilter))
    search_fields = ("name__startswith",)
    search_help_text = gettext_lazy("Name or its beginning")
    sortable_by = ()
    ordering = ("-id",)
    is_small_table = True  # some dozens per location, and one for each static address that nobody has any more
    confirmations = ("adopt", "release")
    live_template = "locations/admin/account_facts.html"
    is_facts_only = True
    empty_text = gettext_lazy(
        "Address lists, walled garden and firewall rules appear here when a location has an isolation page or static "
        "addresses."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RouterEntry]:
        return entries_visible_to(request.user).select_related("location__state")  # type: ignore[arg-type]

    @admin.display(description=gettext_lazy("state"))
    def state_words(self, row: RouterEntry) -> Any:
        return self._words(row).html()

    @staticmethod
    def _words(row: RouterEntry) -> Any:
        return row_words(fact_of(row, location=row.location, state=getattr(row.location, "state", None)))

    def facts(self, request: HttpRequest, row: RouterEntry) -> dict[str, Any]:
        zone = row.location.timezone
        facts = [(_("Location"), row.location.name), (_("Kind"), row.get_kind_display()), *sorted(row.words.items())]
        for label, value in ((_("Changed"), row.changed_at), (_("Confirmed"), row.applied_at)):
            facts.append((label, moment(value, zone) if value else "–"))
        is_leaving = row.presence == Presence.ABSENT
        wish = _("should not be on the router") if is_leaving else _("should be on the router")
        if row.tag == OFF_TAG and not is_leaving:
            wish = _("Its static subscriber left: the address stays shut until somebody else gets it.")
        return {"words": self._words(row), "wish": wish, "fact_rows": facts}

    def adopt(self, request: HttpRequest, row: RouterEntry) -> Confirmation | None:
        if row.hold != Hold.CONFLICT:
            return None

        def run(data: dict[str, Any]) -> str:
            entry_adopt(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The router's entry %(name)s is ours from now on.") % {"name": row.name}

        return Confirmation(
            title=_("Take over the router's entry"), button=_("Take over"), run=run, icon="swap_horiz", is_danger=True,
            question=_("The router has an entry %(name)s that we did not make. Take it over and write ours into it?")
            % {"name": row.name},
            permission="locations.adopt_accessaccount",
        )  # fmt: skip

    def release(self, request: HttpRequest, row: RouterEntry) -> Confirmation | None:
        if row.tag != OFF_TAG or row.presence == Presence.ABSENT:
            return None
        address = {"address": row.words["address"], "place": row.location.name}

        def run(data: dict[str, Any]) -> str:
            address_release(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("%(address)s is opened at %(place)s with the next write to the router.") % address

        return Confirmation(
            title=_("Open the address"), button=_("Open the address"), run=run, icon="lock_open", is_danger=True,
            question=_(
                "A static subscriber left %(address)s at %(place)s. Open it? Whoever uses it is online then, without a "
                "limit. When a service of ours gets the address it is opened by itself."
            )
            % address,
            permission="locations.disable_accessaccount",
        )  # fmt: skip

"""Vouchers: found by code among a million, sold, extended, moved, voided; their page tells what every router confirmed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.choices import Role
from core.admin import AutocompleteFilter, ModelAdmin, ReadOnlyMixin
from core.formats import moment, moment_short, money
from core.panels import RowPanel, add_row_panel
from locations.models import AccessAccount, Location
from vouchers.admin import actions as voucher_actions
from vouchers.admin.bulk_sale import sell_selected
from vouchers.choices import VoucherStatus
from vouchers.models import Voucher, VoucherEvent
from vouchers.selectors import (
    VoucherState,
    event_made,
    locations_of,
    voucher_state,
    voucher_states,
    vouchers_visible_to,
)
from vouchers.words import ROAMING_DELAY, event_text, place_words, voucher_words


@admin.register(Voucher)
class VoucherAdmin(ReadOnlyMixin, ModelAdmin[Voucher]):
    nav_group, nav_icon, nav_order = "sell", "confirmation_number", 10
    list_display = ("code_text", "state_words", "plan", "batch_link", "until")
    list_select_related = ("batch", "plan")
    list_filter = ("status", ("batch", AutocompleteFilter))
    search_fields = ("code__startswith",)
    search_help_text = gettext_lazy("Code or its beginning")
    uppercase_search = True
    sortable_by = ()
    ordering = ("-id",)
    actions = ("sell_chosen",)
    confirmations = ("undo_sale", "sell", "extend", "move", "void")
    live_template = "vouchers/admin/voucher_facts.html"
    csv_fields = ("code", "status", "plan", "batch", "sold", "used", "until")
    is_facts_only = True
    empty_text = gettext_lazy("Vouchers are made in batches: choose a plan, a number and the locations.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voucher]:
        rows = vouchers_visible_to(request.user)  # type: ignore[arg-type]
        return rows.select_related("batch", "plan").order_by("-id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("vouchers.view_voucher")

    def decorate(self, request: HttpRequest, rows: list[Voucher]) -> None:
        states = voucher_states(rows) if rows else {}
        for row in rows:
            row._state_now = states[row.pk]  # type: ignore[attr-defined]

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("code"))
    def code_text(self, row: Voucher) -> Any:
        return format_html('<span class="mb-code">{}</span>', row.code)

    @admin.display(description=gettext_lazy("state"))
    def state_words(self, row: Voucher) -> Any:
        state: VoucherState = getattr(row, "_state_now", None) or voucher_state(row)
        return voucher_words(state).html()

    @admin.display(description=gettext_lazy("batch"))
    def batch_link(self, row: Voucher) -> Any:
        url = reverse("admin:vouchers_voucherbatch_change", args=[row.batch_id])
        return format_html('<a href="{}">{}</a>', url, row.batch.name)

    @admin.display(description=gettext_lazy("valid until"))
    def until(self, row: Voucher) -> str:
        return moment_short(row.valid_until) if row.valid_until else "–"

    @admin.display(description=gettext_lazy("sold"))
    def sold(self, row: Voucher) -> str:
        return moment(row.sold_at) if row.sold_at else ""

    @admin.display(description=gettext_lazy("first login"))
    def used(self, row: Voucher) -> str:
        return moment(row.used_at) if row.used_at else ""

    @admin.action(description=gettext_lazy("Sell"), permissions=["sell"])
    def sell_chosen(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> HttpResponse | None:
        return sell_selected(self, request, queryset)

    def has_sell_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("vouchers.sell_voucher")

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Voucher) -> dict[str, Any]:
        state = voucher_state(row)
        places = locations_of(row)
        is_agent = request.user.role == Role.AGENT  # type: ignore[union-attr]  # staff only
        zone = places[0].timezone if places else None

        def when(value: Any) -> str:
            return moment(value, zone) if value else "–"

        rows = [
            (_("Plan"), row.plan.name),
            (_("Price"), money(row.batch.price)),
            (_("Good at"), ", ".join(place.name for place in places) or "–"),
            (_("At several at once"), str(ROAMING_DELAY) if len(places) > 1 else ""),
            (_("Sold"), _("no sale recorded, and used") if row.is_used_unsold else when(row.sold_at)),
            (_("First login"), when(row.used_at)),
            (_("Valid until"), when(row.valid_until)),
            (_("Ended"), when(row.ended_at) if row.ended_at else ""),
        ]
        if request.user.has_perm("vouchers.print_voucher") and row.password is not None:
            rows.insert(0, (_("Password"), row.password))
        return {
            "voucher": row,
            "words": voucher_words(state, zone),
            "batch_url": "" if is_agent else reverse("admin:vouchers_voucherbatch_change", args=[row.batch_id]),
            "fact_rows": [(label, value) for label, value in rows if value],
            "places": [
                {
                    "name": place.location_name,
                    "url": reverse("admin:locations_location_change", args=[place.location_id]),
                    "words": place_words(place, row.code, zone),
                }
                for place in (() if is_agent else state.places)
            ],
            "timeline": timeline(row, zone),
            "poll": "every 5s [document.visibilityState=='visible']" if state.waiting else "",
        }

    sell = voucher_actions.sell
    undo_sale = voucher_actions.undo_sale
    extend = voucher_actions.extend
    move = voucher_actions.move
    void = voucher_actions.void


def timeline(row: Voucher, zone: str | None) -> list[dict[str, str]]:
    """Everything that happened to the voucher, newest first, with who did it."""
    events = list(VoucherEvent.objects.filter(voucher=row).select_related("actor").order_by("-id")[:100])
    ids = {pk for event in events for pk in event.details.get("after", []) if isinstance(pk, int)}
    names = dict(Location.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [
        {
            "what": event_text(event.kind, event.details, zone, names),
            "when": moment(event.at, zone),
            "who": str(event.actor) if event.actor else _("the system"),
        }
        for event in [*events, event_made(row)]
    ]


def voucher_of_account(request: HttpRequest, account: AccessAccount) -> str:
    """The voucher behind a hotspot login, on the login's page."""
    row = vouchers_visible_to(request.user).filter(code=account.name).first()  # type: ignore[arg-type]
    if row is None or account.tag != f"b{row.batch_id}":
        return _("This login is not a voucher.")
    url = reverse("admin:vouchers_voucher_change", args=[row.pk])
    label = VoucherStatus(row.status).label
    return format_html('<a href="{}" class="mb-code">{}</a> · {}', url, row.code, label)


add_row_panel(
    RowPanel("locations.accessaccount", gettext_lazy("Voucher"), voucher_of_account, "vouchers.view_voucher", order=10)
)

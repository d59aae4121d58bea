"""Locations: a form with a password nobody can read back, and a page that says what the router has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from core.admin import Confirmation, ModelAdmin, TabularInline
from core.client_ip import client_ip
from core.formats import number
from locations.admin.access import access_page, access_url
from locations.admin.care import CareMixin
from locations.admin.certificate import certificate_facts, certificate_page
from locations.admin.configs import config_facts, config_page
from locations.admin.drift import drift_page, drift_url
from locations.admin.facts import (
    accounts_url,
    entries_url,
    licence_words,
    location_words,
    replacement_facts,
    router_facts,
    test_page,
)
from locations.admin.moving import switch_off, switch_on
from locations.admin.servers import server_page
from locations.admin.tunnel import tunnel_page, tunnel_url
from locations.choices import Hold, Presence, Reach, UserType
from locations.forms import LocationForm, staff_form
from locations.models import NOT_SYNCED, AccessAccount, Location, LocationUser, RouterEntry, RouterState
from locations.selectors import drift_found, isolated_count, location_counts, locations_visible_to
from locations.services import (
    location_accept_router,
    location_add,
    location_change,
    location_member_add,
    location_retry,
    location_test,
)
from locations.words import fact_of, row_words
from locations.words_health import error_text

SHOWN_ROWS = 10


class MemberInline(TabularInline):
    """Who works here, to look at and to take off. Adding is an action of the page: it works without JavaScript."""

    model = LocationUser
    fields = readonly_fields = ("user", "user_type")
    verbose_name = gettext_lazy("staff member who works here")
    verbose_name_plural = gettext_lazy("staff who work here")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LocationUser]:
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        return False


@admin.register(Location)
class LocationAdmin(CareMixin, ModelAdmin[Location]):
    form = LocationForm
    inlines = (MemberInline,)
    nav_group, nav_icon, nav_order = "routers", "router", 10
    is_small_table = True
    list_display = ("name", "state_words", "changes", "router", "host")
    list_select_related = ("state",)
    list_filter = ("is_active",)
    search_fields = ("name__icontains", "host__icontains")
    search_help_text = gettext_lazy("Name or address")
    sortable_by = ("name",)
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (
            gettext_lazy("Connection"),
            {
                "fields": (
                    "host",
                    "port",
                    "username",
                    "password",
                    "tls_mode",
                    "tls_fingerprint",
                    "writes_per_second",
                )
            },
        ),
        (
            gettext_lazy("Isolation and speed"),
            {
                "fields": (
                    "isolation_method",
                    "isolation_rate_limit",
                    "isolation_list",
                    "isolation_page_address",
                    "isolation_page_port",
                    "isolation_allowed_hosts",
                    "speed_change_pace",
                )
            },
        ),
        (gettext_lazy("Drift"), {"fields": ("drift_repair", "drift_repair_hour")}),
        (gettext_lazy("Place"), {"fields": ("timezone", "hotspot_dns", "latitude", "longitude", "capacity")}),
    )
    confirmations = (
        "test_connection", "retry", "accept_router", "confirm_reboot", "cancel_reboot", "reboot", "add_staff", "switch_off",
        "switch_on",
    )  # fmt: skip
    live_template = "locations/admin/location_facts.html"
    audit_noun = ""
    empty_text = gettext_lazy(
        "A location is one MikroTik router and the place it serves. Vouchers are sold at locations."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        return locations_visible_to(request.user).order_by("name")  # type: ignore[arg-type]

    def has_delete_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        """Only while nothing is or was on the router: asking Django to collect 100,000 accounts would end the server."""
        if obj is not None and AccessAccount.objects.filter(location=obj).exists():
            return False
        return super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        def url(name: str, page: Callable[..., HttpResponse]) -> URLPattern:
            def view(request: HttpRequest, object_id: str) -> HttpResponse:
                return page(self, request, object_id)

            return path(
                f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"locations_location_{name}"
            )

        pages = {
            "certificate": certificate_page, "access": access_page, "tunnel": tunnel_page, "drift": drift_page,
            "configuration": config_page, "server": server_page,
        }  # fmt: skip
        return [*(url(name, page) for name, page in pages.items()), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in LocationForm.Meta.fields if name in form.cleaned_data}
        actor: Any = request.user
        names = [*form.changed_data]
        if "hotspot_dns" in names:
            fields["settings"] = {**(obj.settings or {}), "hotspot_dns": form.cleaned_data["hotspot_dns"]}
            names.append("settings")
        if change:
            changed = {name: fields[name] for name in names if name in fields}
            location_change(obj, actor=actor, ip=client_ip(request), **changed)
            return
        saved = location_add(actor=actor, ip=client_ip(request), **fields)
        obj.pk, obj._state.adding = saved.pk, False

    # --- columns ----------------------------------------------------------------------------------------------------

    def decorate(self, request: HttpRequest, rows: list[Location]) -> None:
        counts = dict(
            AccessAccount.objects.filter(NOT_SYNCED, hold=Hold.NONE, location__in=[row.pk for row in rows])
            .values_list("location_id")
            .annotate(n=Count("pk"))
        )
        held = dict(
            AccessAccount.objects.exclude(hold=Hold.NONE)
            .filter(location__in=[row.pk for row in rows])
            .values_list("location_id")
            .annotate(n=Count("pk"))
        )
        for row in rows:
            row._waiting, row._held = counts.get(row.pk, 0), held.get(row.pk, 0)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("router"))
    def state_words(self, row: Location) -> Any:
        return location_words(row, getattr(row, "_waiting", 0)).html()

    @admin.display(description=gettext_lazy("changes"))
    def changes(self, row: Location) -> Any:
        waiting, held = getattr(row, "_waiting", 0), getattr(row, "_held", 0)
        parts = []
        if waiting:
            parts.append((accounts_url(row.pk, "waiting"), _("%(n)s waiting") % {"n": number(waiting)}))
        if held:
            parts.append((accounts_url(row.pk, "held"), _("%(n)s need a decision") % {"n": number(held)}))
        if not parts:
            return _("none waiting")
        links = [format_html('<a href="{}">{}</a>', url, text) for url, text in parts]
        return format_html("<span>" + ", ".join(["{}"] * len(links)) + "</span>", *links)

    @admin.display(description=gettext_lazy("model"))
    def router(self, row: Location) -> str:
        state = getattr(row, "state", None)
        return f"{state.model} · {state.version}" if state and state.model else "–"

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: Location) -> dict[str, Any]:
        state: RouterState | None = getattr(row, "state", None)
        counts = location_counts(row.pk)
        rows = AccessAccount.objects.filter(location=row)
        waiting = rows.filter(NOT_SYNCED, hold=Hold.NONE).order_by("priority", "pk")[:SHOWN_ROWS]
        held = rows.exclude(hold=Hold.NONE).order_by("hold", "pk")[:SHOWN_ROWS]
        entries = RouterEntry.objects.filter(location=row)
        open_entries = entries.filter(NOT_SYNCED).count()
        return {
            "state": state,
            "words": location_words(row, counts.waiting),
            "entries": [
                (gettext_lazy("Isolated"), isolated_count(row.pk), accounts_url(row.pk, "isolated"), ""),
                (gettext_lazy("Firewall and list entries"), entries.count(), entries_url(row.pk), ""),
                (gettext_lazy("… not confirmed"), open_entries, entries_url(row.pk, "waiting"), "waiting"),
                (gettext_lazy("Drift found"), drift_found(row), drift_url(row.pk), "bad"),
            ],
            "counts": [
                (gettext_lazy("Wanted on router"), counts.wanted, accounts_url(row.pk), ""),
                (gettext_lazy("Confirmed"), counts.confirmed, accounts_url(row.pk, "confirmed"), ""),
                (gettext_lazy("Waiting"), counts.waiting, accounts_url(row.pk, "waiting"), "waiting"),
                (gettext_lazy("Need a decision"), counts.held, accounts_url(row.pk, "held"), "bad"),
                (gettext_lazy("Leaving"), counts.leaving, accounts_url(row.pk, "leaving"), ""),
            ],
            "waiting_rows": [self._line(account, row, state) for account in waiting],
            "held_rows": [self._line(account, row, state) for account in held],
            "router_facts": router_facts(state),
            "licence_words": licence_words(row.pk),
            **replacement_facts(row),
            **config_facts(request, row),
            **certificate_facts(row),
            "tunnel_url": tunnel_url(row.pk) if self.has_change_permission(request, row) else "",
            "access_url": access_url(row.pk) if self.has_change_permission(request, row) else "",
            "last_error": error_text(state.last_error)
            if state and state.reach not in {Reach.ONLINE, Reach.UNKNOWN}
            else "",
        }

    @staticmethod
    def _line(account: AccessAccount, location: Location, state: RouterState | None) -> dict[str, Any]:
        account.location = location
        is_leaving = account.presence == Presence.ABSENT
        return {
            "name": account.name,
            "url": reverse("admin:locations_accessaccount_change", args=[account.pk]),
            "wish": _("remove") if is_leaving else _("put on router"),
            "words": row_words(fact_of(account, location=location, state=state)),
        }

    # --- actions ----------------------------------------------------------------------------------------------------

    def test_connection(self, request: HttpRequest, row: Location) -> Confirmation:
        """Network, so outside any transaction (`ATOMIC_REQUESTS` is off and nothing is open here)."""

        def run(data: dict[str, Any]) -> HttpResponse:
            return test_page(self, request, row, location_test(row))

        return Confirmation(
            title=_("Test connection"), question=_("Connect to %(name)s now?") % {"name": row.name},
            button=_("Test connection"), run=run, icon="network_check", is_direct=True, is_primary=True,
            permission="locations.test_location",
        )  # fmt: skip

    def retry(self, request: HttpRequest, row: Location) -> Confirmation | None:
        refused = AccessAccount.objects.filter(location=row, hold=Hold.REFUSED).count()
        refused += RouterEntry.objects.filter(location=row, hold=Hold.REFUSED).count()
        state: RouterState | None = getattr(row, "state", None)
        if not refused and (state is None or state.retry_at is None):
            return None

        def run(data: dict[str, Any]) -> str:
            held = location_retry(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return ngettext(
                "%(n)d refused change is tried again, and the router is contacted now.",
                "%(n)d refused changes are tried again, and the router is contacted now.",
                held,
            ) % {"n": held}

        return Confirmation(
            title=_("Retry now"),
            question=_("Try again at %(name)s now? %(n)s refused changes are sent once more.")
            % {"name": row.name, "n": number(refused)},
            button=_("Retry now"), run=run, icon="refresh", is_direct=refused == 0, affected=refused,
            permission="locations.retry_location",
        )  # fmt: skip

    def accept_router(self, request: HttpRequest, row: Location) -> Confirmation | None:
        state: RouterState | None = getattr(row, "state", None)
        if state is None or state.reach != Reach.WRONG_ROUTER:
            return None

        def run(data: dict[str, Any]) -> str:
            location_accept_router(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("Going on with the new router. Everything is put on it and compared; follow it on this page.")

        return Confirmation(
            title=_("Accept new router"),
            question=_(
                "Router %(old)s served “%(name)s” until now; at its address answers %(new)s. Go on with the new one? "
                "All accounts of this location are put on it."
            )
            % {"old": state.serial, "new": state.other_serial, "name": row.name},
            button=_("Go on with the new router"), run=run, icon="swap_horiz", is_danger=True,
            permission="locations.accept_router",
        )  # fmt: skip

    def switch_off(self, request: HttpRequest, row: Location) -> Confirmation | None:
        return switch_off(request, row)

    def switch_on(self, request: HttpRequest, row: Location) -> Confirmation | None:
        return switch_on(request, row)

    def add_staff(self, request: HttpRequest, row: Location) -> Confirmation | None:
        here = LocationUser.objects.filter(location=row, user_type=UserType.STAFF).values("user_id")
        others = User.objects.filter(is_active=True).exclude(pk__in=here).order_by("username")
        if request.user.has_perm("locations.add_locationuser") and not others.exists():
            return None

        def run(data: dict[str, Any]) -> str:
            chosen = list(data["staff_members"])
            for user in chosen:
                location_member_add(row, user, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return ngettext("%(n)d person more works here now.", "%(n)d persons more work here now.", len(chosen)) % {
                "n": len(chosen)
            }

        return Confirmation(
            title=_("Add staff"), question=_("Who else works at %(name)s?") % {"name": row.name},
            button=_("Add staff"), run=run, icon="group", form=staff_form(others),
            permission="locations.add_locationuser",
        )  # fmt: skip

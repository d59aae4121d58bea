"""Taking over a router: read it, choose what its profiles become, see every row, apply, undo."""

from __future__ import annotations

import uuid
from copy import deepcopy
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import clock
from core.admin import Confirmation, ModelAdmin, style_form
from core.client_ip import client_ip
from core.formats import moment, number
from core.panels import Link
from imports.admin.router_pages import choose_page, rows_csv, rows_page
from imports.choices import ROUTER_IMPORT_BUSY, RouterImportStatus, Subject, Verdict
from imports.models import RouterImport
from imports.selectors import router_import_backup, router_imports_visible_to, router_scripts_of
from imports.services import (
    router_import_again,
    router_import_apply,
    router_import_cancel,
    router_import_start,
    router_import_undo,
    router_scripts_give_back,
    router_scripts_retire,
)
from imports.services.routers.checking import adopted_count
from imports.words_routers import router_import_words
from locations.models import Location
from locations.selectors import locations_visible_to
from locations.words_configs import backup_words

VISIBLE = "[document.visibilityState=='visible']"
ADD = "imports.add_routerimport"


class RouterImportForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which router. `request_key` makes a second press of the button the same reading."""

    location = forms.ModelChoiceField(
        Location.objects.none(), label=gettext_lazy("location"),
        help_text=gettext_lazy("Its router is read and its configuration backed up; nothing on it is changed."),
    )  # fmt: skip
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = RouterImport
        fields = ("location",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("request_key", uuid.uuid4().hex)
        style_form(self)


@admin.register(RouterImport)
class RouterImportAdmin(ModelAdmin[RouterImport]):
    form = RouterImportForm
    nav_group, nav_icon, nav_order = "routers", "move_to_inbox", 80
    list_display = ("place", "state", "rows_text", "begun")
    list_filter = ("status",)
    list_select_related = ("location",)
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("location", "request_key")}),)
    confirmations = ("apply", "again", "retire", "give_back", "undo", "cancel")
    live_template = "imports/admin/router_facts.html"
    is_facts_only = True
    audit_noun = ""
    empty_text = gettext_lazy(
        "Take over a router that ran with Mikhmon or by hand: users, plans, customers and old sales come here, "
        "and nothing on the router is changed."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RouterImport]:
        rows = router_imports_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("location").order_by("-id")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        name = "imports_routerimport"
        return [
            path("<path:object_id>/choose/", view(self.choose), name=f"{name}_choose"),
            path("<path:object_id>/rows/", view(self.rows), name=f"{name}_rows"),
            path("<path:object_id>/rows.csv", view(self.csv), name=f"{name}_csv"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: RouterImport | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RouterImport | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            # a copy: the declared field belongs to all threads
            field = form.base_fields["location"] = deepcopy(form.base_fields["location"])
            field.queryset = locations_visible_to(request.user).filter(is_active=True).order_by("name")  # type: ignore[arg-type]
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"location": request.GET.get("location", "")}

    def save_model(self, request: HttpRequest, obj: RouterImport, form: Any, change: bool) -> None:
        data, actor = form.cleaned_data, request.user
        saved = router_import_start(
            location=data["location"],
            actor=actor,  # type: ignore[arg-type]  # staff only
            ip=client_ip(request),
            request_key=data["request_key"],
        )
        obj.__dict__.update(saved.__dict__)

    def response_post_save_add(self, request: HttpRequest, obj: RouterImport) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:imports_routerimport_change", args=[obj.pk]))

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("location"))
    def place(self, row: RouterImport) -> str:
        return row.location.name

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: RouterImport) -> Any:
        return router_import_words(row).html()

    @admin.display(description=gettext_lazy("rows"))
    def rows_text(self, row: RouterImport) -> str:
        return number(row.total)

    @admin.display(description=gettext_lazy("begun"))
    def begun(self, row: RouterImport) -> str:
        return moment(row.created_at)

    # --- pages ------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: RouterImport) -> dict[str, Any]:
        pages = []
        if row.status == RouterImportStatus.CHECKED and request.user.has_perm(ADD):
            pages.append(Link(_("Choose plans and prices"), self._url("choose", row), "tune"))
        if row.total and row.status not in {RouterImportStatus.CANCELLED, RouterImportStatus.FAILED}:
            pages.append(Link(_("All rows, one by one"), self._url("rows", row), "list"))
            pages.append(Link(_("All rows as CSV"), self._url("csv", row), "download"))
        is_working = row.status in {RouterImportStatus.APPLYING, RouterImportStatus.UNDOING}
        return {
            "run": row,
            "words": router_import_words(row),
            "bar": {"done": row.done, "total": row.total, "percent": min(100, round(100 * row.done / row.total))}
            if is_working and row.total else None,
            "table": [
                {"label": Subject(subject).label, "cells": [(v.value, v.label, counts.get(v, 0)) for v in Verdict]}
                for subject, counts in row.counts.items()
            ],
            "verdicts": list(Verdict),
            "rows_url": self._url("rows", row),
            "links": pages,
            "scripts": router_scripts_of(row),
            **self._backup(request, row),
            "is_checked": row.status == RouterImportStatus.CHECKED,
            "is_blind": row.facts.get("has_passwords") is False,
            "poll": f"every {2 if row.status in ROUTER_IMPORT_BUSY else 20}s {VISIBLE}",
        }  # fmt: skip

    def _backup(self, request: HttpRequest, row: RouterImport) -> dict[str, Any]:
        """What became of the backup that was taken before anything of the router was ours."""
        if not request.user.has_perm("locations.view_configversion"):
            return {}
        found = router_import_backup(row)
        url = reverse("admin:locations_location_configuration", args=[row.location_id])
        return {"backup_words": backup_words(found, row.location, clock.now()), "backup_url": url} if found else {}

    def _url(self, page: str, row: RouterImport) -> str:
        return reverse(f"admin:imports_routerimport_{page}", args=[row.pk])

    def choose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return choose_page(self, request, object_id)

    def rows(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return rows_page(self, request, object_id)

    def csv(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return rows_csv(self, request, object_id)

    # --- steps ------------------------------------------------------------------------------------------------------

    def apply(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        count = adopted_count(row.counts)
        if row.status != RouterImportStatus.CHECKED or not count:
            return None

        def run(data: dict[str, Any]) -> str:
            router_import_apply(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The router is being taken over: all of it or nothing.")

        text = ngettext("Take over %(n)s row of %(place)s?", "Take over %(n)s rows of %(place)s?", count)
        more = _("Nothing on the router is changed: passwords, counters and comments stay as they are.")
        return Confirmation(
            title=_("Take over"), button=_("Take over"), run=run, icon="done_all", is_primary=True, affected=count,
            question=f"{text % {'n': number(count), 'place': row.location.name}} {more}", permission=ADD,
        )  # fmt: skip

    def again(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        if row.status != RouterImportStatus.CHECKED:
            return None

        def run(data: dict[str, Any]) -> str:
            router_import_again(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The router is being read once more.")

        return Confirmation(
            title=_("Read again"), button=_("Read again"), run=run, icon="refresh", permission=ADD,
            question=_("Read the router once more? What you chose for its profiles is forgotten."),
        )  # fmt: skip

    def undo(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        if row.status != RouterImportStatus.APPLIED or not any(row.made.values()):
            return None

        def run(data: dict[str, Any]) -> str:
            router_import_undo(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("It is being undone.")

        return Confirmation(
            title=_("Undo"), button=_("Undo"), run=run, icon="undo", is_danger=True, permission=ADD,
            question=_("Remove everything that was taken over from %(name)s? The router keeps all as it is. What was sold, "
                       "used, billed or changed since stays here.") % {"name": row.location.name},
        )  # fmt: skip

    def retire(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        scripts = router_scripts_of(row)
        if scripts is None or row.scripts_retired_at is not None:
            return None

        def run(data: dict[str, Any]) -> str:
            router_scripts_retire(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The scripts are being taken out, and our comments written.")

        return Confirmation(
            title=_("Retire the scripts"), button=_("Retire the scripts"), run=run, icon="code_off", permission=ADD,
            affected=scripts.logins,
            question=_("Take Mikhmon's script out of %(profiles)s and write our comment on %(n)s logins? This can be given "
                       "back as it was.") % {"profiles": ", ".join(scripts.profiles), "n": number(scripts.logins)},
        )  # fmt: skip

    def give_back(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        if row.scripts_retired_at is None:
            return None

        def run(data: dict[str, Any]) -> str:
            router_scripts_give_back(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The old scripts and comments are being written back.")

        return Confirmation(
            title=_("Give the scripts back"), button=_("Give the scripts back"), run=run, icon="undo", permission=ADD,
            question=_("Write the router's own scripts and comments back, as they were?"),
        )  # fmt: skip

    def cancel(self, request: HttpRequest, row: RouterImport) -> Confirmation | None:
        if row.status not in ROUTER_IMPORT_BUSY | {RouterImportStatus.CHECKED}:
            return None

        def run(data: dict[str, Any]) -> str:
            router_import_cancel(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("It is being cancelled; nothing of this step stays.")

        return Confirmation(
            title=_("Cancel"), button=_("Cancel"), run=run, icon="cancel", is_danger=True, permission=ADD,
            question=_("Stop taking over %(name)s? Nothing of this step stays, here or on the router.")
            % {"name": row.location.name},
        )  # fmt: skip

"""Bringing a file, seeing every problem by row, and applying it as a whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.admin import Confirmation, ModelAdmin, style_form
from core.admin.export import csv_response
from core.client_ip import client_ip
from core.formats import moment, number
from core.panels import Link
from imports.choices import BUSY, ImportStatus
from imports.columns import LABELS, SYNONYMS
from imports.models import MAX_BYTES, ImportRow, ImportRun
from imports.selectors import imports_visible_to
from imports.services import import_apply, import_cancel, import_start
from imports.words import run_words
from locations.models import Location
from locations.selectors import locations_visible_to

SHOWN = 100
VISIBLE = "[document.visibilityState=='visible']"


class ImportForm(forms.ModelForm):  # type: ignore[type-arg]
    """The upload. `request_key` makes a second press of the button the same import."""

    file = forms.FileField(
        label=gettext_lazy("file"), help_text=gettext_lazy("CSV or Excel (.xlsx); the first row names the columns."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.txt"}),
    )  # fmt: skip
    location = forms.ModelChoiceField(
        Location.objects.none(), label=gettext_lazy("location"), required=False,
        help_text=gettext_lazy("For rows that name none."),
    )  # fmt: skip
    request_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    class Meta:
        model = ImportRun
        fields = ("location", "is_unknown_ignored", "is_phone_shared")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("request_key", uuid.uuid4().hex)
        style_form(self)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than %(n)d MB.") % {"n": MAX_BYTES // 1024 // 1024})
        return file


@admin.register(ImportRun)
class ImportRunAdmin(ModelAdmin[ImportRun]):
    form = ImportForm
    nav_group, nav_icon, nav_order = "customers", "upload_file", 90
    list_display = ("filename", "state", "rows_text", "brought")
    list_filter = ("status",)
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("file", "location", "is_unknown_ignored", "is_phone_shared", "request_key")}),
    )  # fmt: skip
    confirmations = ("apply", "cancel")
    live_template = "imports/admin/run_facts.html"
    is_facts_only = True
    audit_noun = ""
    empty_text = gettext_lazy(
        "Bring your customers from a spreadsheet: every row is checked before anything is changed."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        return imports_visible_to(request.user).defer("content").order_by("-id")  # type: ignore[arg-type]

    def get_urls(self) -> list[Any]:
        problems = self.admin_site.admin_view(self.problems_csv)
        return [path("<int:run_id>/problems.csv", problems, name="imports_importrun_problems"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ImportRun | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            # a copy: the declared field belongs to all threads
            field = form.base_fields["location"] = deepcopy(form.base_fields["location"])
            field.queryset = locations_visible_to(request.user).order_by("name")  # type: ignore[arg-type]
        return form

    def save_model(self, request: HttpRequest, obj: ImportRun, form: Any, change: bool) -> None:
        data = form.cleaned_data
        location: Location | None = data["location"]
        actor: Any = request.user
        saved = import_start(
            content=data["file"].read(), filename=data["file"].name, actor=actor, ip=client_ip(request),
            request_key=data["request_key"], location=location, is_unknown_ignored=data["is_unknown_ignored"],
            is_phone_shared=data["is_phone_shared"],
        )  # fmt: skip
        obj.__dict__.update(saved.__dict__)

    def response_post_save_add(self, request: HttpRequest, obj: ImportRun) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:imports_importrun_change", args=[obj.pk]))

    # --- columns ----------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: ImportRun) -> Any:
        return run_words(row).html()

    @admin.display(description=gettext_lazy("rows"))
    def rows_text(self, row: ImportRun) -> str:
        return number(row.total)

    @admin.display(description=gettext_lazy("brought"))
    def brought(self, row: ImportRun) -> str:
        return moment(row.created_at)

    # --- page -------------------------------------------------------------------------------------------------------

    def facts(self, request: HttpRequest, row: ImportRun) -> dict[str, Any]:
        wrong = list(ImportRow.objects.filter(run=row).exclude(problems=[]).order_by("number")[:SHOWN])
        links = []
        if row.problem_count:
            url = reverse("admin:imports_importrun_problems", args=[row.pk])
            links.append(Link(_("All problems as CSV"), url, "download"))
        is_working = row.status in {ImportStatus.CHECKING, ImportStatus.APPLYING}
        return {
            "run": row,
            "words": run_words(row),
            "bar": {"done": row.done, "total": row.total, "percent": round(100 * row.done / row.total)}
            if is_working and row.total else None,
            "wrong": [(entry.number, _sentences(entry)) for entry in wrong],
            "more": max(0, row.problem_count - len(wrong)),
            "links": links,
            "columns": [(LABELS[column], ", ".join(names[:4])) for column, names in SYNONYMS.items()],
            "poll": f"every {2 if row.status in BUSY else 20}s {VISIBLE}",
        }  # fmt: skip

    def problems_csv(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        run = self.get_queryset(request).filter(pk=run_id).first()
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        header = [_("row"), _("column"), _("problem")]
        return csv_response(f"problems-{run.pk}.csv", header, _problem_rows(run), list)

    def apply(self, request: HttpRequest, row: ImportRun) -> Confirmation | None:
        if row.status != ImportStatus.CHECKED or row.problem_count or not row.total:
            return None

        def run(data: dict[str, Any]) -> str:
            import_apply(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The customers are being brought in: all of them or none.")

        text = ngettext("Bring in %(n)s customer?", "Bring in %(n)s customers?", row.total) % {"n": number(row.total)}
        return Confirmation(
            title=_("Bring in"), button=_("Bring in"), question=text, run=run, icon="done_all", is_primary=True,
            affected=row.total, permission="imports.add_importrun",
        )  # fmt: skip

    def cancel(self, request: HttpRequest, row: ImportRun) -> Confirmation | None:
        if row.status not in BUSY | {ImportStatus.CHECKED}:
            return None

        def run(data: dict[str, Any]) -> str:
            import_cancel(row, actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            return _("The import is being cancelled; nothing of it stays.")

        return Confirmation(
            title=_("Cancel import"), button=_("Cancel import"), run=run, icon="cancel", is_danger=True,
            question=_("Cancel “%(name)s”? None of its customers will be brought in.") % {"name": row.filename},
            permission="imports.add_importrun",
        )  # fmt: skip


def _sentences(row: ImportRow) -> list[tuple[str, str]]:
    return [(str(LABELS.get(column, column)), sentence) for column, sentence in row.problems]


def _problem_rows(run: ImportRun) -> Iterator[tuple[int, str, str]]:
    rows = ImportRow.objects.filter(run=run).exclude(problems=[]).order_by("number").iterator(chunk_size=2000)
    for row in rows:
        for column, sentence in _sentences(row):
            yield row.number, column, sentence

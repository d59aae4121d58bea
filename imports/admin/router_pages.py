"""Pages of taking over a router beside its own: the choices, and every row with its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.export import csv_response
from core.admin.vendor import INPUT_CLASSES, SELECT_CLASSES
from core.client_ip import client_ip
from core.errors import DomainError
from core.numbers import page_number
from imports.choices import RouterImportStatus, Subject, Verdict
from imports.models import RouterImport, RouterImportProfile, RouterImportRow
from imports.router_forms import ProfileForm, RunForm
from imports.selectors import router_rows_search
from imports.services import router_import_choose
from imports.words_routers import reason_text, verdict_words

if TYPE_CHECKING:
    from core.admin import ModelAdmin

ROWS_PER_PAGE = 100


def _page(model_admin: ModelAdmin[RouterImport], request: HttpRequest, row: RouterImport, title: str) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request), "title": title, "original": row, "opts": model_admin.opts,
        "back": reverse("admin:imports_routerimport_change", args=[row.pk]),
    }  # fmt: skip


def choose_page(model_admin: ModelAdmin[RouterImport], request: HttpRequest, object_id: str) -> HttpResponse:
    """GET shows what every profile becomes, POST changes it; then every row is judged anew."""
    row = model_admin.row_for(request, object_id)
    if not request.user.has_perm("imports.add_routerimport"):
        raise PermissionDenied
    back = reverse("admin:imports_routerimport_change", args=[row.pk])
    if row.status != RouterImportStatus.CHECKED:
        messages.warning(request, _("This is not possible any more; nothing was changed."))
        return HttpResponseRedirect(back)
    data = request.POST if request.method == "POST" else None
    choices = RouterImportProfile.objects.filter(run=row).select_related("plan").order_by("-logins", "kind", "name")
    forms = [ProfileForm(data, instance=choice, prefix=str(choice.pk)) for choice in choices]
    form = RunForm(data, instance=row)
    if request.method == "POST" and all([form.is_valid(), *(one.is_valid() for one in forms)]):
        try:
            actor: Any = request.user
            router_import_choose(
                row, choices={one.instance.pk: one.values() for one in forms}, actor=actor, ip=client_ip(request),
                billed_from=form.cleaned_data["billed_from"], is_sales_wanted=form.cleaned_data["is_sales_wanted"],
            )  # fmt: skip
        except DomainError as error:
            _say(error, form, {str(one.instance.pk): one for one in forms})
        else:
            messages.success(request, _("Every row is being judged anew."))
            return HttpResponseRedirect(back)
    title = _("What the profiles of %(name)s become") % {"name": row.location.name}
    context = {**_page(model_admin, request, row, title), "form": form, "forms": forms, "form_classes": {}}
    is_wrong = request.method == "POST"
    return TemplateResponse(request, "imports/admin/router_choose.html", context, status=422 if is_wrong else 200)


def _say(error: DomainError, form: RunForm, forms: dict[str, ProfileForm]) -> None:
    """Each sentence beside its field."""
    is_said = False
    for name, text in error.fields.items():
        key, _dash, field = name.partition("-")
        target: Any = forms.get(key, form)
        target_field = field if key in forms else name
        target.add_error(target_field if target_field in target.fields else None, str(text))
        is_said = True
    if not is_said:
        form.add_error(None, str(error.message))


def rows_page(model_admin: ModelAdmin[RouterImport], request: HttpRequest, object_id: str) -> HttpResponse:
    """Every row of the router with what becomes of it; searched by name, narrowed by verdict and kind."""
    row = model_admin.row_for(request, object_id)
    found, asked = _asked(request, row)
    page = page_number(request.GET.get("page", ""))
    rows = list(found[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE + 1])
    zone = row.location.timezone
    title = _("Rows of %(name)s") % {"name": row.location.name}
    context = {
        **_page(model_admin, request, row, title), "asked": asked, "verdicts": list(Verdict),
        "subjects": [subject for subject in Subject if subject in row.counts],
        "rows": [
            {"name": one.name, "profile": one.profile, "subject": one.get_subject_display(),
             "words": verdict_words(one), "reason": reason_text(one, zone)}
            for one in rows[:ROWS_PER_PAGE]
        ],
        "older": page + 1 if len(rows) > ROWS_PER_PAGE else None, "newer": page - 1 if page > 1 else None,
        "csv": reverse("admin:imports_routerimport_csv", args=[row.pk]),
        "input_classes": " ".join(INPUT_CLASSES), "select_classes": " ".join(SELECT_CLASSES),
    }  # fmt: skip
    return TemplateResponse(request, "imports/admin/router_rows.html", context)


def _asked(request: HttpRequest, row: RouterImport) -> tuple[QuerySet[RouterImportRow], dict[str, str]]:
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "verdict", "subject")}
    return router_rows_search(row, text=asked["q"], verdict=asked["verdict"], subject=asked["subject"]), asked


def rows_csv(model_admin: ModelAdmin[RouterImport], request: HttpRequest, object_id: str) -> HttpResponseBase:
    """The same rows as a file, without passwords."""
    row = model_admin.row_for(request, object_id)
    found, _given = _asked(request, row)
    header = [_("kind"), _("name"), _("profile"), _("verdict"), _("reason")]
    return csv_response(f"router-{row.pk}.csv", header, _lines(found, row.location.timezone), list)


def _lines(rows: QuerySet[RouterImportRow], zone: str) -> Iterator[tuple[str, ...]]:
    for one in rows.iterator(chunk_size=2000):
        verdict = str(Verdict(one.verdict).label)
        yield str(one.get_subject_display()), one.name, one.profile, verdict, reason_text(one, zone)

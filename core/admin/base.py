"""`ModelAdmin` and `TabularInline`: every admin of the house derives from these (DESIGN §3.11).

They keep a list of a million rows fast (estimated counts, paging by key, indexed search only), label every control, drop
scripts nobody uses, show a `DomainError` as a sentence instead of an error page, and write staff actions down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.a11y import A11yMixin, LabelledInlineFormSet
from core.admin.audit import form_changes, is_secret, row_values
from core.admin.changelist import AFTER, BEFORE, ChangeList
from core.admin.confirm import Confirmation, confirm_view, is_allowed
from core.admin.export import csv_response
from core.admin.paginator import EstimatedPaginator
from core.admin.vendor import ModelAdminBase, TabularInlineBase
from core.client_ip import client_ip
from core.errors import DomainError
from core.events import emit
from core.panels import row_links, row_panels
from core.staff_events import StaffActed

_M = TypeVar("_M", bound=models.Model)
UNUSED_SCRIPTS = ("xregexp", "prepopulate", "urlify")
Text = str | Promise


class ModelAdmin(A11yMixin, ModelAdminBase[_M]):
    """Base of all admins.

    `is_small_table`: bounded by people or configuration (staff, plans), so `icontains` search and free sorting are fine.
    `nav_group`, `nav_icon`, `nav_order`: its place in the menu; no group, no entry.
    `confirmations`: names of methods that return a `Confirmation`: actions on one row, asked first, done by POST.
    `audit_noun`: the first half of the activity's name (`plan.changed`); "" when its services write their own.
    `empty_text`: what the list is for, shown while it is empty.
    `is_facts_only`: the page of an existing row shows `live_template` and no form.
    `is_file_linked`: with `csv_fields`, the list as it is filtered is a download, all of it.
    `live_template`: the row's facts, drawn above the form from `facts()` and drawn again by every poll.
    """

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 25
    list_max_show_all = 200
    list_select_related: ClassVar[bool | list[str] | tuple[str, ...]] = ()
    view_on_site = False
    save_as = False
    actions_on_bottom = False
    warn_unsaved_form = False
    list_filter_sheet = False
    change_list_template = "core/admin/change_list.html"
    change_form_template = "core/admin/change_form.html"

    is_small_table: ClassVar[bool] = False
    nav_group: ClassVar[Text] = ""
    nav_icon: ClassVar[str] = "list"
    nav_order: ClassVar[int] = 100
    confirmations: ClassVar[Sequence[str]] = ()
    audit_noun: ClassVar[str | None] = None
    empty_text: ClassVar[Text] = ""
    csv_fields: ClassVar[Sequence[str]] = ()
    is_file_linked: ClassVar[bool] = False
    uppercase_search: ClassVar[bool] = False
    live_template: ClassVar[str] = ""
    is_facts_only: ClassVar[bool] = False

    # --- lists ------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = rows = list(changelist.result_list)
        self.decorate(request, rows)
        return changelist

    def decorate(self, request: HttpRequest, rows: list[_M]) -> None:
        """Attach to one page of rows what its columns need, in a fixed number of queries."""

    def get_actions(self, request: HttpRequest) -> Any:
        """No "delete selected": it loads every row and everything that points to it."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        if self.csv_fields and "export_csv" not in actions:
            entry: Any = (type(self).export_csv, "export_csv", gettext_lazy("Export as CSV"))
            actions["export_csv"] = entry
        return actions

    def export_csv(self, request: HttpRequest, queryset: QuerySet[_M]) -> HttpResponse:
        """The chosen rows as a CSV file, `csv_fields` as columns."""
        header = [str(self._column(name)) for name in self.csv_fields]
        rows = self.csv_rows(queryset).order_by("-pk").iterator(chunk_size=2000)
        name = f"{self.opts.model_name}.csv"
        return csv_response(name, header, rows, self._csv_cells)  # type: ignore[return-value]

    def csv_rows(self, queryset: QuerySet[_M]) -> QuerySet[_M]:
        """The rows with what their cells need, so that no row asks the database again."""
        return queryset

    def _csv_cells(self, row: _M) -> list[Any]:
        return [self._csv_value(row, name) for name in self.csv_fields]

    def _csv_value(self, row: _M, name: str) -> Any:
        own = getattr(self, name, None)
        value = own(row) if callable(own) else getattr(row, name)
        return value() if callable(value) else value

    def _column(self, name: str) -> Any:
        own = getattr(self, name, None)
        if own is not None:
            return getattr(own, "short_description", name)
        return self.opts.get_field(name).verbose_name  # type: ignore[union-attr]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The whole text is one term: a code or a name, not words to be looked for anywhere."""
        term = search_term.strip()
        # codes of ours are upper case and typed in any; those that were taken over keep the letters they came with
        terms = dict.fromkeys([term, term.upper()] if self.uppercase_search else [term])
        fields = self.get_search_fields(request)
        if not term or not fields:
            return queryset, False
        clauses = models.Q()
        for field in fields:
            lookup = field if "__" in field else f"{field}__startswith"
            for one in terms:
                clauses |= models.Q(**{lookup: one})
        try:
            return queryset.filter(clauses), False
        except (ValueError, ValidationError):
            return queryset.none(), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"empty_text": self.empty_text, **(extra_context or {})}
        try:
            if self.is_file_linked:
                if request.GET.get("format") == "csv":
                    return self._list_as_file(request)
                context["csv_url"] = "?" + urlencode([*request.GET.items(), ("format", "csv")])
            return super().changelist_view(request, context)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())

    def _list_as_file(self, request: HttpRequest) -> HttpResponse:
        """Every row that the list finds with this filter, whatever page of it was shown."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        asked = request.GET.copy()
        for name in ("format", BEFORE, AFTER):
            asked.pop(name, None)
        request.GET = asked  # type: ignore[assignment]  # the list reads it as it is without the page and the file
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{request.path}?e=1")
        return self.export_csv(request, found)

    # --- forms ------------------------------------------------------------------------------------------------------

    @property
    def media(self) -> forms.Media:
        media: Any = super().media
        if self.prepopulated_fields:
            return cast("forms.Media", media)
        scripts = [s for s in media._js if not any(name in str(s) for name in UNUSED_SCRIPTS)]
        return forms.Media(css=media._css, js=scripts)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A page of facts has no form. Where a person may only look, secrets are left out: Django would print them."""
        if obj is not None and self.is_facts_only:
            return ()
        fieldsets = super().get_fieldsets(request, obj)
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return fieldsets if may_write else [_without_secrets(self.model, entry) for entry in fieldsets]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        fields: list[Any] = list(form.base_fields.values())
        for field in fields:
            # Once: declared fields belong to all requests, and a lazy text wrapped again by every request takes twice
            # as long each time, until the page never comes.
            if field.label and not getattr(field, "is_label_capped", False):
                field.label, field.is_label_capped = capfirst(field.label), True
        refusal: DomainError | None = getattr(request, "_refusal", None)
        return form if refusal is None else _refused_form(form, refusal)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A service's refusal shows up in the form, with everything the person typed still in it.

        The first pass was rolled back as a whole (Django opens a transaction around it), so the second starts clean.
        """
        context = {**(extra_context or {}), **self._page_context(request, object_id)}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except DomainError as error:
            request._refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """One primary button per screen; "save and add another" is not how routers and plans are made."""
        context["show_save_and_add_another"] = False
        if kwargs.get("add"):
            context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse(f"admin:{self._name}_change", args=[object_id]))

    # --- the activity log -------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _acted(self, request: HttpRequest, verb: str, details: dict[str, Any]) -> None:
        noun = self.opts.model_name if self.audit_noun is None else self.audit_noun
        if not noun:
            return
        with transaction.atomic():
            emit(StaffActed(request.user.pk, f"{noun}.{verb}", details, client_ip(request)))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Not a message but the changes themselves; `log_addition` and `log_change` get them."""
        changes = form_changes(form, self.model)
        for formset in formsets or []:
            for kind in ("new_objects", "changed_objects", "deleted_objects"):
                rows = [row[0] if kind == "changed_objects" else row for row in getattr(formset, kind, [])]
                if rows:
                    key = f"{formset.model._meta.model_name}.{kind.removesuffix('_objects')}"
                    changes[key] = {"before": None, "after": [str(row) for row in rows]}
        return changes

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._acted(request, "added", {"id": obj.pk, "name": str(obj), "changes": message})

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            self._acted(request, "changed", {"id": obj.pk, "name": str(obj), "changes": message})

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            self._acted(request, "deleted", {"id": row.pk, "name": str(row), "before": row_values(row)})

    # --- actions on one row -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        urls = [
            path(f"<path:object_id>/{name.replace('_', '-')}/", self._wrap(name), name=f"{self._name}_{name}")
            for name in self.confirmations
        ]
        if self.live_template:
            live = self.admin_site.admin_view(self.live_view)
            urls.append(path("<path:object_id>/live/", live, name=f"{self._name}_live"))
        return [*urls, *super().get_urls()]

    def _wrap(self, name: str) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return confirm_view(self, request, unquote(object_id), name)

        return self.admin_site.admin_view(view)

    def _page_context(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        row = None if object_id is None else self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            return {}
        offered = []
        for name in self.confirmations:
            asked: Confirmation | None = getattr(self, name)(request, row)
            if asked is not None and is_allowed(self, request, asked.permission, row):
                url = reverse(f"admin:{self._name}_{name}", args=[row.pk])
                offered.append({"url": url, "asked": asked})
        context = {
            "confirmations": offered, "row_links": row_links(request, row), "row_panels": row_panels(request, row),
            **self.facts(request, row),
        }  # fmt: skip
        if self.live_template:
            context["live_template"] = self.live_template
            context["live_url"] = reverse(f"admin:{self._name}_live", args=[row.pk])
        return context

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The facts alone, for the poll."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        context = {"original": row, "live_template": self.live_template, "live_url": request.path}
        return TemplateResponse(request, "core/admin/live.html", {**context, **self.facts(request, row)})

    def row_for(self, request: HttpRequest, object_id: str, *permissions: str) -> _M:
        """The row of one of our own pages. Raises Http404 for one that this person does not see, PermissionDenied
        without the right to look at it and all of `permissions`."""
        row: _M | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not (self.has_view_permission(request, row) and request.user.has_perms(permissions)):
            raise PermissionDenied
        return row

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Context for the row's own facts above its form (`change_form_template`)."""
        return {}


class ReadOnlyMixin:
    """Rows that machines write and people only read."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TabularInline(A11yMixin, TabularInlineBase[Any, Any]):
    formset = LabelledInlineFormSet
    extra = 0
    max_num = 200
    show_change_link = False
    view_on_site = False


def _without_secrets(model: type[models.Model], fieldset: Any) -> Any:
    title, options = fieldset
    return title, {**options, "fields": [name for name in options["fields"] if not is_secret(model, str(name))]}


def _refused_form(form: type[Any], refusal: DomainError) -> type[Any]:
    class Refused(form):  # type: ignore[misc]
        def _post_clean(self) -> None:
            super()._post_clean()
            aliases: dict[str, str] = getattr(self, "refusal_aliases", {})
            named = {aliases.get(name, name): text for name, text in refusal.fields.items()}
            known = {name: text for name, text in named.items() if name in self.fields}
            for name, text in known.items():
                self.add_error(name, text)
            if not known:
                self.add_error(None, str(refusal.message) or _("This was refused; nothing was changed."))

    return Refused

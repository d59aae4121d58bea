"""A filter over a foreign key that asks for the value instead of listing a million of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib.admin import FieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.admin.vendor import INPUT_CLASSES, SELECT_CLASSES
from core.numbers import whole_number

OFFERED = 20  # how many rows a written text offers to choose from
LONGEST_TEXT = 100


class AutocompleteFilter(FieldListFilter):
    """`list_filter = [("batch", AutocompleteFilter)]`. The other model's admin answers, so a person sees only his own.

    A small table (`is_small_table` of its admin) is a plain list of its rows. A growing one is asked while typing;
    without JavaScript a written text is searched as that admin's own list searches: one hit filters, several are offered.
    """

    template = "core/admin/filter_autocomplete.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.parameter = f"{field_path}__id__exact"
        self.text_parameter = f"{field_path}__text"
        super().__init__(field, request, params, model, model_admin, field_path)
        self.request = request
        self.admin_site = model_admin.admin_site
        self.target: Any = self.admin_site._registry[field.remote_field.model]
        self.value = self._given(self.parameter)
        self.text = "" if self.value else self._given(self.text_parameter).replace("\x00", "").strip()[:LONGEST_TEXT]

    def _given(self, name: str) -> str:
        values: Any = self.used_parameters.get(name)
        return str(values[-1]) if values else ""

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter, self.text_parameter]

    def has_output(self) -> bool:
        return True

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """What this person may choose from."""
        rows: QuerySet[Any] = self.target.get_queryset(self.request)
        return rows

    @cached_property
    def found(self) -> list[Any]:
        """Rows that fit the written text, one more than are offered."""
        if not self.text or not self.target.get_search_fields(self.request):
            return []
        rows, _has_duplicates = self.target.get_search_results(self.request, self.rows, self.text)
        return list(rows[: OFFERED + 1])

    @cached_property
    def chosen(self) -> Any:
        if self.value:
            return self.rows.filter(pk=self.value).first() if _is_key(self.value) else None
        return self.found[0] if len(self.found) == 1 else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value and not self.text:
            return queryset
        key: Any = self.value or (self.chosen.pk if self.chosen else None)
        if key is None or not _is_key(str(key)):
            return queryset.none()
        try:
            return queryset.filter(**{f"{self.field_path}_id": int(key)})
        except (ValueError, ValidationError):
            return queryset.none()

    def choices(self, changelist: ChangeList) -> Any:
        mine = [self.parameter, self.text_parameter]
        is_asked = not self.target.is_small_table
        offered = self.found[:OFFERED] if self.text and self.chosen is None else []
        yield {
            "chosen": self.chosen,
            "is_set": bool(self.value or self.chosen or self.text),
            "text": self.text,
            "clear": changelist.get_query_string(remove=mine),
            "hidden": [
                (name, value)
                for name, values in changelist.filter_params.items()
                for value in (values if isinstance(values, list) else [values])
                if name not in mine
            ],
            "widget": self._asking_widget() if is_asked else self._plain_widget(),
            "text_widget": self._text_widget() if is_asked else "",
            "is_asked": is_asked,
            "offered": [(row, changelist.get_query_string({self.parameter: row.pk}, mine)) for row in offered],
            "has_more": len(self.found) > OFFERED,
        }

    def _attrs(self, suffix: str = "", classes: list[str] | None = None) -> dict[str, str]:
        attrs = {"id": f"filter-{self.field_path}{suffix}", "aria-label": str(capfirst(self.title))}
        return attrs | ({"class": " ".join(classes)} if classes else {})

    def _plain_widget(self) -> str:
        rows = [("", _("All")), *((row.pk, str(row)) for row in self.rows)]
        widget = forms.Select(self._attrs(classes=SELECT_CLASSES), choices=rows)
        return str(widget.render(self.parameter, self.chosen.pk if self.chosen else ""))

    def _asking_widget(self) -> str:
        widget = AutocompleteSelect(self.field, self.admin_site, attrs=self._attrs())
        widget.choices = forms.ModelChoiceField(self.rows, required=False).choices
        return str(widget.render(self.parameter, self.chosen.pk if self.chosen else ""))

    def _text_widget(self) -> str:
        if not self.target.get_search_fields(self.request):
            return ""
        attrs = self._attrs("-text", INPUT_CLASSES) | {"maxlength": str(LONGEST_TEXT)}
        if self.target.search_help_text:
            attrs["placeholder"] = str(self.target.search_help_text)
        return str(forms.TextInput(attrs).render(self.text_parameter, self.text))

    @property
    def media(self) -> forms.Media:
        return forms.Media() if self.target.is_small_table else AutocompleteSelect(self.field, self.admin_site).media


def _is_key(text: str) -> bool:
    return whole_number(text) is not None

"""A filter over a foreign key that asks for the value instead of listing a million of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin import FieldListFilter
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest


class AutocompleteFilter(FieldListFilter):
    """`list_filter = [("batch", AutocompleteFilter)]`. The other model's admin answers, so a person sees only his own."""

    template = "core/admin/filter_autocomplete.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.parameter = f"{field_path}__id__exact"
        super().__init__(field, request, params, model, model_admin, field_path)
        self.request = request
        self.admin_site = model_admin.admin_site
        values: Any = self.used_parameters.get(self.parameter)
        self.value: str | None = values[-1] if values else None

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value:
            return queryset
        try:
            return queryset.filter(**{f"{self.field_path}_id": int(self.value)})
        except (ValueError, ValidationError):
            return queryset.none()

    def choices(self, changelist: ChangeList) -> Any:
        relation: Any = self.field.remote_field
        target = relation.model
        rows = self.admin_site._registry[target].get_queryset(self.request)
        chosen = rows.filter(pk=self.value).first() if self.value and self.value.isdigit() else None
        yield {
            "chosen": chosen,
            "is_set": bool(self.value),
            "clear": changelist.get_query_string(remove=[self.parameter]),
            "hidden": [
                (name, value)
                for name, values in changelist.filter_params.items()
                for value in (values if isinstance(values, list) else [values])
                if name != self.parameter
            ],
            "widget": self._widget(rows, chosen),
        }

    def _widget(self, rows: QuerySet[Any], chosen: Any) -> str:
        field = forms.ModelChoiceField(rows, required=False)
        attrs = {"id": f"filter-{self.field_path}", "aria-label": str(self.title).capitalize()}
        widget = AutocompleteSelect(self.field, self.admin_site, attrs=attrs)
        widget.choices = field.choices
        return str(widget.render(self.parameter, chosen.pk if chosen else ""))

    @property
    def media(self) -> forms.Media:
        return AutocompleteSelect(self.field, self.admin_site).media

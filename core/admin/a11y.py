"""Labels where Django leaves controls without one: inline cells, split date and time, DELETE boxes of inlines."""

from __future__ import annotations

from typing import Any

from django.forms import Field, Widget
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.admin.vendor import InlineFormSetBase


def label_widget(widget: Widget, text: str) -> None:
    """Set `aria-label` on the widget, or on the parts it wraps. An existing label stays."""
    parts = getattr(widget, "widgets", None)
    if parts:
        names = (_("date"), _("time"))
        for part, name in zip(parts, names, strict=False):
            part.attrs.setdefault("aria-label", f"{text} ({name})")
    elif hasattr(widget, "widget"):
        label_widget(widget.widget, text)
    else:
        widget.attrs.setdefault("aria-label", text)


class A11yMixin:
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Field | None:
        field: Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            # str(): the label is lazy and must be in this request's language, not in that of the import
            label_widget(field.widget, str(field.label or db_field.verbose_name).capitalize())
        return field


class LabelledInlineFormSet(InlineFormSetBase):  # type: ignore[type-arg]
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            text = _("Delete this row") if name == "DELETE" else str(field.label or name).capitalize()
            label_widget(field.widget, text)

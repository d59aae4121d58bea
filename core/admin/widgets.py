"""Secrets that can be written but not read back, and the classes that make plain forms look like the admin's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.admin.vendor import CHECKBOX_CLASSES, INPUT_CLASSES, RADIO_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES


class SecretInput(forms.PasswordInput):
    """Never renders the value it holds: a page in a browser cache or a screenshot must not contain a router password."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        classes = {"class": " ".join(INPUT_CLASSES), "autocomplete": "new-password", "placeholder": "••••••••"}
        super().__init__(attrs={**classes, **(attrs or {})}, render_value=False)


class SecretField(forms.CharField):
    """Empty keeps what is stored. `cleaned_data` is None then; the form's `save` must skip it."""

    widget = SecretInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("strip", False)
        kwargs.setdefault("max_length", 128)
        kwargs.setdefault("empty_value", None)
        kwargs.setdefault("help_text", _("Never shown. Leave empty to keep what is stored."))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> str:
        return ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


def style_form(form: forms.BaseForm) -> None:
    """Give a plain form's widgets the admin's classes."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.MultiWidget):
            continue  # its parts are styled by their field
        if isinstance(widget, forms.CheckboxInput):
            classes = CHECKBOX_CLASSES
        elif isinstance(widget, forms.CheckboxSelectMultiple):
            classes = ["mb-checks"]
        elif isinstance(widget, forms.RadioSelect):
            classes = RADIO_CLASSES
        elif isinstance(widget, forms.Select):
            classes = SELECT_CLASSES
        elif isinstance(widget, forms.Textarea):
            classes = TEXTAREA_CLASSES
        else:
            classes = INPUT_CLASSES
        widget.attrs.setdefault("class", " ".join(classes))

"""The back office: one base class, one site, one look. Rooms import from here and never from the theme."""

from __future__ import annotations

from core.admin.site import install

install()

from core.admin import checks, system  # noqa: E402, F401  # importing registers them
from core.admin.base import ModelAdmin, ReadOnlyMixin, TabularInline  # noqa: E402
from core.admin.confirm import Confirmation, ConfirmForm  # noqa: E402
from core.admin.filters import AutocompleteFilter  # noqa: E402
from core.admin.pages import Page, add_page  # noqa: E402
from core.admin.vendor import INPUT_CLASSES, SELECT_CLASSES  # noqa: E402
from core.admin.widgets import SecretField, SecretInput, style_form  # noqa: E402

__all__ = [
    "INPUT_CLASSES",
    "SELECT_CLASSES",
    "AutocompleteFilter",
    "ConfirmForm",
    "Confirmation",
    "ModelAdmin",
    "Page",
    "ReadOnlyMixin",
    "SecretField",
    "SecretInput",
    "TabularInline",
    "add_page",
    "style_form",
]

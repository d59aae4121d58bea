"""The only place that imports unfold. Another theme means another version of this file.

Type checkers see Django's own classes (unfold ships no types); at run time they are unfold's, which derive from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as SiteBase
    from django.contrib.admin import ModelAdmin as ModelAdminBase
    from django.contrib.admin import TabularInline as TabularInlineBase
    from django.contrib.admin.views.main import ChangeList as ChangeListBase
    from django.contrib.auth.forms import AdminPasswordChangeForm
    from django.forms import BaseInlineFormSet as InlineFormSetBase

    CONFIG_DEFAULTS: dict[str, Any] = {}
    CHECKBOX_CLASSES: list[str] = []
    INPUT_CLASSES: list[str] = []
    RADIO_CLASSES: list[str] = []
    SELECT_CLASSES: list[str] = []
    TEXTAREA_CLASSES: list[str] = []
else:
    from unfold.admin import ModelAdmin as ModelAdminBase
    from unfold.admin import TabularInline as TabularInlineBase
    from unfold.forms import AdminPasswordChangeForm
    from unfold.forms import PaginationInlineFormSet as InlineFormSetBase
    from unfold.settings import CONFIG_DEFAULTS
    from unfold.sites import UnfoldAdminSite as SiteBase
    from unfold.views import ChangeList as ChangeListBase
    from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, RADIO_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES

__all__ = [
    "CHECKBOX_CLASSES", "CONFIG_DEFAULTS", "INPUT_CLASSES", "RADIO_CLASSES", "SELECT_CLASSES", "TEXTAREA_CLASSES",
    "AdminPasswordChangeForm", "ChangeListBase", "InlineFormSetBase", "ModelAdminBase", "SiteBase", "TabularInlineBase",
]  # fmt: skip

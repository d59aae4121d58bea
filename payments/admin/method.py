"""Ways to pay: a few rows. They are switched off, never deleted, because payments name them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core.admin import ModelAdmin
from payments.forms import MethodForm
from payments.models import PaymentMethod
from payments.words import method_name


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ModelAdmin[PaymentMethod]):
    nav_group, nav_icon, nav_order = "money", "tune", 90
    form = MethodForm
    is_small_table = True
    list_display = ("shown_name", "kind", "fee_type", "bearer", "is_active")
    list_filter = ("is_active",)
    audit_noun = "payment_method"
    empty_text = gettext_lazy("Cash is there from the beginning; more ways to pay come with gateways.")

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def shown_name(self, row: PaymentMethod) -> str:
        return method_name(row)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

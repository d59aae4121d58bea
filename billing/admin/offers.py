"""Coupons and tax rates."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from billing.models import Coupon, TaxRate
from core.admin import ModelAdmin


@admin.register(Coupon)
class CouponAdmin(ModelAdmin[Coupon]):
    nav_group, nav_icon, nav_order = "sell", "sell", 60
    is_small_table = True
    list_display = ("code", "kind", "value", "bills", "used", "max_uses", "valid_until", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code__istartswith",)
    search_help_text = gettext_lazy("Code")
    sortable_by = ("code",)
    ordering = ("code",)
    fieldsets = (
        (None, {"fields": ("code", "kind", "value", "bills")}),
        (gettext_lazy("When"), {"fields": ("valid_from", "valid_until", "max_uses", "is_active")}),
    )
    empty_text = gettext_lazy("A coupon takes something off the next bills of a service.")

    def has_delete_permission(self, request: HttpRequest, obj: Coupon | None = None) -> bool:
        """Bills name it: take it out of use instead."""
        return False


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin[TaxRate]):
    nav_group, nav_icon, nav_order = "money", "receipt", 80
    is_small_table = True
    list_display = ("name", "percent", "valid_from")
    sortable_by = ()
    ordering = ("-valid_from",)
    fieldsets = ((None, {"fields": ("name", "percent", "valid_from")}),)
    empty_text = gettext_lazy(
        "The tax rate that holds from a day on. Bills of that day and later use it; issued bills stay."
    )

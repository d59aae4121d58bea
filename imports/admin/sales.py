"""Sales that another program kept on a router, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core.admin import ModelAdmin, ReadOnlyMixin
from core.formats import moment, money
from imports.models import ImportedSale
from imports.selectors import old_sales_visible_to


@admin.register(ImportedSale)
class ImportedSaleAdmin(ReadOnlyMixin, ModelAdmin[ImportedSale]):
    nav_group, nav_icon, nav_order = "sell", "history", 90
    list_display = ("when", "user", "price_text", "profile", "place")
    list_select_related = ("location",)
    search_fields = ("user__exact",)
    search_help_text = gettext_lazy("The login that was sold")
    sortable_by = ()
    ordering = ("-id",)
    fields = ("when", "user", "price_text", "profile", "validity", "comment", "mac_address", "place")
    readonly_fields = fields
    csv_fields = ("when", "user", "price", "profile", "validity", "comment", "place")
    empty_text = gettext_lazy(
        "Sales that Mikhmon kept on a router come here when it is taken over. They are history: the books begin afterwards."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportedSale]:
        rows = old_sales_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("location").order_by("-id")

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: ImportedSale) -> str:
        return moment(row.sold_at, row.location.timezone)

    @admin.display(description=gettext_lazy("price"))
    def price_text(self, row: ImportedSale) -> Any:
        return money(row.price)

    @admin.display(description=gettext_lazy("location"))
    def place(self, row: ImportedSale) -> str:
        return row.location.name

"""Money given back: rows that only grow."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core.admin import ModelAdmin, ReadOnlyMixin
from core.formats import moment, money
from payments.admin.links import row_link
from payments.models import Refund
from payments.selectors import refunds_visible_to


@admin.register(Refund)
class RefundAdmin(ReadOnlyMixin, ModelAdmin[Refund]):
    nav_group, nav_icon, nav_order = "money", "undo", 30
    list_display = ("when", "payment_link", "amount_text", "reason", "actor")
    list_select_related = ("payment", "actor")
    search_fields = ("payment__reference__startswith",)
    search_help_text = gettext_lazy("Reference of the payment")
    uppercase_search = True
    sortable_by = ()
    ordering = ("-id",)
    fields = ("when", "payment_link", "amount_text", "reason", "actor")
    readonly_fields = fields
    csv_fields = ("when", "payment", "amount", "reason", "actor")
    empty_text = gettext_lazy("Money given back to customers is listed here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        rows = refunds_visible_to(request.user)  # type: ignore[arg-type]  # staff only
        return rows.select_related("payment", "actor").order_by("-id")

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: Refund) -> str:
        return moment(row.at)

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, row: Refund) -> Any:
        return row_link("payments_payment", row.payment)

    @admin.display(description=gettext_lazy("amount"))
    def amount_text(self, row: Refund) -> str:
        return money(row.amount)

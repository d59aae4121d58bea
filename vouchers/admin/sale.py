"""Sales: rows that only grow. A sale taken back is a second row with the opposite amount."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin import AutocompleteFilter, ModelAdmin, ReadOnlyMixin
from core.formats import moment, money
from core.words import Tone, Words
from vouchers.models import VoucherSale
from vouchers.selectors import sales_visible_to


@admin.register(VoucherSale)
class SaleAdmin(ReadOnlyMixin, ModelAdmin[VoucherSale]):
    nav_group, nav_icon, nav_order = "sell", "receipt_long", 30
    list_display = ("when", "voucher_link", "kind", "price", "who")
    list_select_related = ("voucher", "seller")
    list_filter = (("seller", AutocompleteFilter),)
    search_fields = ("voucher__code__exact",)
    search_help_text = gettext_lazy("Voucher code")
    uppercase_search = True
    sortable_by = ()
    ordering = ("-id",)
    csv_fields = ("when", "code", "plain_kind", "amount", "cost", "who")
    fields = ("when", "voucher_link", "kind", "price", "who")
    readonly_fields = fields
    empty_text = gettext_lazy("Every sold voucher leaves a row here that nobody can change.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoucherSale]:
        rows = sales_visible_to(request.user)  # type: ignore[arg-type]
        return rows.select_related("voucher", "seller").order_by("-id")

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: VoucherSale) -> str:
        return moment(row.sold_at)

    @admin.display(description=gettext_lazy("voucher"))
    def voucher_link(self, row: VoucherSale) -> Any:
        url = reverse("admin:vouchers_voucher_change", args=[row.voucher_id])
        return format_html('<a href="{}" class="mb-code">{}</a>', url, row.voucher.code)

    @admin.display(description=gettext_lazy("voucher"))
    def code(self, row: VoucherSale) -> str:
        return row.voucher.code

    @admin.display(description=gettext_lazy("kind"))
    def kind(self, row: VoucherSale) -> Any:
        if row.reverses_id:
            return Words(Tone.QUIET, "undo", self.plain_kind(row)).html()
        return Words(Tone.GOOD, "sell", self.plain_kind(row)).html()

    @admin.display(description=gettext_lazy("kind"))
    def plain_kind(self, row: VoucherSale) -> str:
        return _("taken back") if row.reverses_id else _("sale")

    @admin.display(description=gettext_lazy("amount"))
    def price(self, row: VoucherSale) -> str:
        return money(row.amount)

    @admin.display(description=gettext_lazy("seller"))
    def who(self, row: VoucherSale) -> str:
        return str(row.seller) if row.seller else _("the system")

"""The list of bills as a file: what each column holds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.contrib import admin
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy

from billing.choices import InvoiceStatus
from billing.models import Invoice
from billing.selectors import note_of, with_why
from core.admin import ModelAdmin
from core.money import quantise


class InvoiceFile(ModelAdmin[Invoice]):
    """Amounts plain, days as ISO, every note in the reader's language."""

    csv_fields = (
        "number", "kind", "status", "csv_customer", "csv_name", "csv_service", "location", "issued_on", "due_on",
        "period_start", "csv_last_day", "csv_subtotal", "csv_tax", "csv_total", "csv_settled", "csv_left", "csv_note",
    )  # fmt: skip
    is_file_linked = True

    def csv_rows(self, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        rows = queryset.select_related("customer", "location").annotate(username=F("subscription__username"))
        return with_why(rows)

    @admin.display(description=gettext_lazy("customer number"))
    def csv_customer(self, row: Invoice) -> str:
        return row.customer.number

    @admin.display(description=gettext_lazy("customer"))
    def csv_name(self, row: Invoice) -> str:
        return row.customer.name

    @admin.display(description=gettext_lazy("service"))
    def csv_service(self, row: Invoice) -> str:
        return getattr(row, "username", None) or ""

    @admin.display(description=gettext_lazy("to"))
    def csv_last_day(self, row: Invoice) -> date | None:
        return row.period_end - timedelta(days=1) if row.period_end else None

    @admin.display(description=gettext_lazy("subtotal"))
    def csv_subtotal(self, row: Invoice) -> Decimal:
        return quantise(row.subtotal)

    @admin.display(description=gettext_lazy("tax"))
    def csv_tax(self, row: Invoice) -> Decimal:
        return quantise(row.tax_amount)

    @admin.display(description=gettext_lazy("total"))
    def csv_total(self, row: Invoice) -> Decimal:
        return quantise(row.total)

    @admin.display(description=gettext_lazy("settled"))
    def csv_settled(self, row: Invoice) -> Decimal:
        return quantise(row.settled_amount)

    @admin.display(description=gettext_lazy("still to pay"))
    def csv_left(self, row: Invoice) -> Decimal:
        return quantise(row.total - row.settled_amount if row.status == InvoiceStatus.OPEN else 0)

    @admin.display(description=gettext_lazy("note"))
    def csv_note(self, row: Invoice) -> str:
        return note_of(row)

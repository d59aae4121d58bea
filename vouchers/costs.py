"""What sold vouchers cost, for the profit of the billing room: it is written on each sale and stands in no account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat

from billing.models import JournalEntry
from billing.reports.costs import CostRow, CostSource, CostSpan, cost_source_register
from billing.reports.days import month_of
from vouchers.models import VoucherSale


def sales_of(span: CostSpan) -> QuerySet[VoucherSale]:
    """Sales and undone sales of the span. Where one was sold stands on its entry; without an amount it has none."""
    rows = VoucherSale.objects.filter(sold_at__gte=span.start, sold_at__lt=span.end).exclude(cost=0)
    if span.location_id is None:
        return rows
    source = Concat(Value("voucher_sale:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    return rows.filter(Exists(JournalEntry.objects.filter(source=source, location=span.location_id)))


def costs_by_month(span: CostSpan) -> dict[date, Decimal]:
    rows: Any = sales_of(span).annotate(month=month_of("sold_at", span.zone)).order_by().values_list("month")
    return dict(rows.annotate(cost=Sum("cost")))


def costs_total(span: CostSpan) -> Decimal:
    return sales_of(span).aggregate(cost=Sum("cost"))["cost"] or Decimal(0)


def cost_rows(span: CostSpan, limit: int) -> Sequence[CostRow]:
    rows = sales_of(span).annotate(code=F("voucher__code")).order_by("-sold_at", "-pk")[:limit]
    return [CostRow(row.sold_at, row.code, row.cost) for row in rows]


def register() -> None:
    cost_source_register(CostSource(by_month=costs_by_month, rows=cost_rows, total=costs_total))

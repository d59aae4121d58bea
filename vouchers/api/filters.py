"""Filters of vouchers and batches: every one is served by an index."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from core.api.filters import id_filter
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch
from vouchers.selectors_unsold import MISSING


class VoucherFilter(django_filters.FilterSet):  # type: ignore[misc]
    code = django_filters.CharFilter(method="by_code", max_length=40, label="Exactly this code.")
    code_prefix = django_filters.CharFilter(
        method="by_prefix", min_length=2, max_length=40, label="Codes that begin with this."
    )
    status = django_filters.ChoiceFilter(choices=VoucherStatus.choices)
    batch = id_filter("batch_id")
    is_used_unsold = django_filters.BooleanFilter(
        method="by_unsold", label="Used, and no sale recorded (not void; price above 0)."
    )

    def by_unsold(self, rows: QuerySet[Voucher], name: str, value: bool) -> QuerySet[Voucher]:
        return rows.filter(MISSING) if value else rows.exclude(MISSING)

    def by_code(self, rows: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        return rows.filter(code__in=_spellings(value))

    def by_prefix(self, rows: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        # LIKE 'ABC%' on the pattern index of the unique code; ILIKE would read a million rows
        clauses = Q()
        for spelling in _spellings(value):
            clauses |= Q(code__startswith=spelling)
        return rows.filter(clauses)


def _spellings(value: str) -> list[str]:
    """Codes of ours are upper case and typed in any; those that were taken over keep the letters they came with."""
    return list(dict.fromkeys([value.strip(), value.strip().upper()]))


class BatchFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=BatchStatus.choices)
    plan = id_filter("plan_id")
    location = id_filter("pk", method="by_location")

    def by_location(self, rows: QuerySet[VoucherBatch], name: str, value: int) -> QuerySet[VoucherBatch]:
        return rows.filter(pk__in=BatchLocation.objects.filter(location_id=value).values("batch_id"))

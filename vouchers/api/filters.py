"""Filters of vouchers and batches: every one is served by an index."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from core.api.filters import id_filter
from vouchers.choices import BatchStatus, VoucherStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch


class VoucherFilter(django_filters.FilterSet):  # type: ignore[misc]
    code = django_filters.CharFilter(method="by_code", max_length=40, label="Exactly this code.")
    code_prefix = django_filters.CharFilter(
        method="by_prefix", min_length=2, max_length=40, label="Codes that begin with this."
    )
    status = django_filters.ChoiceFilter(choices=VoucherStatus.choices)
    batch = id_filter("batch_id")

    def by_code(self, rows: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        return rows.filter(code=value.strip().upper())

    def by_prefix(self, rows: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        # LIKE 'ABC%' on the pattern index of the unique code; codes are upper case, so ILIKE is not needed
        return rows.filter(code__startswith=value.strip().upper())


class BatchFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=BatchStatus.choices)
    plan = id_filter("plan_id")
    location = id_filter("pk", method="by_location")

    def by_location(self, rows: QuerySet[VoucherBatch], name: str, value: int) -> QuerySet[VoucherBatch]:
        return rows.filter(pk__in=BatchLocation.objects.filter(location_id=value).values("batch_id"))

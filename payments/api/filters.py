"""Filters of payments: every one is served by an index."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from billing.choices import AdjustmentStatus
from billing.services.roots import family_ids
from core.api.filters import id_filter
from payments.choices import PaymentStatus
from payments.models import Payment


class PaymentFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=PaymentStatus.choices)
    customer = id_filter("customer_id", method="by_customer")
    invoice = id_filter("invoice_id")
    location = id_filter("location_id")
    received_by = id_filter("received_by_id")
    reference = django_filters.CharFilter(method="by_reference", max_length=40, label="Exactly this reference.")

    def by_customer(self, rows: QuerySet[Payment], name: str, value: int) -> QuerySet[Payment]:
        # with those who were merged into the customer: their payments stay where they were made
        return rows.filter(customer_id__in=family_ids([value]))

    def by_reference(self, rows: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        return rows.filter(reference=value.strip().upper())


class ReversalFilter(django_filters.FilterSet):  # type: ignore[misc]
    status = django_filters.ChoiceFilter(choices=AdjustmentStatus.choices)
    payment = id_filter("payment_id")

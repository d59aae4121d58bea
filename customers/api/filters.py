"""Filters of customers and contacts: every one is served by an index."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from core.api.filters import id_filter
from customers.models import Contact, Customer
from customers.phones import phone_parse
from customers.searching import text_found
from customers.selectors import customers_visible_to


class CustomerFilter(django_filters.FilterSet):  # type: ignore[misc]
    search = django_filters.CharFilter(
        method="by_text", max_length=120,
        label="Words of the name by their beginning, phone in any spelling, number, user name, e-mail address.",
    )  # fmt: skip
    number = django_filters.CharFilter(method="by_number", max_length=20, label="Exactly this number.")
    phone = django_filters.CharFilter(method="by_phone", max_length=40, label="Exactly this phone, in any spelling.")
    email = django_filters.CharFilter(method="by_email", max_length=254, label="Exactly this e-mail address.")
    tag = django_filters.CharFilter(method="by_tag", max_length=30)
    location = id_filter("location_id")
    is_active = django_filters.BooleanFilter()
    owing = django_filters.BooleanFilter(method="by_owing", label="Whether they owe something.")
    in_credit = django_filters.BooleanFilter(method="by_credit", label="Whether we hold money of theirs.")

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_text(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        # a list leaves merged rows out, but they lead to the one that stayed
        found = text_found(value, customers_visible_to(self.request.user) if self.request else rows)
        return rows if found is None else rows.filter(found)

    def by_number(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return rows.filter(number=value.strip().upper())

    def by_phone(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return rows.filter(phone=phone_parse(value))

    def by_email(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return rows.filter(email=value.strip().lower())

    def by_tag(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return rows.filter(tags__contains=[value.strip().lower()])

    def by_owing(self, rows: QuerySet[Customer], name: str, value: bool) -> QuerySet[Customer]:
        return rows.filter(debt__gt=0) if value else rows.filter(debt=0)

    def by_credit(self, rows: QuerySet[Customer], name: str, value: bool) -> QuerySet[Customer]:
        return rows.filter(balance__gt=0) if value else rows.filter(balance=0)


class ContactFilter(django_filters.FilterSet):  # type: ignore[misc]
    customer = id_filter("customer_id")
    phone = django_filters.CharFilter(method="by_phone", max_length=40, label="Exactly this phone, in any spelling.")

    class Meta:
        model = Contact
        fields: list[str] = []

    def by_phone(self, rows: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        return rows.filter(phone=phone_parse(value))

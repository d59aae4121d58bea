"""Filters of accounts and locations: every one of accounts is served by an index."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from core.api.filters import id_filter
from locations.choices import EntryKind, Hold, Kind, RolloutStatus
from locations.models import TODO, AccessAccount, Location, ProfileRollout, RouterEntry


class LocationFilter(django_filters.FilterSet):  # type: ignore[misc]
    is_active = django_filters.BooleanFilter()

    class Meta:
        model = Location
        fields: list[str] = []


class AccountFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    name = django_filters.CharFilter(max_length=64, label="Exactly this name.")
    name_prefix = django_filters.CharFilter(
        field_name="name",
        lookup_expr="startswith",
        min_length=2,
        max_length=64,
        label="Names that begin with this.",
    )
    waiting = django_filters.BooleanFilter(method="by_waiting", label="Not confirmed by the router.")
    held = django_filters.BooleanFilter(method="by_held", label="A person must decide.")
    is_isolated = django_filters.BooleanFilter()

    class Meta:
        model = AccessAccount
        fields: list[str] = []

    def by_waiting(self, rows: QuerySet[AccessAccount], name: str, value: bool) -> QuerySet[AccessAccount]:
        return rows.filter(TODO) if value else rows.exclude(TODO)

    def by_held(self, rows: QuerySet[AccessAccount], name: str, value: bool) -> QuerySet[AccessAccount]:
        return rows.exclude(hold=Hold.NONE) if value else rows.filter(hold=Hold.NONE)


class EntryFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    kind = django_filters.ChoiceFilter(choices=EntryKind.choices)

    class Meta:
        model = RouterEntry
        fields: list[str] = []


class RolloutFilter(django_filters.FilterSet):  # type: ignore[misc]
    location = id_filter("location_id")
    status = django_filters.ChoiceFilter(choices=RolloutStatus.choices)

    class Meta:
        model = ProfileRollout
        fields: list[str] = []

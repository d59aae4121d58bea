"""Filters of the list of customers: each is served by an index."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.selectors import customers_visible_to

LOOKED_AT, SHOWN = 300, 8


class MoneyFilter(admin.SimpleListFilter):
    title = gettext_lazy("money")
    parameter_name = "money"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("owing", gettext_lazy("owing")), ("credit", gettext_lazy("in credit"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        match self.value():
            case "owing":
                return queryset.filter(debt__gt=0)
            case "credit":
                return queryset.filter(balance__gt=0)
        return queryset


class ActiveFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", gettext_lazy("active")), ("closed", gettext_lazy("not active"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        match self.value():
            case "active":
                return queryset.filter(is_active=True)
            case "closed":
                return queryset.filter(is_active=False)
        return queryset


class TagFilter(admin.SimpleListFilter):
    """Offers the tags in use lately: to collect all tags of a million customers would read them all."""

    title = gettext_lazy("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = customers_visible_to(request.user).order_by("-pk")[:LOOKED_AT]  # type: ignore[arg-type]
        counts = Counter(tag for tags in newest.values_list("tags", flat=True) for tag in tags)
        shown = [tag for tag, _count in counts.most_common(SHOWN)]
        asked = request.GET.get(self.parameter_name, "")[:30]
        return [(tag, tag) for tag in ([*shown, asked] if asked and asked not in shown else shown)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset

"""Lists that page by key: "older" and "newer" cost the same on page 1 and on page 10,000.

`?before=<pk>` shows the rows before that one in the list, `?after=<pk>` those above it. Used whenever the list is in its
default order and that order is `-pk`; any other order falls back to numbered pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest

from core.admin.vendor import ChangeListBase
from core.numbers import whole_number

if TYPE_CHECKING:
    from django.db.models import QuerySet

BEFORE, AFTER = "before", "after"


class ChangeList(ChangeListBase):
    older: str | None = None
    newer: str | None = None

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        for name in (BEFORE, AFTER):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        pk = self.opts.pk.attname if self.opts.pk else "pk"
        default = tuple(self.model_admin.get_ordering(request) or self.opts.ordering or ())
        is_keyset = default in {("-id",), ("-pk",), (f"-{pk}",)} and ORDER_VAR not in self.params
        if not is_keyset:
            super().get_results(request)
            self._number_links()
            return
        self._keyset_results(request)

    def _number_links(self) -> None:
        if not self.multi_page:
            return
        if self.page_num > 1:
            self.newer = self.get_query_string({"p": self.page_num - 1})
        if self.page_num < self.paginator.num_pages:
            self.older = self.get_query_string({"p": self.page_num + 1})

    def _keyset_results(self, request: HttpRequest) -> None:
        before, after = _key(request, BEFORE), _key(request, AFTER)
        size = self.list_per_page
        rows = self.queryset.order_by("-pk")
        if after is not None:
            found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
            has_newer, has_older = len(found) > size, True
            found = found[:size][::-1]
        else:
            found = list((rows if before is None else rows.filter(pk__lt=before))[: size + 1])
            has_newer, has_older = before is not None, len(found) > size
            found = found[:size]
        if found and has_older:
            self.older = self.get_query_string({BEFORE: found[-1].pk})
        if found and has_newer:
            self.newer = self.get_query_string({AFTER: found[0].pk})
        if not found and has_newer:
            self.newer = self.get_query_string()
        self.paginator = self.model_admin.get_paginator(request, self.queryset, size)
        self.result_count = self.paginator.count
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.result_list = found
        self.can_show_all = False
        self.multi_page = bool(self.older or self.newer)


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name)
    if text is None:
        return None
    number = whole_number(text)
    if number is None:
        raise IncorrectLookupParameters(f"{name} is a row number")
    return number

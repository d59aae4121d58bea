"""Counting without reading a million rows.

Unfiltered: PostgreSQL's own estimate (`pg_class.reltuples`) once it is large. Otherwise the first 10,001 rows are
counted at most, and the page says "10,000+".
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import connections, models
from django.utils.functional import cached_property

from core.formats import number

COUNT_LIMIT = 10_000


class EstimatedPaginator(Paginator[Any]):
    template_name = "core/admin/pagination.html"

    @cached_property
    def count(self) -> int:
        """Exact up to `COUNT_LIMIT`; above it an estimate or the limit plus one. Never used for money or decisions."""
        rows = self.object_list
        if not isinstance(rows, models.QuerySet):
            return len(rows)
        if not rows.query.where and not rows.query.is_sliced:
            estimate = table_estimate(rows.model, rows.db)
            if estimate > COUNT_LIMIT:
                return estimate
        return rows.order_by().values("pk")[: COUNT_LIMIT + 1].count()

    @cached_property
    def count_text(self) -> str:
        """`482`, or `10,000+` when counting stopped there, or `about 1,000,000`."""
        if self.count <= COUNT_LIMIT:
            return number(self.count)
        if self.count == COUNT_LIMIT + 1:
            return f"{number(COUNT_LIMIT)}+"
        return f"≈ {number(self.count)}"


def table_estimate(model: type[models.Model], using: str) -> int:
    """Rows in the table as PostgreSQL last counted them; -1 when it never did."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [f'"{model._meta.db_table}"'])
        row = cursor.fetchone()
    return int(row[0]) if row else -1

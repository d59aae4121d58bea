"""Filter fields shared by the rooms."""

from __future__ import annotations

from typing import Any

import django_filters
from django.forms import IntegerField

from core.api.serializers import MAX_ID


class WholeFilter(django_filters.Filter):  # type: ignore[misc]
    """A whole number; the stock NumberFilter goes through Decimal and takes `1.5` and `1e5`."""

    field_class = IntegerField


def id_filter(field_name: str, **kwargs: Any) -> WholeFilter:
    return WholeFilter(field_name=field_name, min_value=1, max_value=MAX_ID, **kwargs)

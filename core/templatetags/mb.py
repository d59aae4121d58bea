"""Template tags of the house: the formats of `core.formats` and facts in words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import formats
from core.words import Words

register = template.Library()

register.filter("money", formats.money)
register.filter("duration", formats.duration)
register.filter("data_size", formats.data_size)


@register.filter
def number(value: int | Decimal | None) -> str:
    return "–" if value is None else formats.number(value)


@register.filter
def moment(value: datetime | None, zone: str | None = None) -> str:
    return "–" if value is None else formats.moment(value, zone)


@register.filter
def ago(value: datetime | None) -> str | SafeString:
    """Relative, with the absolute moment in the title."""
    if value is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), formats.moment(value), formats.ago(value)
    )


@register.filter
def words(value: Words | None) -> Any:
    return "–" if value is None else value.html()


@register.filter
def filter_choices(spec: Any, changelist: Any) -> list[Any]:
    """The choices of a list filter, to be drawn as chips."""
    return list(spec.choices(changelist))

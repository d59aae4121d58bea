"""Links to rows of lower rooms, as text where their page is not for this person or not there."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def row_url(label: str, pk: int | None) -> str:
    """The admin page of a row (`customers_customer`), or nothing."""
    try:
        return reverse(f"admin:{label}_change", args=[pk]) if pk else ""
    except NoReverseMatch:
        return ""


def row_link(label: str, row: Any) -> SafeString | str:
    if row is None:
        return "–"
    url = row_url(label, row.pk)
    return format_html('<a href="{}">{}</a>', url, row) if url else str(row)

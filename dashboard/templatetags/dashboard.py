"""Tags of our own pages."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.formats import moment
from customers.phones import phone_text
from dashboard.links import Step
from dashboard.selectors.traffic import rate_text

register = template.Library()

register.filter("phone", phone_text)
register.filter("rate", rate_text)


@register.filter
def open_to(step: Step | None, user: AbstractBaseUser) -> bool:
    """The page behind the step is there, and this person may open it."""
    return step is not None and step.is_open_to(user)


@register.filter
def linked(text: object, url: str) -> str | SafeString:
    """The text, leading to `url` when there is one."""
    return format_html('<a href="{}">{}</a>', url, text) if url else str(text)


@register.filter
def at(value: datetime | None, zone: str = "") -> str | SafeString:
    """`22 Nov 2026 14.05` as a machine-readable moment."""
    if value is None:
        return "–"
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), moment(value, zone or None))

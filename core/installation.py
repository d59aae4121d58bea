"""Who we are on a router (`mb:<tag>:…`), and whether we may write at all."""

from __future__ import annotations

from core.models import Installation


def installation() -> Installation:
    """The installation row, created on first use."""
    return Installation.objects.get_or_create(pk=1)[0]


def is_quarantined() -> bool:
    """True after a restore until a person released it: no messages, no payments, no router writes."""
    return installation().is_quarantined

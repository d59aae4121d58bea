"""Periodic work of the kernel."""

from __future__ import annotations

from celery import shared_task

from core import cache, housekeeping
from core.periodic import recorded


@shared_task(ignore_result=True)
@recorded
def heartbeat() -> None:
    """Nothing but its own recorded run: proof that beat, broker, worker and database work together."""


@shared_task(ignore_result=True)
@recorded
def records_prune() -> str:
    return f"{cache.prune()} cache rows, {housekeeping.records_prune()} old records"

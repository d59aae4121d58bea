"""Background work of the customer room."""

from __future__ import annotations

from celery import shared_task

from core.periodic import recorded
from customers import services


@shared_task(name="customers.tasks.orphans_sweep", soft_time_limit=1500, time_limit=1800)
@recorded
def orphans_sweep() -> str | None:
    count = services.orphans_sweep()
    return f"{count} files without a row" if count else None

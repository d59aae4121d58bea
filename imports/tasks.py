"""Background work of the import room; each task calls one service."""

from __future__ import annotations

from celery import shared_task

from core.periodic import recorded
from imports import services


@shared_task(name="imports.tasks.import_work", queue="batches", soft_time_limit=1500, time_limit=1800)
def import_work(run_id: int) -> None:
    services.import_work(run_id)


@shared_task(name="imports.tasks.router_import_work", queue="batches", soft_time_limit=1500, time_limit=1800)
def router_import_work(run_id: int) -> None:
    services.router_import_work(run_id)


@shared_task(name="imports.tasks.imports_resume", soft_time_limit=25, time_limit=60)
@recorded
def imports_resume() -> str | None:
    count = services.imports_resume() + services.router_imports_resume()
    return f"{count} started" if count else None

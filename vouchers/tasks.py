"""Background work of the voucher room; each task calls one service."""

from __future__ import annotations

from celery import shared_task

from core.periodic import recorded
from vouchers import services


@shared_task(name="vouchers.tasks.batch_generate", queue="batches", soft_time_limit=1500, time_limit=1800)
def batch_generate(batch_id: int) -> None:
    services.batch_generate(batch_id)


@shared_task(name="vouchers.tasks.batches_resume", soft_time_limit=25, time_limit=60)
@recorded
def batches_resume() -> str | None:
    count = services.batches_resume()
    return f"{count} started" if count else None


@shared_task(name="vouchers.tasks.vouchers_expire", soft_time_limit=300, time_limit=360)
@recorded
def vouchers_expire() -> str | None:
    count = services.vouchers_expire()
    return f"{count} expired" if count else None


@shared_task(name="vouchers.tasks.vouchers_use_up", soft_time_limit=300, time_limit=360)
@recorded
def vouchers_use_up() -> str | None:
    count = services.vouchers_use_up()
    return f"{count} used up" if count else None

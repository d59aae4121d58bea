"""Background work of the billing room; each task calls one service."""

from __future__ import annotations

from celery import shared_task

from billing.services import subscriptions_mass as _mass  # noqa: F401  # its kinds of runs
from billing.services.engine import nights
from billing.services.invoices_earning import earnings_recognise
from billing.services.invoices_runs import bills_run as run_work
from billing.services.invoices_runs import bills_runs_resume as runs_resume
from billing.services.ledger_checks import ledger_checks_run as checks_run
from core import clock
from core.periodic import recorded


@shared_task(name="billing.tasks.bills_run", queue="batches", soft_time_limit=3500, time_limit=3600)
def bills_run(run_id: int) -> None:
    run_work(run_id)


@shared_task(name="billing.tasks.bills_runs_resume", soft_time_limit=25, time_limit=60)
@recorded
def bills_runs_resume() -> str | None:
    count = runs_resume()
    return f"{count} started" if count else None


@shared_task(name="billing.tasks.income_recognise", queue="batches", soft_time_limit=3000, time_limit=3300)
@recorded
def income_recognise() -> str | None:
    count = earnings_recognise(now=clock.now())
    return f"{count} months" if count else None


@shared_task(name="billing.tasks.nights_start", soft_time_limit=100, time_limit=120)
@recorded
def nights_start() -> str | None:
    count = nights.nights_start()
    return f"{count} ordered" if count else None


@shared_task(name="billing.tasks.nights_resume", soft_time_limit=25, time_limit=60)
@recorded
def nights_resume() -> str | None:
    count = nights.runs_resume()
    return f"{count} woken" if count else None


@shared_task(name="billing.tasks.run_do", queue="batches", soft_time_limit=3500, time_limit=3600)
def run_do(run_id: int) -> None:
    nights.run_do(run_id)


@shared_task(name="billing.tasks.ledger_checks_run", queue="batches", soft_time_limit=3300, time_limit=3600)
@recorded
def ledger_checks_run() -> str | None:
    return checks_run(now=clock.now())

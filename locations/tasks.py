"""Celery entry points of the router room: each calls one service."""

from __future__ import annotations

from celery import shared_task

from core.clock import now
from core.kick import kick
from core.periodic import recorded
from locations import services
from locations.sync import health, reboots
from locations.sync import sweep as sweeping
from locations.sync.writer import location_run


@shared_task(name="locations.tasks.location_sync")
def location_sync(location_id: int, is_forced: int = 0) -> None:
    result = location_run(location_id, is_forced=bool(is_forced))
    if result.more:
        kick("locations.tasks.location_sync", location_id, queue="routers")


@shared_task(name="locations.tasks.sweep")
@recorded
def sweep() -> str:
    return f"{sweeping.sweep()} locations woken"


@shared_task(name="locations.tasks.isolation_sets_refresh")
@recorded
def isolation_sets_refresh() -> str:
    return f"isolation entries of {services.isolation_sets_refresh()} locations looked at"


@shared_task(name="locations.tasks.observations_prune")
@recorded
def observations_prune() -> str:
    return f"{sweeping.observations_prune()} observations removed"


@shared_task(name="locations.tasks.health_prune")
@recorded
def health_prune() -> str:
    return f"{health.health_prune(now())} samples removed"


@shared_task(name="locations.tasks.history_prune")
@recorded
def history_prune() -> str:
    return f"{services.history_prune(now())} past sessions and days removed"


@shared_task(name="locations.tasks.reboots_expire")
@recorded
def reboots_expire() -> str:
    return f"{reboots.reboots_expire(now())} restarts given up"


@shared_task(name="locations.tasks.config_backups_nightly")
@recorded
def config_backups_nightly() -> str:
    return f"configuration backups of {services.config_backups_nightly(now())} routers wanted"


@shared_task(name="locations.tasks.configs_prune")
@recorded
def configs_prune() -> str:
    return f"{services.configs_prune()} old configurations removed"

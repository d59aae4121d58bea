from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import declarations, request_context
        from core.monitoring import base_checks, gauges, jobs
        from core.periodic import declare_job

        declarations.declare_all()
        request_context.celery_connect()
        base_checks.register_all()
        gauges.register_all()
        declare_job(jobs.HEARTBEAT, every_seconds=jobs.HEARTBEAT_SECONDS)
        declare_job("core.tasks.records_prune", every_seconds=3600)

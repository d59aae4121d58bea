from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LocationsConfig(AppConfig):
    name = "locations"
    verbose_name = _("Routers")

    def ready(self) -> None:
        from core.periodic import declare_job
        from locations import declarations, monitoring

        # on the routers worker itself: its age on the health page shows that this worker lives
        declare_job("locations.tasks.sweep", every_seconds=15, queue="routers")
        # the address of this server is a setting of the machine: its change is noticed here
        declare_job("locations.tasks.isolation_sets_refresh", every_seconds=3600, queue="celery")
        declare_job("locations.tasks.observations_prune", every_seconds=3600, queue="celery")
        declare_job("locations.tasks.health_prune", every_seconds=6 * 3600, queue="celery")
        declare_job("locations.tasks.history_prune", every_seconds=3600, queue="celery")
        declare_job("locations.tasks.reboots_expire", every_seconds=60, queue="celery")
        declare_job("locations.tasks.config_backups_nightly", every_seconds=600, queue="celery")
        declare_job("locations.tasks.configs_prune", every_seconds=6 * 3600, queue="celery")
        declarations.declare_all()
        monitoring.register_all()

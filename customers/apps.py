from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from core.periodic import declare_job

        declare_job("customers.tasks.orphans_sweep", every_seconds=6 * 3600)

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        from billing import declarations, hooks, monitoring
        from core.periodic import declare_job

        declarations.declare_all()
        hooks.subscribe_all()
        monitoring.register_all()
        declare_job("billing.tasks.bills_runs_resume", every_seconds=30)
        declare_job("billing.tasks.income_recognise", every_seconds=3600, queue="batches")
        # each location's night begins when its own clock says so; ten minutes is how late it may notice
        declare_job("billing.tasks.nights_start", every_seconds=600)
        declare_job("billing.tasks.nights_resume", every_seconds=60)
        # orders the night's ledger check when its time has come, and does whatever check waits
        declare_job("billing.tasks.ledger_checks_run", every_seconds=300, queue="batches")

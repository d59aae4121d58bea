from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VouchersConfig(AppConfig):
    name = "vouchers"
    verbose_name = _("Vouchers")

    def ready(self) -> None:
        from billing.ledger.checking import question_add
        from core.periodic import declare_job
        from vouchers import costs, hooks
        from vouchers.services.money import UNCHARGED, UNPOSTED

        hooks.subscribe_all()
        costs.register()
        question_add("unposted_sales", UNPOSTED)
        question_add("unposted_used_codes", UNCHARGED)
        # not on the queue of batches: a long batch must not keep an expired guest online
        declare_job("vouchers.tasks.vouchers_expire", every_seconds=5, queue="routers")
        declare_job("vouchers.tasks.vouchers_use_up", every_seconds=60, queue="routers")
        declare_job("vouchers.tasks.batches_resume", every_seconds=30)

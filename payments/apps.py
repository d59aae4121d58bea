from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from billing.ledger.checking import question_add
        from payments import hooks
        from payments.checking import ROWLESS_PAYMENTS, UNPOSTED_PAYMENTS, UNPOSTED_REFUNDS, UNPOSTED_REVERSALS

        question_add("rowless_payments", ROWLESS_PAYMENTS)
        question_add("unposted_payments", UNPOSTED_PAYMENTS)
        question_add("unposted_refunds", UNPOSTED_REFUNDS)
        question_add("unposted_reversals", UNPOSTED_REVERSALS)
        hooks.subscribe_all()

"""A bill of a service that is wrong: void, and its days billed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from billing.admin.invoice_forms import ReasonForm
from billing.choices import InvoiceStatus
from billing.models import Invoice
from billing.service_words import preview_points
from billing.services.rebilling import bill_again_preview, can_bill_again, invoice_bill_again
from core.admin import Confirmation
from core.client_ip import client_ip


class BillAgain:
    """A step of `InvoiceAdmin`; the first press says what would be billed."""

    def bill_again(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if not can_bill_again(row):
            return None

        def run(data: dict[str, Any]) -> str:
            made = invoice_bill_again(row, reason=data["reason"], actor=request.user, ip=client_ip(request))  # type: ignore[arg-type]
            if made is None:
                return _("%(number)s is void; its days cost nothing now.") % {"number": row.number}
            return _("%(number)s is void; its days are on %(new)s now.") % {"number": row.number, "new": made.number}

        def preview(data: dict[str, Any]) -> Sequence[str]:
            return preview_points(bill_again_preview(row, reason=data["reason"], actor=request.user))  # type: ignore[arg-type]

        title = _("Bill again") if row.status == InvoiceStatus.VOID else _("Void and bill again")
        question = _(
            "Bill the days of %(number)s again, by the price and terms of the service now? %(number)s is void then."
        )
        return Confirmation(
            title=title, button=title, run=run, icon="sync", form=ReasonForm, preview=preview,
            question=question % {"number": row.number}, permission="billing.void_invoice",
        )  # fmt: skip

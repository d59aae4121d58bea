"""What payments forget of a person who is erased: what people wrote. The money stays."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from billing.choices import AdjustmentStatus
from core.errors import TransitionError
from payments.models import Payment, Refund, Reversal


def payments_forget(customer_ids: Sequence[int]) -> None:
    """Clear notes of payments and reasons of refunds and of payments taken back.

    Raises TransitionError (`erase.money`) while somebody has to decide about taking a payment back.
    """
    reversals = Reversal.objects.filter(payment__customer_id__in=customer_ids)
    if reversals.filter(status=AdjustmentStatus.WAITING).exists():
        text = _("A payment of this person waits to be taken back. Decide about it first. Nothing was changed.")
        raise TransitionError(text, code="erase.money")
    Payment.objects.filter(customer_id__in=customer_ids).exclude(note="").update(note="")
    Refund.objects.filter(payment__customer_id__in=customer_ids).exclude(reason="").update(reason="")
    reversals.exclude(reason="").update(reason="")

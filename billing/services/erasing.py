"""Whether a person may be forgotten, as far as billing knows, and what of him billing itself forgets."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from billing.choices import AdjustmentStatus, InvoiceStatus, SubscriptionStatus
from billing.models import Adjustment, Charge, Invoice, Subscription
from core.errors import TransitionError
from customers.models import Customer


def customers_forget(customer_ids: Sequence[int]) -> None:
    """Take user names, passwords, device addresses and notes out of the services that ended. Bills and postings stay.

    Raises TransitionError (`erase.service`, `erase.money`) while a service is not ended, or money is open.
    """
    services = Subscription.objects.filter(customer_id__in=customer_ids)
    if services.exclude(status=SubscriptionStatus.ENDED).exists():
        text = _("This person still has a service. End it first. Nothing was changed.")
        raise TransitionError(text, code="erase.service")
    if _has_open_money(customer_ids):
        text = _(
            "Money of this person is still open: settle or write off what is owed, and give back what is in credit."
        )
        raise TransitionError(text, code="erase.money")
    services.update(
        username=Concat(Value("erased-"), Cast(F("pk"), CharField())), password=None, mac_address="", note=""
    )


def _has_open_money(customer_ids: Sequence[int]) -> bool:
    owing = Q(balance__gt=0) | Q(debt__gt=0)
    return (
        Customer.objects.filter(owing, pk__in=customer_ids).exists()
        or Charge.objects.filter(customer_id__in=customer_ids, invoice=None, cancelled_at=None).exists()
        or Invoice.objects.filter(customer_id__in=customer_ids, status=InvoiceStatus.DRAFT).exists()
        or Adjustment.objects.filter(customer_id__in=customer_ids, status=AdjustmentStatus.WAITING).exists()
    )  # fmt: skip

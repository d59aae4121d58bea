"""Whether a person may be forgotten, as far as billing knows, and what of him billing itself forgets.

What people wrote (notes, reasons, hand-written lines) is cleared, amounts and days stay: the database lets texts be
cleared and nothing else be changed (`billing.ledger.guards.forgetting_guards`).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from accounts.services import activity_forget
from billing.choices import AdjustmentStatus, EntryKind, InvoiceStatus, SubscriptionStatus
from billing.models import Addon, Adjustment, Charge, Invoice, JournalEntry, Posting, Promise, Subscription
from core.errors import TransitionError
from customers.models import Customer
from locations.services import choices_forget

NO_NAME = "–"
_LINES = """
UPDATE billing_invoiceline SET text = '',
  details = details - 'text' - 'name' #- '{details,text}' #- '{details,name}'
WHERE invoice_id IN (SELECT id FROM billing_invoice WHERE customer_id = ANY(%s))
  AND (text <> '' OR details ?| ARRAY['text', 'name'] OR details -> 'details' ?| ARRAY['text', 'name'])
"""
_EVENT_DETAILS = """details - 'name' #- '{changes,note}' #- '{before,username}' #- '{after,username}'
    #- '{before,mac_address}' #- '{after,mac_address}'"""
_EVENTS = f"""
UPDATE billing_subscriptionevent SET reason = '', details = {_EVENT_DETAILS}
WHERE subscription_id = ANY(%s) AND (reason <> '' OR details <> {_EVENT_DETAILS})
"""  # noqa: S608  # constants


def customers_forget(customer_ids: Sequence[int]) -> None:
    """Take user names, passwords, device addresses and all that people wrote out of services, bills and the ledger.

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
    ids = list(services.values_list("pk", flat=True))
    _services_forget(ids)
    _money_forget(customer_ids)
    activity_forget(
        {
            "customer": customer_ids, "subscription": ids,
            "invoice": list(Invoice.objects.filter(customer_id__in=customer_ids).values_list("pk", flat=True)),
            "charge": list(Charge.objects.filter(customer_id__in=customer_ids).values_list("pk", flat=True)),
        }
    )  # fmt: skip


def _services_forget(ids: Sequence[int]) -> None:
    Subscription.objects.filter(pk__in=ids).update(
        username=Concat(Value("erased-"), Cast(F("pk"), CharField())), password=None, mac_address="", note=""
    )
    Promise.objects.filter(subscription_id__in=ids).exclude(note="").update(note="")
    Addon.objects.filter(subscription_id__in=ids).update(name=NO_NAME)
    choices_forget(f"subscription:{pk}" for pk in ids)
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [list(ids)])


def _money_forget(customer_ids: Sequence[int]) -> None:
    Charge.objects.filter(customer_id__in=customer_ids).update(name=NO_NAME)
    Adjustment.objects.filter(customer_id__in=customer_ids).exclude(reason="").update(reason="")
    Invoice.objects.filter(customer_id__in=customer_ids).exclude(note="").update(note="")
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [list(customer_ids)])
    own = JournalEntry.objects.filter(
        pk__in=Posting.objects.filter(customer_id__in=customer_ids).values("entry_id")
    )  # fmt: skip
    # the entry beside a reversal that leaves a drawer as it was counted names no customer, and has the same reason
    beside = [
        f"reversal_difference:{pk}" for pk in own.filter(kind=EntryKind.REVERSAL).values_list("pk", flat=True)
    ]  # fmt: skip
    own.exclude(reason="").update(reason="")
    JournalEntry.objects.filter(source__in=beside).exclude(reason="").update(reason="")


def _has_open_money(customer_ids: Sequence[int]) -> bool:
    owing = Q(balance__gt=0) | Q(debt__gt=0)
    return (
        Customer.objects.filter(owing, pk__in=customer_ids).exists()
        or Charge.objects.filter(customer_id__in=customer_ids, invoice=None, cancelled_at=None).exists()
        or Invoice.objects.filter(customer_id__in=customer_ids, status=InvoiceStatus.DRAFT).exists()
        or Adjustment.objects.filter(customer_id__in=customer_ids, status=AdjustmentStatus.WAITING).exists()
    )  # fmt: skip

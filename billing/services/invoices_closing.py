"""Bills that end without being paid: void (it should never have been), written off (it will never be paid)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import INVOICE_MOVES, EntryKind, InvoiceStatus
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post, entry_reverse
from billing.models import Allocation, Charge, CouponUse, Invoice, JournalEntry, SubscriptionEvent
from billing.services.invoices_acting import invoice_lock, reason_checked, refuse_unless_issued, staff_acted
from billing.services.settling import Share, allocations_write
from billing.services.standing import services_reconsider
from core.db.transition import transition
from core.errors import TransitionError


@transaction.atomic
def invoice_void(invoice: Invoice, *, reason: str, now: datetime, actor: User | None, ip: str | None = None) -> Invoice:
    """Take back a bill nothing was paid of: reversing entries, its number stays used, its service is judged again.

    Its one-off charges wait for a next bill, and its coupons count for one more. Raises TransitionError when something
    settled it already: then a credit note is the way.
    """
    text = reason_checked(reason)
    fresh, _root = invoice_lock(invoice, actor)
    refuse_unless_issued(fresh)
    if fresh.settled_amount or fresh.status == InvoiceStatus.PAID:
        raise TransitionError(
            _("Something was paid or credited on this bill already. Write a credit note instead."),
            code="invoice.settled",
        )
    transition(Invoice.objects.filter(pk=fresh.pk), to=InvoiceStatus.VOID, allowed=INVOICE_MOVES, closed_at=now)
    for entry in _entries_of(fresh):
        entry_reverse(entry, occurred_at=now, actor=actor, reason=text)
    Charge.objects.filter(invoice=fresh).update(invoice=None)
    _coupons_give_back(fresh)
    if fresh.subscription_id:
        services_reconsider([fresh.subscription_id], now=now, actor=actor, reason=text)
    staff_acted(actor, "invoice.voided", ip, invoice=fresh.pk, number=fresh.number, reason=text)
    fresh.refresh_from_db()
    return fresh


def _coupons_give_back(invoice: Invoice) -> None:
    """Not one that a person took off the service since, nor one that came with the days of another bill."""
    lines = [line.details for line in invoice.lines.all()]
    codes = {details["coupon"] for details in lines if "coupon" in details and "carried" not in details}
    ended = SubscriptionEvent.objects.filter(subscription=invoice.subscription_id, kind="coupon_ended")
    codes -= set(ended.values_list("details__code", flat=True))
    uses = CouponUse.objects.filter(subscription=invoice.subscription_id, coupon__code__in=codes)
    uses.update(bills_left=F("bills_left") + 1)


def _entries_of(invoice: Invoice) -> list[JournalEntry]:
    """The bill's own entry, and the months of it that became income meanwhile."""
    lines = invoice.lines.filter(earned_months__gt=1).values_list("pk", "earned_months")
    sources = [f"earned:{pk}:{month}" for pk, months in lines for month in range(months)]
    return list(JournalEntry.objects.filter(source__in=[f"invoice:{invoice.pk}", *sources]).order_by("pk"))


@transaction.atomic
def write_off(invoice: Invoice, *, reason: str, now: datetime, actor: User | None, ip: str | None = None) -> Invoice:
    """Give up what is still open of a bill: a loss of ours, and the customer owes it no more.

    Raises TransitionError when nothing is open.
    """
    text = reason_checked(reason)
    fresh, root = invoice_lock(invoice, actor)
    refuse_unless_issued(fresh)
    left = fresh.total - fresh.settled_amount
    if fresh.status != InvoiceStatus.OPEN:
        raise TransitionError(_("Nothing of this bill is open; nothing was changed."), code="invoice.not_open")
    # a write-off that was taken back may be written off again: what happened before makes the source another one
    source = f"write_off:{fresh.pk}:{Allocation.objects.filter(invoice=fresh).count() + 1}"
    entry, _new = entry_post(
        kind=EntryKind.WRITE_OFF, source=source, occurred_at=now, actor=actor, location_id=fresh.location_id, reason=text,
        lines=[Line(chart.WRITE_OFF, left), Line(chart.RECEIVABLE, -left, root.pk)],
    )  # fmt: skip
    allocations_write([(entry, Share(fresh, left))], now=now)
    staff_acted(actor, "invoice.written_off", ip, invoice=fresh.pk, number=fresh.number, amount=str(left), reason=text)
    fresh.refresh_from_db()
    return fresh

"""One-off charges: written when they happen, billed with the next bill or at once."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import LineKind, TaxMode
from billing.ledger import chart
from billing.models import Charge, Invoice
from billing.services.invoices_acting import day_at, staff_acted
from billing.services.invoices_drafts import DraftLine, InvoiceDraft
from billing.services.invoices_issuing import invoice_issue
from billing.services.roots import customer_lock
from billing.services.settling import balance_apply
from core.errors import TransitionError


def charge_line(charge: Charge) -> DraftLine:
    """The line of a charge, on whichever bill it comes."""
    return DraftLine(
        LineKind.CHARGE, charge.amount, chart.INCOME_CHARGE, details={"name": charge.name},
        subscription_id=charge.subscription_id, plan_id=charge.subscription.plan_id if charge.subscription else None,
    )  # fmt: skip


@transaction.atomic
def charge_bill(
    charge: Charge, *, due_on: date | None = None, now: datetime, actor: User | None, ip: str | None = None
) -> Invoice:
    """Bill a waiting charge at once, on a bill of its own. Raises TransitionError when it was billed or cancelled."""
    root = customer_lock(charge.customer_id)
    fresh = Charge.objects.select_related("subscription__location").get(pk=charge.pk)
    if fresh.invoice_id or fresh.cancelled_at:
        raise TransitionError(_("This charge was billed or cancelled already."), code="charge.gone")
    service = fresh.subscription
    place = service.location if service else root.location
    today = day_at(place, now)
    again = Invoice.objects.filter(source__startswith=f"charge:{fresh.pk}:").count()
    draft = InvoiceDraft(
        root.pk, [charge_line(fresh)], f"charge:{fresh.pk}:{again + 1}", today, due_on or today,
        tax_mode=service.tax_mode if service else TaxMode.NONE, subscription_id=service.pk if service else None,
        location_id=place.pk if place else None, charge_ids=[fresh.pk],
    )  # fmt: skip
    invoice, _new = invoice_issue(draft, now=now, actor=actor)
    balance_apply([root.pk], now=now)
    staff_acted(actor, "charge.billed", ip, charge=fresh.pk, invoice=invoice.pk, number=invoice.number)
    invoice.refresh_from_db()
    return invoice


@transaction.atomic
def charge_cancel(charge: Charge, *, now: datetime, actor: User | None, ip: str | None = None) -> None:
    """Drop a waiting charge. Raises TransitionError when it was billed or cancelled."""
    waiting = Charge.objects.filter(pk=charge.pk, invoice=None, cancelled_at=None)
    if not waiting.update(cancelled_at=now):
        raise TransitionError(_("This charge was billed or cancelled already."), code="charge.gone")
    staff_acted(actor, "charge.cancelled", ip, charge=charge.pk, name=charge.name, amount=str(charge.amount))

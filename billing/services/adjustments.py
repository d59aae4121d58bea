"""Corrections by hand of what a customer has or owes. Above a limit a second person decides, never the same one.

In his favour it becomes balance; against him it becomes a bill, because everything payable is a bill, which his
balance pays as far as it reaches.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.timezone import get_default_timezone_name

from accounts.models import User
from billing.choices import AdjustmentStatus, EntryKind, LineKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Adjustment
from billing.services.amounts import amount_signed
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue
from billing.services.roots import customer_lock
from billing.services.second_person import ask_once, decided, needs_second_person, waiting_lock
from billing.services.settling import balance_apply, invoice_pay_from_balance
from billing.services.staff import staff_acted
from core import clock
from customers.models import Customer


def adjustment_ask(
    *,
    customer: Customer,
    amount: Decimal | int | str,
    reason: str,
    request_key: str,
    now: datetime,
    actor: User | None,
    ip: str | None = None,
) -> Adjustment:
    """Correct by `amount` (positive: in the customer's favour); posted at once up to the limit, else it waits.

    The same `request_key` is one adjustment. Raises DomainError for no reason and for an amount that is none.
    """
    value = amount_signed(amount)
    return ask_once(
        Adjustment, reason=reason, request_key=request_key,
        ask=lambda text, key: _ask(customer, value, text, key, now, actor, ip),
    )  # fmt: skip


def _ask(
    customer: Customer, amount: Decimal, reason: str, request_key: str, now: datetime, actor: User | None,
    ip: str | None,
) -> Adjustment:  # fmt: skip
    customer_lock(customer.pk)
    if known := Adjustment.objects.filter(request_key=request_key).first():
        return known
    adjustment = Adjustment.objects.create(
        customer=customer, amount=amount, reason=reason, requested_by=actor, requested_at=now, request_key=request_key
    )
    staff_acted(actor, "adjustment.asked", ip, adjustment=adjustment.pk, customer=customer.pk, amount=amount)
    if not needs_second_person(amount):
        _post(adjustment, now=now, actor=actor, decided_by=None)
    adjustment.refresh_from_db()
    return adjustment


@transaction.atomic
def adjustment_decide(
    adjustment: Adjustment, *, is_approved: bool, now: datetime, actor: User, ip: str | None = None
) -> Adjustment:
    """Approve or reject what waits. Raises DomainError (`adjustment.same_person`) for the one who asked for it."""
    customer_lock(adjustment.customer_id)
    fresh = waiting_lock(adjustment, is_approved=is_approved, actor=actor)
    if is_approved:
        _post(fresh, now=now, actor=actor, decided_by=actor)
    else:
        decided(fresh, AdjustmentStatus.REJECTED, now=now, decided_by=actor)
    verb = "approved" if is_approved else "rejected"
    staff_acted(actor, f"adjustment.{verb}", ip, adjustment=fresh.pk, customer=fresh.customer_id, amount=fresh.amount)
    fresh.refresh_from_db()
    return fresh


def _post(adjustment: Adjustment, *, now: datetime, actor: User | None, decided_by: User | None) -> None:
    decided(adjustment, AdjustmentStatus.POSTED, now=now, decided_by=decided_by)
    if adjustment.amount > 0:
        _credit(adjustment, now, actor)
    else:
        _bill(adjustment, now, actor)


def _credit(adjustment: Adjustment, now: datetime, actor: User | None) -> None:
    root = customer_lock(adjustment.customer_id)
    entry_post(
        kind=EntryKind.ADJUSTMENT, source=f"adjustment:{adjustment.pk}", occurred_at=now, actor=actor,
        location_id=root.location_id, reason=adjustment.reason,
        lines=[
            Line(chart.INCOME_DISCOUNT, adjustment.amount), Line(chart.WALLET, -adjustment.amount, root.pk),
        ],
    )  # fmt: skip
    balance_apply([root.pk], now=now)


def _bill(adjustment: Adjustment, now: datetime, actor: User | None) -> None:
    root = customer_lock(adjustment.customer_id)
    zone = root.location.timezone if root.location else get_default_timezone_name()
    today = clock.local_date(zone, now)
    line = DraftLine(LineKind.MANUAL, -adjustment.amount, chart.INCOME_OTHER, text=adjustment.reason[:200])
    draft = InvoiceDraft(
        root.pk, [line], f"adjustment:{adjustment.pk}", today, today, location_id=root.location_id,
        note=adjustment.reason,
    )  # fmt: skip
    invoice, _is_new = invoice_issue(draft, now=now, actor=actor)
    invoice_pay_from_balance(invoice, now=now, actor=actor)

"""A bill that a person pays from the money its customer has with us."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.models import Invoice
from billing.services.invoices_acting import invoice_lock, refuse_unless_issued, staff_acted
from billing.services.settling import invoice_pay_from_balance
from core.errors import TransitionError


@transaction.atomic
def invoice_use_balance(invoice: Invoice, *, now: datetime, actor: User | None, ip: str | None = None) -> Decimal:
    """Settle the bill from the balance, as far as that reaches; returns the amount.

    Also a bill of a service that is not paid from the balance by itself: here somebody says so. Raises TransitionError
    when nothing is open or there is no balance.
    """
    fresh, root = invoice_lock(invoice, actor)
    refuse_unless_issued(fresh)
    if not root.balance or fresh.settled_amount == fresh.total:
        raise TransitionError(_("There is nothing to pay, or no balance to pay it from."), code="invoice.no_balance")
    amount = invoice_pay_from_balance(fresh, now=now, actor=actor)
    staff_acted(actor, "invoice.paid_from_balance", ip, invoice=fresh.pk, number=fresh.number, amount=str(amount))
    return amount

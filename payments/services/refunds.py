"""Money given back. A refund is reserved by its row, under the payment's lock: the sum can never pass the payment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from billing.ledger import chart
from billing.services.amounts import amount_positive
from billing.services.cash import key_checked
from billing.services.drawers import drawer_lock, in_drawer_check, shift_check
from billing.services.roots import customer_lock
from billing.services.staff import staff_acted
from billing.services.unsettling import money_give_back
from core.db.locks import lock_row
from core.errors import DomainError, TransitionError
from core.formats import money
from payments.choices import PaymentStatus
from payments.models import Payment, Refund


@transaction.atomic
def payment_refund(
    payment: Payment,
    *,
    amount: Decimal | int | str,
    reason: str,
    request_key: str,
    now: datetime,
    actor: User,
    ip: str | None = None,
) -> Refund:
    """Give cash of a confirmed payment back out of the actor's drawer.

    It comes from the customer's balance first, then what the payment settled is owed again. The same `request_key` is
    one refund. Raises DomainError for more than is left of the payment, of the customer's money, or in the drawer.
    """
    value = amount_positive(amount)
    if not reason.strip():
        message = _("Write why.")
        raise DomainError("refund.reason", message, fields={"reason": message})
    key = key_checked(request_key)
    inside = drawer_lock(actor.pk)
    customer_lock(payment.customer_id)
    fresh = lock_row(Payment.objects.select_related("method"), payment.pk)
    if known := Refund.objects.filter(request_key=key).first():
        return _same(known, fresh, value)
    if fresh.status == PaymentStatus.REVERSED:
        raise TransitionError(_("This payment was taken back: nothing of it is left."), code="payment.taken_back")
    if fresh.status != PaymentStatus.CONFIRMED:
        raise TransitionError(_("No money of this payment has arrived."), code="refund.not_paid")
    shift_check(actor)
    _left_check(fresh, value)
    in_drawer_check(value, inside)
    number = _reserved_id()
    entry, _is_new = money_give_back(
        customer_id=fresh.customer_id, amount=value, from_account=chart.cash(actor.pk), source=f"refund:{number}",
        now=now, actor=actor, of_entry=fresh.entry, method=fresh.method.name, location_id=fresh.location_id,
        reason=reason,
    )  # fmt: skip
    refund = Refund.objects.create(
        pk=number, payment=fresh, amount=value, reason=reason.strip(), entry=entry, actor=actor, at=now, request_key=key
    )
    staff_acted(
        actor, "payment.refunded", ip, payment=fresh.pk, refund=refund.pk, reference=fresh.reference, amount=value
    )
    return refund


def _reserved_id() -> int:
    """The row only grows, so it is written with its entry; the entry names the row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('payments_refund', 'id'))")
        return int(cursor.fetchone()[0])


def refundable_amount(payment: Payment) -> Decimal:
    """What is left of a payment to give back."""
    if payment.status != PaymentStatus.CONFIRMED:
        return Decimal(0)
    given = Refund.objects.filter(payment=payment).aggregate(total=Sum("amount"))["total"] or 0
    left: Decimal = payment.amount - Decimal(given)
    return left


def _left_check(payment: Payment, amount: Decimal) -> None:
    left = refundable_amount(payment)
    if amount > left:
        message = _("Only %(amount)s of this payment is left to give back.") % {"amount": money(left)}
        raise DomainError("refund.too_much", message, fields={"amount": message})


def _same(known: Refund, payment: Payment, amount: Decimal) -> Refund:
    if known.payment_id != payment.pk or known.amount != amount:
        raise DomainError(
            "refund.request_key_reused", _("This request was already used for another refund."), status=409
        )
    return known

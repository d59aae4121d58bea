"""Money arrives. A payment is confirmed once, in one short transaction: entry, allocations, services, all or nothing.

Order of locks: the drawer (for cash), the customer that stayed, his invoices, the payment.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind
from billing.models import Invoice
from billing.services.amounts import amount_positive
from billing.services.cash import key_checked
from billing.services.drawers import drawer_enter
from billing.services.roots import customer_lock, root_id_of
from billing.services.settling import money_receive
from billing.services.staff import staff_acted
from core.db.locks import lock_row
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from core.events import emit
from customers.models import Customer
from payments.choices import ARRIVED, PAYMENT_MOVES, MethodKind, PaymentStatus
from payments.events import PaymentsConfirmed
from payments.fees import limits_check
from payments.models import Payment, PaymentMethod
from payments.services.methods import cash_method


def payment_receive_cash(
    *,
    customer: Customer,
    amount: Decimal | int | str,
    request_key: str,
    now: datetime,
    actor: User,
    ip: str | None = None,
    method: PaymentMethod | None = None,
    invoice: Invoice | None = None,
    is_for_balance: bool = False,
    note: str = "",
) -> Payment:
    """Take cash into the actor's drawer: for `invoice` first, then the oldest debts, the rest is the customer's balance.

    With `is_for_balance` nothing is settled now. A form that is sent twice (same `request_key`) is one payment. Raises
    DomainError for amounts that are none, a key used for something else, an invoice of somebody else; TransitionError
    when a shift is needed and none is open.
    """
    value = amount_positive(amount)
    way = method or cash_method()
    if way.kind != MethodKind.CASH or not way.is_active:
        message = _("Choose a method that staff take themselves.")
        raise DomainError("payment.method", message, fields={"method": message})
    limits_check(way, value)
    try:
        with transaction.atomic():
            return _receive(
                customer, value, key_checked(request_key), now, actor, ip, way, invoice, is_for_balance, note
            )
    except IntegrityError:
        # the same key for two customers at once: the lock of one does not keep the other out
        known = Payment.objects.filter(request_key=request_key).first()
        if known is None:
            raise
        return _same(known, root_id_of(customer.pk), value)


def _receive(
    customer: Customer, amount: Decimal, request_key: str, now: datetime, actor: User, ip: str | None,
    method: PaymentMethod, invoice: Invoice | None, is_for_balance: bool, note: str,
) -> Payment:  # fmt: skip
    drawer = drawer_enter(actor)
    root = customer_lock(customer.pk)
    if known := Payment.objects.filter(request_key=request_key).first():
        return _same(known, root.pk, amount)
    payment = Payment.objects.create(
        customer=root, invoice=invoice, subscription_id=invoice.subscription_id if invoice else None,
        location_id=(invoice.location_id if invoice else None) or root.location_id, method=method, amount=amount,
        received_by=actor, note=note, request_key=request_key,
    )  # fmt: skip
    _confirm(payment, drawer, now, actor, is_for_balance)
    staff_acted(
        actor, "payment.received", ip, payment=payment.pk, reference=payment.reference, customer=root.pk, amount=amount
    )
    return payment


def _same(known: Payment, root_id: int, amount: Decimal) -> Payment:
    if root_id_of(known.customer_id) != root_id or known.amount != amount:
        raise DomainError(
            "payment.request_key_reused", _("This request was already used for another payment."), status=409
        )
    return known


@transaction.atomic
def payment_confirm(
    payment: Payment, *, into_account: str, now: datetime, actor: User | None = None, is_for_balance: bool = False
) -> bool:
    """The money of a payment is there: post it once; False when it was confirmed before. Also legal after a cancel.

    One that was taken back since stays taken back: the same news told again is no new money. The entry's source is the
    payment, so that callers who meet here at the same moment give one credit.
    """
    customer_lock(payment.customer_id)
    fresh = lock_row(Payment.objects.all(), payment.pk)
    if fresh.status in ARRIVED:
        return False
    _confirm(fresh, into_account, now, actor, is_for_balance)
    return True


def _confirm(payment: Payment, account: str, now: datetime, actor: User | None, is_for_balance: bool) -> None:
    entry, _is_new = money_receive(
        customer_id=payment.customer_id, amount=payment.amount, into_account=account, kind=EntryKind.PAYMENT,
        source=f"payment:{payment.pk}", now=now, actor=actor, method=payment.method.name,
        location_id=payment.location_id, invoice_id=payment.invoice_id, is_for_balance=is_for_balance,
        reason=payment.note,
    )  # fmt: skip
    transition(
        Payment.objects.filter(pk=payment.pk), to=PaymentStatus.CONFIRMED, allowed=PAYMENT_MOVES, entry=entry,
        confirmed_at=now, updated_at=now,
    )  # fmt: skip
    payment.refresh_from_db()
    emit(PaymentsConfirmed([payment.pk]))


@transaction.atomic
def payment_cancel(payment: Payment, *, now: datetime, actor: User | None, ip: str | None = None) -> Payment:
    """Stop waiting for a payment. Money that arrived is refunded, never cancelled (TransitionError)."""
    fresh = lock_row(Payment.objects.all(), payment.pk)
    if fresh.status in ARRIVED:
        raise TransitionError(_("This payment arrived: give the money back instead."), code="payment.confirmed")
    rows = Payment.objects.filter(pk=fresh.pk)
    transition(rows, to=PaymentStatus.CANCELLED, allowed=PAYMENT_MOVES, updated_at=now)
    staff_acted(actor, "payment.cancelled", ip, payment=fresh.pk, reference=fresh.reference)
    fresh.refresh_from_db()
    return fresh

"""A payment that was booked by mistake is taken back: what was left of it, once, and above a limit by two people.

Where its money is afterwards: out of the account it came into. Cash leaves the drawer it was booked into. Where that
drawer was counted since, the count has already said whether the money was there, and where the drawer holds less, it was
there and was handed over: then a second entry moves the amount to the cash differences, and the drawer stays as it is.

Order of locks: the drawer, the customer that stayed, his invoices, the payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import AdjustmentStatus, EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import CashShift, JournalEntry, Posting
from billing.services.drawers import account_amount, drawer_lock
from billing.services.roots import customer_lock
from billing.services.second_person import ask_once, decided, needs_second_person, waiting_lock
from billing.services.staff import staff_acted
from billing.services.unsettling import Back, settlement_back, settlement_reverse
from core.db.locks import lock_row
from core.db.transition import transition
from core.errors import DomainError, TransitionError
from payments.choices import PAYMENT_MOVES, PaymentStatus
from payments.models import Payment, Reversal
from payments.services.refunds import refundable_amount

OPEN = (AdjustmentStatus.WAITING, AdjustmentStatus.POSTED)


class MoneyAt(StrEnum):
    """Where the money of a reversed payment is, or is said to be."""

    ACCOUNT = "account"  # it leaves the account it came into (a drawer, a bank)
    COUNTED = "counted"  # its drawer was counted since
    HANDED_OVER = "handed_over"  # its drawer holds less than that by now


@dataclass(frozen=True)
class Preview:
    """What taking back would do now: so much of the payment, to balance and bills, and where its money is."""

    amount: Decimal
    refunded: Decimal
    back: Back
    account: str
    money_at: MoneyAt
    needs_second_person: bool


def reversal_preview(payment: Payment, *, of: Reversal | None = None) -> Preview:
    """For the screens that ask before (`of`: the one that waits). Raises TransitionError as `reversal_ask` does."""
    _refuse_unless_confirmed(payment, of)
    entry = _entry_of(payment)
    amount, account = refundable_amount(payment), _account_of(entry)
    back = settlement_back(entry, payment.customer_id, amount)
    where = _money_at(payment, account, amount, account_amount(account))
    return Preview(amount, payment.amount - amount, back, account, where, needs_second_person(amount))


def reversal_ask(
    payment: Payment, *, reason: str, request_key: str, now: datetime, actor: User, ip: str | None = None
) -> Reversal:
    """Take back what is left of a payment; posted at once up to the limit, else it waits for a second person.

    The same `request_key` is one reversal. Raises DomainError without a reason; TransitionError when the payment is not
    (or no longer) confirmed, is asked to be taken back already, or its money was given back since.
    """
    return ask_once(
        Reversal, reason=reason, request_key=request_key, ask=lambda text, key: _ask(payment, text, key, now, actor, ip)
    )


def _ask(payment: Payment, reason: str, request_key: str, now: datetime, actor: User, ip: str | None) -> Reversal:
    fresh = _locked(payment)
    if known := Reversal.objects.filter(request_key=request_key).first():
        return _same(known, fresh)
    _refuse_unless_confirmed(fresh)
    amount = refundable_amount(fresh)
    reversal = Reversal.objects.create(
        payment=fresh, amount=amount, reason=reason, requested_by=actor, requested_at=now, request_key=request_key
    )
    _acted(reversal, "asked", actor, ip)
    if not needs_second_person(amount):
        _post(reversal, fresh, now=now, actor=actor, decided_by=None)
    reversal.refresh_from_db()
    return reversal


@transaction.atomic
def reversal_decide(
    reversal: Reversal, *, is_approved: bool, now: datetime, actor: User, ip: str | None = None
) -> Reversal:
    """Approve or reject what waits. Raises DomainError (`reversal.same_person`) for the one who asked for it, and
    TransitionError (`reversal.changed`) when part of the payment was given back since it was asked."""
    payment = _locked(reversal.payment)
    fresh = waiting_lock(reversal, is_approved=is_approved, actor=actor)
    if is_approved:
        _post(fresh, payment, now=now, actor=actor, decided_by=actor)
    else:
        decided(fresh, AdjustmentStatus.REJECTED, now=now, decided_by=actor)
    _acted(fresh, "approved" if is_approved else "rejected", actor, ip)
    fresh.refresh_from_db()
    return fresh


def _locked(payment: Payment) -> Payment:
    """The payment, with its drawer and its customer locked before it."""
    account = _account_of(payment.entry) if payment.entry else ""
    if owner := chart.cash_owner(account):
        drawer_lock(owner)
    customer_lock(payment.customer_id)
    return lock_row(Payment.objects.all(), payment.pk)


def _refuse_unless_confirmed(payment: Payment, of: Reversal | None = None) -> None:
    if payment.status == PaymentStatus.REVERSED:
        raise TransitionError(_("This payment was taken back already."), code="payment.taken_back")
    if payment.status != PaymentStatus.CONFIRMED:
        raise TransitionError(_("No money of this payment has arrived."), code="reversal.not_paid")
    if refundable_amount(payment) <= 0:
        raise TransitionError(_("All money of this payment was given back already."), code="reversal.nothing_left")
    others = Reversal.objects.filter(payment=payment, status__in=OPEN).exclude(pk=of.pk if of else 0)
    if others.exists():
        message = _("Somebody asked for this already; a second person has to decide about it.")
        raise TransitionError(message, code="reversal.asked")


def _post(reversal: Reversal, payment: Payment, *, now: datetime, actor: User, decided_by: User | None) -> None:
    amount, entry = refundable_amount(payment), _entry_of(payment)
    if amount != reversal.amount:
        message = _("Money of this payment was given back since this was asked. Reject it and ask again.")
        raise TransitionError(message, code="reversal.changed")
    account = _account_of(entry)
    where = _money_at(payment, account, amount, account_amount(account))
    back, _is_new = settlement_reverse(entry, now=now, actor=actor, reason=reversal.reason, amount=amount)
    if where != MoneyAt.ACCOUNT:
        _leave_the_drawer(back, account, amount, now, actor, reversal.reason)
    rows = Payment.objects.filter(pk=payment.pk)
    transition(rows, to=PaymentStatus.REVERSED, allowed=PAYMENT_MOVES, updated_at=now)
    decided(reversal, AdjustmentStatus.POSTED, now=now, decided_by=decided_by, entry=back)


def _leave_the_drawer(
    reversal: JournalEntry, account: str, amount: Decimal, now: datetime, actor: User, reason: str
) -> None:
    """The drawer holds what it held: what was taken out of it by the reversal is a difference."""
    entry_post(
        kind=EntryKind.CASH_DIFFERENCE, source=f"reversal_difference:{reversal.pk}", occurred_at=now, actor=actor,
        location_id=reversal.location_id, reason=reason,
        lines=[Line(account, amount), Line(chart.CASH_DIFFERENCE, -amount)],
    )  # fmt: skip


def _entry_of(payment: Payment) -> JournalEntry:
    if payment.entry is None:
        raise ValueError(f"payment {payment.pk} is not confirmed")
    return payment.entry


def _account_of(entry: JournalEntry) -> str:
    """The account the payment's money came into."""
    rows = Posting.objects.filter(entry=entry).exclude(account__in=chart.OF_CUSTOMERS).order_by("pk")
    return rows.values_list("account", flat=True)[0]


def _money_at(payment: Payment, account: str, amount: Decimal, inside: Decimal) -> MoneyAt:
    """Drawers are paper: what was counted since, or is not in there any more, cannot leave them."""
    owner = chart.cash_owner(account)
    if owner is None:
        return MoneyAt.ACCOUNT
    since = payment.confirmed_at
    if CashShift.objects.filter(Q(counted_at__gt=since) | Q(opened_at__gt=since), user_id=owner).exists():
        return MoneyAt.COUNTED
    return MoneyAt.ACCOUNT if inside >= amount else MoneyAt.HANDED_OVER


def _acted(reversal: Reversal, verb: str, actor: User, ip: str | None) -> None:
    payment = reversal.payment
    staff_acted(
        actor, f"reversal.{verb}", ip, reversal=reversal.pk, payment=payment.pk, reference=payment.reference,
        customer=payment.customer_id, amount=reversal.amount,
    )  # fmt: skip


def _same(known: Reversal, payment: Payment) -> Reversal:
    if known.payment_id != payment.pk:
        message = _("This request was already used for another payment.")
        raise DomainError("reversal.request_key_reused", message, status=409)
    return known

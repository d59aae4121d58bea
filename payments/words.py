"""Payments in the words of the screens and of receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.ledger import chart
from billing.models import Allocation, Posting
from billing.services.settling import Split
from core.formats import moment, money
from core.settings_registry import setting
from core.words import Tone, Words
from customers.models import Customer
from payments.choices import PaymentStatus
from payments.models import Payment, PaymentMethod
from payments.services.methods import CASH_NAME


def method_name(method: PaymentMethod) -> str:
    """The seeded method speaks the reader's language; names people gave stay as they are."""
    return _("Cash") if method.name == CASH_NAME else method.name


def payment_words(payment: Payment) -> Words:
    if payment.status == PaymentStatus.CONFIRMED:
        return Words(Tone.GOOD, "check_circle", _("Paid"))
    if payment.status == PaymentStatus.CANCELLED:
        return Words(Tone.QUIET, "cancel", _("Cancelled"))
    return Words(Tone.WAITING, "schedule", _("Waiting for payment"))


def standing_words(balance: Decimal, debt: Decimal) -> str:
    """What a customer has or owes, never as a bare minus sign."""
    if debt and balance:
        return _("Owes %(debt)s, has %(balance)s in credit") % {"debt": money(debt), "balance": money(balance)}
    if debt:
        return _("Owes %(amount)s") % {"amount": money(debt)}
    if balance:
        return _("%(amount)s in credit") % {"amount": money(balance)}
    return _("Owes nothing")


def split_sentences(split: Split) -> list[str]:
    """What an amount will do, one sentence per invoice and one for the rest."""
    sentences = []
    for share in split.shares:
        left = share.invoice.total - share.invoice.settled_amount - share.amount
        names = {"invoice": str(share.invoice), "amount": money(share.amount), "left": money(left)}
        if left:
            sentences.append(_("%(amount)s for invoice %(invoice)s; %(left)s of it stays open") % names)
        else:
            sentences.append(_("%(amount)s for invoice %(invoice)s, which is paid then") % names)
    if split.rest:
        sentences.append(_("%(amount)s is kept as balance") % {"amount": money(split.rest)})
    return sentences


@dataclass(frozen=True)
class Receipt:
    """A paid payment as the customer gets it. `settled` names each invoice and what the payment gave to it."""

    company: str
    number: str
    when: str
    customer: str
    method: str
    amount: str
    taken_by: str
    settled: Sequence[tuple[str, str]]
    rest: str
    standing: str

    @property
    def lines(self) -> list[str]:
        """Plain text, for a small printer or a message."""
        rows = [
            self.company,
            _("Receipt %(number)s") % {"number": self.number},
            self.when,
            _("From: %(name)s") % {"name": self.customer},
            _("Paid: %(amount)s (%(method)s)") % {"amount": self.amount, "method": self.method},
        ]
        rows += [_("For invoice %(number)s: %(amount)s") % {"number": n, "amount": a} for n, a in self.settled]
        if self.rest:
            rows.append(_("Kept as balance: %(amount)s") % {"amount": self.rest})
        if self.taken_by:
            rows.append(_("Taken by: %(name)s") % {"name": self.taken_by})
        return [*rows, _("Now: %(standing)s") % {"standing": self.standing}]


def receipt_of(payment: Payment) -> Receipt | None:
    """The receipt of a confirmed payment; None while no money has arrived."""
    if payment.entry_id is None or payment.confirmed_at is None:
        return None
    zone = payment.location.timezone if payment.location else None
    customer = payment.customer.merged_into or payment.customer
    taken = (
        Allocation.objects.filter(entry_id=payment.entry_id).select_related("invoice").order_by("invoice__due_on", "pk")
    )
    return Receipt(
        company=str(setting("company.name")),
        number=payment.reference,
        when=moment(payment.confirmed_at, zone),
        customer=customer.name,
        method=method_name(payment.method),
        amount=money(payment.amount),
        taken_by=(payment.received_by.get_full_name() or payment.received_by.username) if payment.received_by else "",
        settled=[(str(row.invoice), money(row.amount)) for row in taken],
        rest=_rest(payment),
        standing=_standing(customer),
    )


def _rest(payment: Payment) -> str:
    kept = Posting.objects.filter(entry_id=payment.entry_id, account=chart.WALLET).values_list("amount", flat=True)
    total = -sum(kept, Decimal(0))
    return money(total) if total else ""


def _standing(customer: Customer) -> str:
    return standing_words(customer.balance, customer.debt)

"""Payments in the words of the screens and of receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.choices import CASH_NAME, AdjustmentStatus
from billing.ledger import chart
from billing.models import Allocation, Posting
from billing.reports.names import account_names
from billing.services.second_person import LIMIT
from billing.services.settling import Split
from core.formats import moment, money
from core.settings_registry import setting
from core.words import Tone, Words
from customers.models import Customer
from payments.choices import PaymentStatus
from payments.models import Payment, PaymentMethod, Reversal
from payments.services.reversals import MoneyAt, Preview


def method_name(method: PaymentMethod) -> str:
    """The seeded method speaks the reader's language; names people gave stay as they are."""
    return _("Cash") if method.name == CASH_NAME else method.name


def payment_words(payment: Payment) -> Words:
    if payment.status == PaymentStatus.CONFIRMED:
        return Words(Tone.GOOD, "check_circle", _("Paid"))
    if payment.status == PaymentStatus.REVERSED:
        return Words(Tone.BAD, "undo", _("Taken back"))
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


def reversal_sentences(preview: Preview, customer: Customer) -> list[str]:
    """What taking a payment back will do: to bills, to the balance, to services, and where the money is."""
    sentences = []
    if preview.refunded:
        values = {"refunded": money(preview.refunded), "amount": money(preview.amount)}
        sentences.append(_("%(refunded)s of it was given back before; %(amount)s is taken back") % values)
    for share in preview.back.shares:
        left = share.invoice.total - share.invoice.settled_amount + share.amount
        names = {"invoice": str(share.invoice), "amount": money(share.amount), "left": money(left)}
        sentences.append(_("%(amount)s of invoice %(invoice)s is owed again; %(left)s of it is open then") % names)
    if preview.back.shares:
        sentences.append(_("services follow the due dates of these bills at once: what is overdue is held back"))
    balance, debt = customer.balance - preview.back.of_balance, customer.debt + preview.back.owed_again
    sentences.append(_("The customer then: %(standing)s") % {"standing": standing_words(balance, debt)})
    sentences.append(_money_sentence(preview))
    if preview.back.missing:
        values = {"amount": money(preview.back.missing)}
        sentences.append(_("%(amount)s of it is not there any more: this cannot be done") % values)
    if preview.needs_second_person:
        values = {"limit": money(int(setting(LIMIT)))}
        sentences.append(_("above %(limit)s a second person has to approve it; nothing happens before") % values)
    return sentences


def _money_sentence(preview: Preview) -> str:
    account = account_names([preview.account])[preview.account]
    values = {"amount": money(preview.amount), "account": account}
    if preview.money_at == MoneyAt.COUNTED:
        return _("%(account)s was counted since and stays as it was counted; %(amount)s is set off against the cash "
                 "differences: if it was missing then, that shortage is gone") % values  # fmt: skip
    if preview.money_at == MoneyAt.HANDED_OVER:
        return _("%(account)s holds less than that, the money left it since: it stays as it is, and %(amount)s becomes a "
                 "cash difference, money that is nobody's yet") % values  # fmt: skip
    return _("%(amount)s leaves %(account)s, where it was booked") % values


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
    taken_back: str = ""

    @property
    def lines(self) -> list[str]:
        """Plain text, for a small printer or a message."""
        rows = [
            self.company,
            *([_("NOT VALID: taken back %(when)s") % {"when": self.taken_back}] if self.taken_back else []),
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
        taken_back=_taken_back(payment, zone),
    )


def _taken_back(payment: Payment, zone: str | None) -> str:
    row = Reversal.objects.filter(payment=payment, status=AdjustmentStatus.POSTED).first()
    return moment(row.decided_at, zone) if row and row.decided_at else ""


def _rest(payment: Payment) -> str:
    kept = Posting.objects.filter(entry_id=payment.entry_id, account=chart.WALLET).values_list("amount", flat=True)
    total = -sum(kept, Decimal(0))
    return money(total) if total else ""


def _standing(customer: Customer) -> str:
    return standing_words(customer.balance, customer.debt)

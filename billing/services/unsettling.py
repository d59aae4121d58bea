"""Money that goes back: a payment that was booked by mistake, or an amount given back to a customer.

Both follow one rule: of the customer's balance first, then bills are owed again, those of the payment before others that
money settled. Both post on the customer that stayed and take allocations back by negative ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Allocation, Invoice, JournalEntry, Posting
from billing.services.amounts import amount_positive
from billing.services.roots import customer_lock, family_ids, root_id_of
from billing.services.settling import Share, allocations_write
from core.db.locks import lock_rows
from core.errors import DomainError, TransitionError
from customers.models import Customer

# allocations of these were made by money; those of credit notes and write-offs were not, and are never given back as money
BY_MONEY = (EntryKind.PAYMENT, EntryKind.SETTLEMENT, EntryKind.REFUND)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Back:
    """What taking an amount back would do: so much less balance, these bills owed again; `missing` is not there any more."""

    of_balance: Decimal
    shares: Sequence[Share]
    missing: Decimal

    @property
    def owed_again(self) -> Decimal:
        return sum((share.amount for share in self.shares), ZERO)


@transaction.atomic
def settlement_reverse(
    entry: JournalEntry, *, now: datetime, actor: User | None, reason: str, amount: Decimal | None = None
) -> tuple[JournalEntry, bool]:
    """Take an entry that brought money in back, whole, or `amount` of it where the rest was given back already.

    The money leaves the accounts it came into. Once only; asked again it returns the reversal with False. Raises
    TransitionError (`settlement.spent`) when the customer has not so much money any more (a refund).
    """
    postings = list(Posting.objects.filter(entry=entry).order_by("pk"))
    came_in = [row for row in postings if row.account not in chart.OF_CUSTOMERS]
    whole = sum((row.amount for row in came_in), ZERO)
    value = whole if amount is None else amount
    if not 0 < value <= whole:
        raise ValueError(f"{entry.source} brought {whole} in, {value} of it cannot be taken back")
    root = customer_lock(next(row.customer_id for row in postings if row.customer_id))
    if known := JournalEntry.objects.filter(reverses=entry).first():
        return known, False
    back = _back_of(root.pk, root.balance, value, entry, is_locked=True)
    if back.missing:
        raise TransitionError(
            _("Some of this money was given back since. Nothing was changed."), code="settlement.spent"
        )
    legs = [Line(row.account, -row.amount, plan_id=row.plan_id) for row in came_in]
    legs[0] = Line(legs[0].account, legs[0].amount + whole - value, plan_id=legs[0].plan_id)
    reversal, is_new = entry_post(
        kind=EntryKind.REVERSAL, source=f"reversal:{entry.pk}", occurred_at=now, actor=actor,
        location_id=entry.location_id, agent_id=entry.agent_id, method=entry.method, reason=reason, reverses_id=entry.pk,
        lines=[*legs, Line(chart.WALLET, back.of_balance, root.pk), Line(chart.RECEIVABLE, back.owed_again, root.pk)],
    )  # fmt: skip
    if is_new:
        allocations_write([(reversal, Share(share.invoice, -share.amount)) for share in back.shares], now=now)
    return reversal, is_new


def settlement_back(entry: JournalEntry, customer_id: int, amount: Decimal) -> Back:
    """What `settlement_reverse` would do now, for the screen that asks before."""
    root_id = root_id_of(customer_id)
    balance = Customer.objects.values_list("balance", flat=True).get(pk=root_id)
    return _back_of(root_id, balance, amount, entry, is_locked=False)


@transaction.atomic
def money_give_back(
    *,
    customer_id: int,
    amount: Decimal | int | str,
    from_account: str,
    source: str,
    now: datetime,
    actor: User | None = None,
    of_entry: JournalEntry | None = None,
    method: str = "",
    location_id: int | None = None,
    reason: str = "",
) -> tuple[JournalEntry, bool]:
    """Give money to a customer out of `from_account`: first of his balance, then by owing invoices again.

    Invoices the payment `of_entry` settled come first, then the newest others that money settled. What a credit note
    or a write-off settled stays settled. Raises DomainError (`refund.nothing_left`) when the customer has not so much.
    """
    value = amount_positive(amount)
    root = customer_lock(customer_id)
    if known := JournalEntry.objects.filter(source=source).first():
        return known, False
    back = _back_of(root.pk, root.balance, value, of_entry, is_locked=True)
    if back.missing:
        message = _("There is not so much money of this customer to give back. Nothing was changed.")
        raise DomainError("refund.nothing_left", message, fields={"amount": message})
    entry, is_new = entry_post(
        kind=EntryKind.REFUND, source=source, occurred_at=now, actor=actor, location_id=location_id, method=method,
        reason=reason,
        lines=[
            Line(chart.WALLET, back.of_balance, root.pk), Line(chart.RECEIVABLE, back.owed_again, root.pk),
            Line(from_account, -value),
        ],
    )  # fmt: skip
    if is_new:
        allocations_write([(entry, Share(share.invoice, -share.amount)) for share in back.shares], now=now)
    return entry, is_new


def _back_of(
    root_id: int, balance: Decimal, amount: Decimal, of_entry: JournalEntry | None, *, is_locked: bool
) -> Back:
    of_balance = min(amount, balance)
    shares = _owed_again(root_id, amount - of_balance, of_entry, is_locked=is_locked) if amount > of_balance else []
    return Back(of_balance, shares, amount - of_balance - sum((share.amount for share in shares), ZERO))


def _owed_again(root_id: int, amount: Decimal, of_entry: JournalEntry | None, *, is_locked: bool) -> list[Share]:
    """Which invoices are owed again, and how much of each; less than `amount` where money settled no more."""
    by_money = dict(
        Allocation.objects.filter(invoice__customer_id__in=family_ids([root_id]))
        .filter(Q(entry__kind__in=BY_MONEY) | Q(entry__reverses__kind__in=BY_MONEY))
        .values_list("invoice_id")
        .annotate(money=Sum("amount"))
        .filter(money__gt=0)
        .order_by()
    )
    first = set(Allocation.objects.filter(entry=of_entry).values_list("invoice_id", flat=True)) if of_entry else set()
    shares, rest = [], amount
    rows = Invoice.objects.filter(pk__in=list(by_money))
    invoices = {row.pk: row for row in (lock_rows(rows) if is_locked else rows)}
    for pk in sorted(by_money, key=lambda pk: (pk in first, pk), reverse=True):
        part = min(rest, by_money[pk])
        if part > 0:
            shares.append(Share(invoices[pk], part))
            rest -= part
    return shares

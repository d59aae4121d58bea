"""Money that goes back: an entry taken back whole, or an amount given back to a customer.

Both post on the customer that stayed and take allocations back by negative ones, so that the invoice is owed again.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from billing.services.roots import customer_lock, customers_lock, family_ids
from billing.services.settling import Share, allocations_write
from core.db.locks import lock_rows
from core.errors import DomainError, TransitionError
from customers.models import Customer

# allocations of these were made by money; those of credit notes and write-offs were not, and are never given back as money
BY_MONEY = (EntryKind.PAYMENT, EntryKind.SETTLEMENT, EntryKind.REFUND)


@transaction.atomic
def settlement_reverse(
    entry: JournalEntry, *, now: datetime, actor: User | None, reason: str
) -> tuple[JournalEntry, bool]:
    """Take an entry back whole: its mirror image on the customers that stayed, and its allocations.

    Once only; asked again it returns the reversal with False. Raises TransitionError (`settlement.spent`) when what it
    put into the balance was spent since, or what it settled was taken back otherwise (a refund).
    """
    postings = list(Posting.objects.filter(entry=entry).order_by("pk"))
    roots = customers_lock(posting.customer_id for posting in postings if posting.customer_id)
    if known := JournalEntry.objects.filter(reverses=entry).first():
        return known, False
    taken = list(Allocation.objects.filter(entry=entry).order_by("invoice_id"))
    invoices = _locked_invoices([row.invoice_id for row in taken])
    _refuse_if_spent(postings, roots)
    if any(invoices[row.invoice_id].settled_amount < row.amount for row in taken):
        raise _spent()
    lines = [
        Line(
            row.account, -row.amount, roots[row.customer_id].pk if row.customer_id else None, row.plan_id
        )
        for row in postings
    ]  # fmt: skip
    reversal, is_new = entry_post(
        kind=EntryKind.REVERSAL, source=f"reversal:{entry.pk}", lines=lines, occurred_at=now, actor=actor,
        location_id=entry.location_id, agent_id=entry.agent_id, method=entry.method, reason=reason, reverses_id=entry.pk,
    )  # fmt: skip
    if is_new:
        allocations_write([(reversal, Share(invoices[row.invoice_id], -row.amount)) for row in taken], now=now)
    return reversal, is_new


def _refuse_if_spent(postings: Sequence[Posting], roots: dict[int, Customer]) -> None:
    """The database refuses a negative balance anyway; this says it in words."""
    needed: dict[int, Decimal] = {}
    for row in postings:
        if row.account == chart.WALLET and row.customer_id:
            root = roots[row.customer_id].pk
            needed[root] = needed.get(root, Decimal(0)) - row.amount
    if any(amount > root.balance for root in roots.values() if (amount := needed.get(root.pk, Decimal(0)))):
        raise _spent()


def _spent() -> TransitionError:
    return TransitionError(
        _("Some of this money was used or given back since. Nothing was changed."), code="settlement.spent"
    )


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
    of_balance = min(value, root.balance)
    shares = _owed_again(root, value - of_balance, of_entry) if value > of_balance else []
    again = sum((share.amount for share in shares), Decimal(0))
    entry, is_new = entry_post(
        kind=EntryKind.REFUND, source=source, occurred_at=now, actor=actor, location_id=location_id, method=method,
        reason=reason,
        lines=[
            Line(chart.WALLET, of_balance, root.pk), Line(chart.RECEIVABLE, again, root.pk),
            Line(from_account, -value),
        ],
    )  # fmt: skip
    if is_new:
        allocations_write([(entry, Share(share.invoice, -share.amount)) for share in shares], now=now)
    return entry, is_new


def _owed_again(root: Customer, amount: Decimal, of_entry: JournalEntry | None) -> list[Share]:
    """Which invoices are owed again, and how much of each."""
    family = family_ids([root.pk])
    by_money = dict(
        Allocation.objects.filter(invoice__customer_id__in=family)
        .filter(Q(entry__kind__in=BY_MONEY) | Q(entry__reverses__kind__in=BY_MONEY))
        .values_list("invoice_id")
        .annotate(money=Sum("amount"))
        .filter(money__gt=0)
        .order_by()
    )
    first = set(Allocation.objects.filter(entry=of_entry).values_list("invoice_id", flat=True)) if of_entry else set()
    shares, rest = [], amount
    invoices = _locked_invoices(list(by_money))
    for pk in sorted(by_money, key=lambda pk: (pk in first, pk), reverse=True):
        part = min(rest, by_money[pk])
        if part > 0:
            shares.append(Share(invoices[pk], part))
            rest -= part
    if rest > 0:
        message = _("There is not so much money of this customer to give back. Nothing was changed.")
        raise DomainError("refund.nothing_left", message, fields={"amount": message})
    return shares


def _locked_invoices(ids: Sequence[int]) -> dict[int, Invoice]:
    return {row.pk: row for row in lock_rows(Invoice.objects.filter(pk__in=ids))}

"""What billing does when two customers become one, when that is taken back, and when a person is to be forgotten.

Services and waiting charges move, and the open balance by one entry. Bills and postings stay where they are: they are
the loser's history, and their debt is the winner's from now on (`billing.services.roots`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import EntryKind, InvoiceKind, InvoiceStatus
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Allocation, Charge, Invoice, InvoiceLine, Posting, Subscription, SubscriptionEvent
from billing.services.merging_bills import bills_take_back, bills_write_again
from core.db.locks import lock_rows
from core.errors import TransitionError
from core.formats import money
from customers.models import Customer, CustomerMerge
from customers.services import merge_note

SUBSCRIPTIONS, CHARGES, ENTRIES = "billing.subscription", "billing.charge", "billing.journalentry"
WALLET, SPENT = "wallet", "wallet_spent"  # amounts as text, for the undo


def merge_take_over(merge_id: int) -> None:
    """Move services, waiting charges and the open balance from loser to winner. The merging service holds both locks."""
    merge = CustomerMerge.objects.select_related("actor").get(pk=merge_id)
    winner, loser = merge.winner_id, merge.loser_id
    services = [row.pk for row in lock_rows(Subscription.objects.filter(customer_id=loser))]
    _services_move(services, winner, merge, at=merge.at, actor=merge.actor, kind="customer_merged")
    waiting = Charge.objects.filter(customer_id=loser, invoice=None)
    charges = list(waiting.order_by("pk").values_list("pk", flat=True))
    Charge.objects.filter(pk__in=charges).update(customer_id=winner)
    gone = Customer.objects.get(pk=loser)
    entry = _money_move(
        loser, winner, debt=gone.debt, wallet=gone.balance, source=f"merge:{merge.pk}", at=merge.at, actor=merge.actor
    )
    merge_note(
        merge.pk,
        **{
            SUBSCRIPTIONS: services, CHARGES: charges, ENTRIES: entry, WALLET: str(gone.balance),
            SPENT: str(_spent(winner)),
        },
    )  # fmt: skip


def merge_give_back(merge_id: int) -> None:
    """Return what moved. What came meanwhile: money for the loser's old bills stays on them, and the loser owes only the rest;
    bills for days of his services become void and are written to him (`billing.services.merging_bills`).

    Raises TransitionError (`merge.*`, with the reason) for what belongs to both and cannot be told apart.
    """
    merge = CustomerMerge.objects.select_related("undone_by").get(pk=merge_id)
    winner, loser = merge.winner_id, merge.loser_id
    services, charges = merge.moved.get(SUBSCRIPTIONS, []), merge.moved.get(CHARGES, [])
    wallet = Decimal(merge.moved.get(WALLET, "0"))
    lock_rows(Subscription.objects.filter(pk__in=services))
    at: datetime = merge.undone_at or merge.at
    bills = bills_take_back(winner, services, now=at, actor=merge.undone_by)
    _refuse_new_bills(winner, services, charges)
    _refuse_shared_balance(winner, loser, wallet, Decimal(merge.moved.get(SPENT, "0")))
    _services_move(services, loser, merge, at=at, actor=merge.undone_by, kind="customer_merge_undone")
    Charge.objects.filter(pk__in=charges).update(customer_id=loser)
    _money_move(
        winner,
        loser,
        debt=_owed_on(loser),
        wallet=wallet,
        source=f"merge-undo:{merge.pk}",
        at=at,
        actor=merge.undone_by,
    )
    bills_write_again(bills, now=at, actor=merge.undone_by)


def _services_move(
    ids: Sequence[int], to: int, merge: CustomerMerge, *, at: datetime, actor: User | None, kind: str
) -> None:
    Subscription.objects.filter(pk__in=ids).update(customer_id=to, updated_at=at)
    details = {"merge": merge.pk, "customer": to}
    SubscriptionEvent.objects.bulk_create(
        SubscriptionEvent(subscription_id=pk, kind=kind, at=at, actor=actor, details=details) for pk in ids
    )


def _money_move(
    from_id: int, to_id: int, *, debt: Decimal, wallet: Decimal, source: str, at: datetime, actor: User | None
) -> list[int]:
    """One entry that moves what is owed and what is in credit; its id, or nothing when there is nothing to move."""
    if not debt and not wallet:
        return []
    entry, _is_new = entry_post(
        kind=EntryKind.MERGE, source=source, occurred_at=at, actor=actor,
        lines=[
            Line(chart.RECEIVABLE, debt, to_id), Line(chart.RECEIVABLE, -debt, from_id),
            Line(chart.WALLET, wallet, from_id), Line(chart.WALLET, -wallet, to_id),
        ],
    )  # fmt: skip
    return [entry.pk]


def _owed_on(customer_id: int) -> Decimal:
    """What is open on the bills that carry this customer's name."""
    rows = Invoice.objects.filter(customer_id=customer_id, status=InvoiceStatus.OPEN, kind=InvoiceKind.INVOICE)
    return rows.aggregate(owed=Sum(F("total") - F("settled_amount")))["owed"] or Decimal(0)


def _spent(customer_id: int) -> Decimal:
    """What ever left this customer's balance, merges aside, less what came back from bills that were taken back."""
    rows = Posting.objects.filter(customer_id=customer_id, account=chart.WALLET)
    rows = rows.filter(Q(amount__gt=0) | Q(entry__kind=EntryKind.SETTLEMENT))
    return rows.exclude(entry__kind=EntryKind.MERGE).aggregate(spent=Sum("amount"))["spent"] or Decimal(0)


def _refuse_new_bills(winner: int, services: Sequence[int], charges: Sequence[int]) -> None:
    """A bill cannot change its customer, and these were written to the winner for what was the loser's."""
    of_services = InvoiceLine.objects.filter(invoice__customer_id=winner, subscription_id__in=services)
    of_charges = Charge.objects.filter(pk__in=charges, invoice__customer_id=winner)
    bills = Invoice.objects.filter(customer_id=winner).exclude(status=InvoiceStatus.VOID)
    found = bills.filter(
        Q(subscription_id__in=services)
        | Q(pk__in=of_services.values("invoice_id"))
        | Q(pk__in=of_charges.values("invoice_id"))
    )
    if numbers := [str(row) for row in found.order_by("pk")[:5]]:
        text = _(
            "What came with the merge was billed since and paid or credited, or billed by hand (%(numbers)s), and a bill "
            "keeps its customer. Take the payment back and void these bills first, or leave the customers merged. "
            "Nothing was changed."
        )
        raise TransitionError(text % {"numbers": ", ".join(numbers)}, code="merge.billed")


def _refuse_shared_balance(winner: int, loser: int, wallet: Decimal, spent: Decimal) -> None:
    used = _spent(winner) - spent
    if wallet and used:
        text = _(
            "%(credit)s in credit came with the merge, and %(used)s of the common balance were used since: nobody can "
            "tell whose it was. Nothing was changed."
        )
        raise TransitionError(text % {"credit": money(wallet), "used": money(used)}, code="merge.balance_used")
    both = Posting.objects.filter(account=chart.WALLET, customer_id=winner)
    if Allocation.objects.filter(invoice__customer_id=loser, entry_id__in=both.values("entry_id")).exists():
        text = _(
            "Bills of one and the balance of the other were settled together since: nobody can tell whose money it "
            "was. Nothing was changed."
        )
        raise TransitionError(text, code="merge.settled_together")

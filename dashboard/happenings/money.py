"""Happenings of money: bills, payments, refunds, and entries that no bill or payment tells about."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from billing.choices import EntryKind, InvoiceKind, InvoiceStatus
from billing.models import Invoice, JournalEntry, Posting
from billing.selectors import note_of, with_why
from core.formats import money
from core.words import Tone
from dashboard import links
from dashboard.happenings.kinds import Happening, Source, name_of
from dashboard.selectors.scope import Family
from payments.choices import PaymentStatus
from payments.models import Payment, Refund
from payments.words import method_name

# invoices, credit notes and payments have lines of their own
OTHER_ENTRIES = (
    EntryKind.SETTLEMENT, EntryKind.ADJUSTMENT, EntryKind.WRITE_OFF, EntryKind.MERGE, EntryKind.REVERSAL,
)  # fmt: skip


def _issued(family: Family) -> QuerySet[Invoice]:
    rows = with_why(family.invoices().filter(opened_at__isnull=False))
    return rows.select_related("created_by", "credits")


def _issued_line(row: Invoice, family: Family) -> Happening:
    values = {"number": str(row), "amount": money(row.total), "of": str(row.credits)}
    at: Any = row.opened_at
    if row.kind == InvoiceKind.CREDIT_NOTE:
        text, icon = _("Credit note %(number)s of %(amount)s for %(of)s") % values, "undo"
    else:
        text, icon = _("Invoice %(number)s of %(amount)s") % values, "receipt_long"
    url = links.invoice_page(row.pk)
    return Happening(at, text, icon=icon, who=name_of(row.created_by), more=note_of(row), url=url)


def _closed(family: Family) -> QuerySet[Invoice]:
    return family.invoices().filter(closed_at__isnull=False, kind=InvoiceKind.INVOICE)


def _closed_line(row: Invoice, family: Family) -> Happening:
    at: Any = row.closed_at
    url = links.invoice_page(row.pk)
    if row.status == InvoiceStatus.VOID:
        return Happening(at, _("Invoice %(number)s made void") % {"number": str(row)}, icon="cancel", url=url)
    text = _("Invoice %(number)s is settled") % {"number": str(row)}
    return Happening(at, text, icon="check_circle", tone=Tone.GOOD, url=url)


def _paid(family: Family) -> QuerySet[Payment]:
    rows = family.payments().filter(confirmed_at__isnull=False)
    return rows.select_related("method", "received_by")


def _paid_line(row: Payment, family: Family) -> Happening:
    values = {"amount": money(row.amount), "method": method_name(row.method)}
    at: Any = row.confirmed_at
    return Happening(
        at, _("%(amount)s paid (%(method)s)") % values, icon="sell", tone=Tone.GOOD, who=name_of(row.received_by),
        more=row.note, url=links.payment_page(row.pk),
    )  # fmt: skip


def _tried(family: Family) -> QuerySet[Payment]:
    rows = family.payments().filter(confirmed_at=None)
    return rows.select_related("method", "received_by")


def _tried_line(row: Payment, family: Family) -> Happening:
    values = {"amount": money(row.amount), "method": method_name(row.method)}
    if row.status == PaymentStatus.CANCELLED:
        text = _("Payment of %(amount)s (%(method)s) begun and cancelled") % values
    else:
        text = _("Payment of %(amount)s (%(method)s) begun, waiting") % values
    url = links.payment_page(row.pk)
    return Happening(row.created_at, text, icon="schedule", who=name_of(row.received_by), more=row.note, url=url)


def _refunds(family: Family) -> QuerySet[Refund]:
    rows = Refund.objects.filter(payment__in=family.payments().values("pk"))
    return rows.select_related("payment", "actor")


def _refund_line(row: Refund, family: Family) -> Happening:
    values = {"amount": money(row.amount), "reference": row.payment.reference}
    text = _("%(amount)s of payment %(reference)s given back") % values
    url = links.payment_page(row.payment_id)
    return Happening(row.at, text, icon="undo", tone=Tone.WAITING, who=name_of(row.actor), more=row.reason, url=url)


def _entries(family: Family) -> QuerySet[JournalEntry]:
    own = Q(postings__customer_id__in=family.ids, postings__amount__gt=0)
    back = Q(postings__customer_id__in=family.ids, postings__amount__lt=0)
    mine = Posting.objects.filter(customer_id__in=family.ids).values("entry_id")
    rows = JournalEntry.objects.filter(pk__in=mine, kind__in=OTHER_ENTRIES).select_related("actor")
    return rows.annotate(taken=Sum("postings__amount", filter=own), given=Sum("postings__amount", filter=back))


def _entry_line(row: Any, family: Family) -> Happening:
    amount = money(max(row.taken or 0, -(row.given or 0)))
    match row.kind:
        case EntryKind.SETTLEMENT:
            text = _("%(amount)s paid from balance") % {"amount": amount}
        case EntryKind.WRITE_OFF:
            text = _("%(amount)s written off") % {"amount": amount}
        case EntryKind.MERGE:
            text = _("%(amount)s moved by a merge") % {"amount": amount}
        case EntryKind.REVERSAL:
            text = _("%(amount)s taken back") % {"amount": amount}
        case _:
            text = _("Adjustment of %(amount)s") % {"amount": amount}
    return Happening(row.occurred_at, text, icon="swap_horiz", who=name_of(row.actor), more=row.reason)


MONEY: tuple[Source, ...] = (
    Source("billing.view_invoice", "opened_at", _issued, _issued_line),
    Source("billing.view_invoice", "closed_at", _closed, _closed_line),
    Source("payments.view_payment", "confirmed_at", _paid, _paid_line),
    Source("payments.view_payment", "created_at", _tried, _tried_line),
    Source("payments.view_payment", "at", _refunds, _refund_line),
    Source("payments.view_payment", "occurred_at", _entries, _entry_line),
)

"""Money, days and states of services in words (UI.md, "The words for truth"). Pure functions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from billing.choices import InvoiceKind, InvoiceStatus, SubscriptionStatus
from billing.models import Invoice, Subscription
from core.formats import money
from core.words import Tone, Words
from payments.words import standing_words


def day(value: date, today: date) -> str:
    """`14 Nov`, with the year when it is another one."""
    return date_format(value, "j M" if value.year == today.year else "j M Y")


def balance_words(balance: Decimal, debt: Decimal) -> Words:
    """`Owes Rp 150.000`, `Rp 20.000 in credit`: never a bare minus sign."""
    text = standing_words(balance, debt)
    if debt:
        return Words(Tone.WAITING if balance else Tone.BAD, "receipt_long", text)
    return Words(Tone.GOOD, "check_circle", text)


def service_words(service: Subscription) -> Words:
    """The status of a service. Whether the router agrees is another fact (`locations.words`)."""
    label = str(SubscriptionStatus(service.status).label)
    text = label[:1].upper() + label[1:]
    match service.status:
        case SubscriptionStatus.ACTIVE:
            return Words(Tone.GOOD, "check_circle", text)
        case SubscriptionStatus.GRACE:
            return Words(Tone.WAITING, "schedule", text)
        case SubscriptionStatus.ISOLATED:
            return Words(Tone.BAD, "block", text)
        case SubscriptionStatus.PAUSED:
            return Words(Tone.WAITING, "timer_off", text)
    return Words(Tone.QUIET, "help" if service.status == SubscriptionStatus.DRAFT else "cancel", text)


def invoice_words(invoice: Invoice, today: date) -> Words:
    """Where a bill stands: open, overdue since, paid; and for part-paid ones how much is left."""
    if invoice.status == InvoiceStatus.DRAFT:
        return Words(Tone.QUIET, "edit", _("Draft"))
    if invoice.status == InvoiceStatus.VOID:
        return Words(Tone.QUIET, "cancel", _("Void"))
    if invoice.kind == InvoiceKind.CREDIT_NOTE:
        return Words(Tone.QUIET, "undo", _("Credit note"))
    if invoice.status == InvoiceStatus.PAID:
        return Words(Tone.GOOD, "check_circle", _("Paid"))
    return _open_words(invoice, today)


def _open_words(invoice: Invoice, today: date) -> Words:
    due_on = invoice.due_on or today
    is_overdue = due_on < today
    values = {"day": day(due_on, today), "left": money(invoice.total - invoice.settled_amount)}
    if invoice.settled_amount and is_overdue:
        text = _("%(left)s left, due since %(day)s")
    elif invoice.settled_amount:
        text = _("%(left)s left, due %(day)s")
    elif is_overdue:
        text = _("Overdue since %(day)s")
    else:
        text = _("Open, due %(day)s")
    return Words(Tone.BAD if is_overdue else Tone.WAITING, "error" if is_overdue else "schedule", text % values)

"""Who may act on a bill, the locks of acting on it, and the line in the activity log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import InvoiceKind, InvoiceStatus
from billing.models import Invoice
from billing.selectors import invoices_visible_to
from billing.services.roots import customer_lock
from core.db.locks import lock_row
from core.errors import DomainError, TransitionError
from core.events import emit
from core.formats import local
from core.staff_events import StaffActed
from customers.models import Customer
from locations.models import Location


def invoice_lock(invoice: Invoice, actor: User | None) -> tuple[Invoice, Customer]:
    """The bill, locked and fresh, and the locked customer that answers for it; nobody (None) is the system.

    Raises DomainError (`invoice.not_found`, 404): a bill of another place is none of his business.
    """
    if actor is not None and not invoices_visible_to(actor).filter(pk=invoice.pk).exists():
        raise DomainError("invoice.not_found", _("There is no such bill at your locations."), status=404)
    root = customer_lock(invoice.customer_id)
    return lock_row(Invoice.objects.all(), invoice.pk), root


def refuse_unless_issued(invoice: Invoice) -> None:
    """Corrections are for bills that ask or asked for money."""
    if invoice.kind != InvoiceKind.INVOICE:
        raise TransitionError(_("This is a credit note; it cannot be corrected."), code="invoice.credit_note")
    if invoice.status not in {InvoiceStatus.OPEN, InvoiceStatus.PAID}:
        raise TransitionError(_("This bill is not open; nothing was changed."), code="invoice.not_open")


def reason_checked(reason: str) -> str:
    """Every correction says why. Raises DomainError."""
    text = reason.strip()
    if not text or len(text) > 300:
        message = _("Write why, in at most 300 characters.")
        raise DomainError("invoice.reason", message, fields={"reason": message})
    return text


def day_at(place: Location | None, now: datetime) -> date:
    """Today at the place; at the installation's own place when there is none."""
    return local(now, place.timezone if place else None).date()


def staff_acted(actor: User | None, action: str, ip: str | None, **details: Any) -> None:
    emit(StaffActed(actor.pk if actor else None, action, details, ip))

"""Bills that are kept as drafts: somebody prepares, somebody looks at it, then it is issued, changed or thrown away.

A draft is nobody's debt: no number, no ledger entry, no page for the customer. Issuing it is issuing a bill that was
just written: number, day, rate of tax and entry are of that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import InvoiceStatus
from billing.ledger import chart
from billing.models import Invoice
from billing.services.invoices_acting import invoice_lock, staff_acted
from billing.services.invoices_issuing import draft_save, invoice_issue
from billing.services.invoices_manual import MANUAL_ACCOUNTS, ManualLine, draft_of
from billing.services.settling import balance_apply
from core.errors import DomainError, TransitionError
from customers.models import Customer


@transaction.atomic
def draft_issue(
    invoice: Invoice, *, now: datetime, actor: User | None, ip: str | None = None, due_on: date | None = None
) -> Invoice:
    """Make the draft a bill, with the next number and of today; what the customer has in his balance pays it at once.

    Raises DomainError when it is to be paid before today (`due_on` gives it another day), TransitionError when it is
    no draft (any more).
    """
    row, root = _draft_lock(invoice, actor)
    draft = draft_of(
        root, lines_of(row), source=row.source, due_on=due_on or row.due_on or date.min, tax_mode=row.tax_mode, note=row.note,
        now=now,
    )  # fmt: skip
    draft = replace(draft, kept_id=row.pk, subscription_id=row.subscription_id, location_id=row.location_id)
    row.delete()
    issued, _is_new = invoice_issue(draft, now=now, actor=actor)
    balance_apply([root.pk], now=now)
    staff_acted(
        actor, "invoice.written", ip, invoice=issued.pk, number=issued.number, customer=root.pk, total=str(issued.total),
        drafted_by=row.created_by_id,
    )  # fmt: skip
    issued.refresh_from_db()
    return issued


@transaction.atomic
def draft_change(
    invoice: Invoice, *, lines: Sequence[ManualLine], due_on: date, now: datetime, actor: User | None,
    ip: str | None = None, tax_mode: str = "none", note: str = "",
) -> Invoice:  # fmt: skip
    """Write the draft anew; its customer stays. Raises DomainError naming the fields that are wrong."""
    row, root = _draft_lock(invoice, actor)
    draft = draft_of(root, lines, source=row.source, due_on=due_on, tax_mode=tax_mode, note=note, now=now)
    draft = replace(draft, kept_id=row.pk, subscription_id=row.subscription_id, location_id=row.location_id)
    before = str(row.total)
    row.delete()
    changed = draft_save(draft, root, now=now, actor=actor)
    staff_acted(actor, "invoice.draft_changed", ip, invoice=changed.pk, before=before, total=str(changed.total))
    return changed


@transaction.atomic
def draft_discard(invoice: Invoice, *, now: datetime, actor: User | None, ip: str | None = None) -> None:
    """Throw the draft away: no number is lost, the activity log remembers it."""
    row, root = _draft_lock(invoice, actor)
    pk, total = row.pk, str(row.total)
    row.delete()
    staff_acted(actor, "invoice.draft_discarded", ip, invoice=pk, customer=root.pk, total=total)


def lines_of(row: Invoice) -> list[ManualLine]:
    """The lines of a draft as they were written: `amount` of a row is without tax, what was agreed is the price."""
    return [
        ManualLine(
            line.text, line.details["price"], line.quantity,
            line.account if line.account in MANUAL_ACCOUNTS else chart.INCOME_OTHER,  # a discount's follows from its price
        )
        for line in row.lines.order_by("position")
    ]  # fmt: skip


def _draft_lock(invoice: Invoice, actor: User | None) -> tuple[Invoice, Customer]:
    try:
        row, root = invoice_lock(invoice, actor)
    except Invoice.DoesNotExist:
        raise DomainError("invoice.not_found", _("This draft was discarded meanwhile."), status=404) from None
    if row.status != InvoiceStatus.DRAFT:
        raise TransitionError(_("This is no draft (any more); nothing was changed."), code="invoice.not_draft")
    return row, root

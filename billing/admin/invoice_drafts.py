"""What can be done with a bill that is kept as a draft: issue it, change it, throw it away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.admin.invoice_forms import LINES, DraftForm, IssueForm
from billing.choices import InvoiceStatus
from billing.ledger import chart
from billing.models import Invoice
from billing.services.invoices import ManualLine, draft_change, draft_discard, draft_issue
from billing.services.invoices_kept import lines_of
from core import clock
from core.admin import Confirmation
from core.client_ip import client_ip
from core.formats import local, money


class DraftActions:
    """Offered on drafts only. Who prepares may change and discard; who writes bills may issue."""

    def issue(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.status != InvoiceStatus.DRAFT:
            return None

        def run(data: dict[str, Any]) -> str:
            bill = draft_issue(row, due_on=data["due_on"], **_who(request))
            return _("%(number)s over %(amount)s is issued.") % {"number": bill.number, "amount": money(bill.total)}

        today = local(clock.now(), row.location.timezone if row.location else None).date()
        return Confirmation(
            title=_("Issue the bill"), button=_("Issue"), run=run, icon="receipt_long", is_primary=True, form=IssueForm,
            question=_("Issue this bill of %(amount)s to %(customer)s? From then on it cannot be changed.")
            % {"amount": money(row.total), "customer": str(row.customer)},
            initial={"due_on": max(row.due_on or today, today)}, permission="billing.add_invoice",
        )  # fmt: skip

    def change_draft(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.status != InvoiceStatus.DRAFT or not _fits(lines_of(row)):
            return None

        def run(data: dict[str, Any]) -> str:
            written = {name: data[name] for name in ("lines", "due_on", "tax_mode", "note")}
            draft_change(row, **written, **_who(request))
            return _("The draft is changed.")

        return Confirmation(
            title=_("Change the draft"), button=_("Change"), run=run, icon="edit", form=DraftForm,
            question=_("Write the draft for %(customer)s anew.") % {"customer": str(row.customer)},
            initial=_initial(row), permission="billing.prepare_invoice",
        )  # fmt: skip

    def discard(self, request: HttpRequest, row: Invoice) -> Confirmation | None:
        if row.status != InvoiceStatus.DRAFT:
            return None

        def run(data: dict[str, Any]) -> HttpResponse:
            draft_discard(row, **_who(request))
            messages.success(request, _("The draft is gone."))
            return HttpResponseRedirect(reverse("admin:billing_invoice_changelist"))

        return Confirmation(
            title=_("Discard the draft"), button=_("Discard"), run=run, icon="delete", is_danger=True,
            question=_("Throw this draft of %(amount)s for %(customer)s away?")
            % {"amount": money(row.total), "customer": str(row.customer)},
            permission="billing.prepare_invoice",
        )  # fmt: skip


def draft_points(row: Invoice) -> list[str]:
    """What to know about a draft before it is issued."""
    if row.status != InvoiceStatus.DRAFT:
        return []
    points = []
    if row.created_by:
        points.append(_("Prepared by %(name)s.") % {"name": row.created_by})
    if not _fits(lines_of(row)):
        points.append(_("It has more lines or kinds of income than the form can show: it is changed over REST."))
    return points


def _fits(lines: list[ManualLine]) -> bool:
    return len(lines) <= LINES and len(_accounts(lines)) <= 1


def _accounts(lines: list[ManualLine]) -> set[str]:
    """Kinds of income, discounts aside."""
    return {line.account for line in lines if not str(line.price).startswith("-")}


def _initial(row: Invoice) -> dict[str, Any]:
    lines = lines_of(row)
    first: dict[str, Any] = {
        "due_on": row.due_on, "tax_mode": row.tax_mode, "note": row.note,
        "account": next(iter(_accounts(lines)), chart.INCOME_OTHER),
    }  # fmt: skip
    for index, line in enumerate(lines):
        first |= {
            f"line_{index}_text": line.text,
            f"line_{index}_price": line.price,
            f"line_{index}_quantity": line.quantity,
        }
    return first


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"actor": request.user, "ip": client_ip(request), "now": clock.now()}

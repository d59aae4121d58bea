"""What staff do with one customer. Methods of `CustomerAdmin`: each offers a `Confirmation` while it is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import clock
from core.admin import Confirmation
from core.client_ip import client_ip
from customers.forms import ConsentForm, DocumentForm, NoteForm, erase_form, merge_form
from customers.models import Customer, CustomerMerge
from customers.selectors import customers_similar, customers_visible_to
from customers.services import (
    consent_record,
    customer_erase,
    customer_note_add,
    customers_merge_undo,
    document_add,
)
from customers.services.merging import UNDO_TIME
from customers.words import consent_text

if TYPE_CHECKING:
    from customers.admin.customers import CustomerAdmin


def is_open(row: Customer) -> bool:
    return row.merged_into_id is None and row.erased_at is None


def note(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    if not is_open(row):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        customer_note_add(row, text=data["text"], actor=actor, ip=client_ip(request))
        return _("The note is written.")

    return Confirmation(
        title=_("Write a note"), button=_("Write"), run=run, icon="edit", form=NoteForm,
        question=_("A note about %(name)s, with today's date and your name.") % {"name": row.name},
        permission="customers.change_customer",
    )  # fmt: skip


def consent(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    if not is_open(row):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        wanted = {name: data[name] for name in ("channel", "kind", "is_granted", "source")}
        done = consent_record(row, **wanted, actor=actor, ip=client_ip(request))
        return consent_text(done.channel, done.kind, done.is_granted)

    return Confirmation(
        title=_("Consent"), button=_("Write down"), run=run, icon="check", form=ConsentForm,
        question=_("What did %(name)s say about being told things? What was said before stays in the history.")
        % {"name": row.name},
        permission="customers.change_customer",
    )  # fmt: skip


def document(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    if not is_open(row):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        done = document_add(
            row, file=data["file"], title=data["title"], kind=data["kind"], actor=actor, ip=client_ip(request)
        )
        return _("“%(title)s” is kept.") % {"title": done.title}

    return Confirmation(
        title=_("Add a document"), button=_("Keep it"), run=run, icon="upload", form=DocumentForm,
        question=_("Keep a file for %(name)s: an identity card, a contract, a photo of the house.") % {"name": row.name},
        permission="customers.add_customerdocument",
    )  # fmt: skip


def merge(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    if not is_open(row):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> HttpResponseRedirect:
        url = reverse("admin:customers_customer_merge_preview", args=[row.pk])
        return HttpResponseRedirect(f"{url}?{urlencode({'loser': data['number'].pk})}")

    return Confirmation(
        title=_("Merge"), button=_("Show what would happen"), run=run, icon="merge",
        form=merge_form(customers_visible_to(actor), customers_similar(actor, row)),
        question=_("Which customer is the same person as %(name)s (%(number)s)? That one goes, this one stays.")
        % {"name": row.name, "number": row.number},
        permission="customers.merge_customer",
    )  # fmt: skip


def undo_merge(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    """On the page of the row that went."""
    if row.merged_into_id is None or row.erased_at:
        return None
    held = CustomerMerge.objects.filter(loser=row, undone_at=None).select_related("winner").first()
    if held is None or clock.now() - held.at > UNDO_TIME:
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        customers_merge_undo(held, actor=actor, ip=client_ip(request))
        return _("Customer %(number)s stands on its own again.") % {"number": row.number}

    return Confirmation(
        title=_("Undo the merge"), button=_("Undo the merge"), run=run, icon="undo", is_primary=True,
        question=_("Take %(number)s out of %(winner)s again? Services and open money return.")
        % {"number": row.number, "winner": str(held.winner)},
        permission="customers.merge_customer",
    )  # fmt: skip


def erase(self: CustomerAdmin, request: HttpRequest, row: Customer) -> Confirmation | None:
    if not is_open(row):
        return None
    actor: Any = request.user

    def run(data: dict[str, Any]) -> str:
        customer_erase(row, actor=actor, ip=client_ip(request))
        return _("The person behind %(number)s is erased; bills and postings stay.") % {"number": row.number}

    return Confirmation(
        title=_("Erase this person"), button=_("Erase for good"), run=run, icon="delete", is_danger=True,
        form=erase_form(row),
        question=_(
            "Erase %(name)s (%(number)s)? Name, phone, e-mail address, address, notes, coordinates, contacts and "
            "documents go for good; bills and postings stay. This cannot be undone."
        )
        % {"name": row.name, "number": row.number},
        permission="customers.erase_customer",
    )  # fmt: skip

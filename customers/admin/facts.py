"""What the page of a customer shows above its form."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import formats
from customers.models import Customer, CustomerDocument
from customers.phones import phone_text
from customers.selectors import (
    consents_now,
    contacts_of,
    customers_similar,
    documents_of,
    events_of,
    merges_of,
)
from customers.services import MergePreview
from customers.words import balance_words, consent_text, customer_name, event_text, state_words

TIMELINE = 50


def facts_of(request: HttpRequest, row: Customer) -> dict[str, Any]:
    user: Any = request.user
    zone = row.location.timezone if row.location else None
    merged_into = row.merged_into if row.merged_into_id else None
    return {
        "customer": row,
        "shown_name": customer_name(row),
        "words": state_words(row),
        "money": balance_words(row.balance, row.debt),
        "fact_rows": fact_rows(row, zone),
        "phone_shown": phone_text(row.phone),
        "coordinates": f"{row.latitude:f},{row.longitude:f}" if row.latitude is not None else "",
        "place": row.location,
        "tags": [
            (tag, f"{reverse('admin:customers_customer_changelist')}?{urlencode({'tag': tag})}") for tag in row.tags
        ],
        "merged_into": merged_into and link_of(merged_into),
        "merges": [
            {**link_of(merge.loser), "when": formats.moment(merge.at, zone), "who": str(merge.actor or _("the system"))}
            for merge in merges_of(row)
        ],
        "similar": [link_of(other) for other in customers_similar(user, row)] if not merged_into else [],
        "contacts": [
            (contact.name, contact.get_role_display(), phone_text(contact.phone), contact.phone, contact.email)
            for contact in contacts_of(row)
        ],
        "consents": consents(row, zone),
        "documents": documents(row, zone) if user.has_perm("customers.view_customerdocument") else None,
        "timeline": timeline(row, zone),
    }


def link_of(row: Customer) -> dict[str, Any]:
    url = reverse("admin:customers_customer_change", args=[row.pk])
    return {"name": customer_name(row), "number": row.number, "url": url}


def fact_rows(row: Customer, zone: str | None) -> list[tuple[str, str]]:
    typed = row.phone_typed if row.phone_typed and row.phone_typed != phone_text(row.phone) else ""
    pairs = [
        (_("Customer number"), row.number),
        (_("Phone as written"), typed),
        (_("E-mail address"), row.email),
        (_("Address"), row.address),
        (_("Area or ODP"), row.area),
        (_("Language"), row.get_language_display() if row.language else ""),
        (_("Customer since"), formats.moment(row.created_at, zone)),
        (_("Erased"), formats.moment(row.erased_at, zone) if row.erased_at else ""),
    ]
    return [(label, value) for label, value in pairs if value]


def consents(row: Customer, zone: str | None) -> list[dict[str, str]]:
    """What is in force, by channel and kind."""
    return [
        {
            "what": consent_text(consent.channel, consent.kind, consent.is_granted),
            "when": formats.moment(consent.at, zone),
            "source": consent.source,
        }
        for _key, consent in sorted(consents_now(row).items())
    ]


def documents(row: Customer, zone: str | None) -> list[dict[str, str]]:
    def line(document: CustomerDocument) -> dict[str, str]:
        return {
            "title": document.title,
            "kind": document.get_kind_display(),
            "size": formats.data_size(document.size),
            "when": formats.moment(document.uploaded_at, zone),
            "url": reverse("admin:customers_customerdocument_change", args=[document.pk]),
        }

    return [line(document) for document in documents_of(row)]


def timeline(row: Customer, zone: str | None) -> list[dict[str, str]]:
    """Everything that happened to the customer, newest first, with who did it."""
    return [
        {
            "what": event_text(event.kind, event.details),
            "when": formats.moment(event.at, zone),
            "who": str(event.actor) if event.actor else _("the system"),
        }
        for event in events_of(row).select_related("actor")[:TIMELINE]
    ]


def preview_lines(preview: MergePreview) -> list[str]:
    """`2 subscriptions`, `1 contact` …: what would move or be shown together."""
    counts = [
        (apps.get_model(label)._meta, count)
        for label, count in preview.moved.items()
        if label != "billing.journalentry"
    ]
    lines = [f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}" for meta, count in counts]
    if preview.contacts:
        lines.append(ngettext("%(n)d contact", "%(n)d contacts", preview.contacts) % {"n": preview.contacts})
    if preview.documents:
        lines.append(ngettext("%(n)d document", "%(n)d documents", preview.documents) % {"n": preview.documents})
    return lines

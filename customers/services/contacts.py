"""Other people to reach for a customer, and what a customer agreed to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock
from core.errors import DomainError
from customers.checking import NAME, email_clean, phone_clean, text_clean
from customers.choices import Channel, ConsentKind, ContactRole
from customers.models import Consent, Contact, Customer
from customers.services.history import customer_for, event_write, staff_acted

LARGEST = 20  # contacts of one customer
SOURCE = 120
FIELDS = ("name", "role", "phone", "email")


@transaction.atomic
def contact_add(
    customer: Customer, *, actor: User | None, ip: str | None = None, now: datetime | None = None, **fields: Any
) -> Contact:
    """Somebody else to call: name, role, phone, email. Raises DomainError with one message per field."""
    fresh = customer_for(customer, actor)
    columns = _clean({"name": "", **fields})
    if Contact.objects.filter(customer=fresh).count() >= LARGEST:
        raise DomainError("contact.too_many", _("At most %(n)d contacts per customer.") % {"n": LARGEST}, status=409)
    contact = Contact.objects.create(customer=fresh, **columns)
    _written(fresh, "contact_added", contact, actor, ip, now)
    return contact


@transaction.atomic
def contact_change(
    contact: Contact, *, actor: User | None, ip: str | None = None, now: datetime | None = None, **fields: Any
) -> Contact:
    """Change what is named; the rest stays. Raises DomainError per field."""
    fresh = _contact_for(contact, actor)
    changed = {name: value for name, value in _clean(fields).items() if getattr(fresh, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=list(changed))
        names = sorted(set(changed) - {"phone_typed"}) or ["phone"]
        _written(fresh.customer, "contact_changed", fresh, actor, ip, now, fields=names)
    return fresh


@transaction.atomic
def contact_remove(contact: Contact, *, actor: User | None, ip: str | None = None, now: datetime | None = None) -> None:
    fresh = _contact_for(contact, actor)
    _written(fresh.customer, "contact_removed", fresh, actor, ip, now)
    fresh.delete()


@transaction.atomic
def consent_record(
    customer: Customer,
    *,
    channel: str,
    kind: str,
    is_granted: bool,
    source: str,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Consent:
    """Write a yes or no down; what was said before stays in the history, the newest holds.

    `source` says how we know ("signed form", "WhatsApp"). Raises DomainError for an unknown channel or kind, or no source.
    """
    now = now or clock.now()
    fresh = customer_for(customer, actor)
    wrong = {}
    if channel not in Channel.values:
        wrong["channel"] = _("One of: %(choices)s.") % {"choices": ", ".join(Channel.values)}
    if kind not in ConsentKind.values:
        wrong["kind"] = _("One of: %(choices)s.") % {"choices": ", ".join(ConsentKind.values)}
    try:
        source = text_clean(source, SOURCE, is_required=True)
    except DomainError as error:
        wrong["source"] = str(error.message)
    if wrong:
        raise DomainError("consent.invalid", _("Please correct the marked fields."), wrong)
    row = Consent.objects.create(
        customer=fresh, channel=channel, kind=kind, is_granted=is_granted, source=source, actor=actor, at=now
    )
    details = {"channel": channel, "about": kind, "is_granted": is_granted}
    event_write(fresh.pk, "consent", at=now, actor=actor, **details)
    staff_acted(actor, "customer.consent", ip, customer=fresh.pk, number=fresh.number, **details)
    return row


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    wrong = {name: _("There is no such field.") for name in fields if name not in FIELDS}
    for name in FIELDS:
        if name not in fields:
            continue
        try:
            columns.update(_clean_one(name, fields[name]))
        except DomainError as error:
            wrong[name] = str(error.message)
    if wrong:
        raise DomainError("contact.invalid", _("Please correct the marked fields."), wrong)
    return columns


def _clean_one(name: str, value: Any) -> dict[str, Any]:
    if name == "phone":
        return dict(phone_clean(value))
    if name == "email":
        return {"email": email_clean(value)}
    if name == "role":
        if value not in ContactRole.values:
            raise DomainError("contact.invalid", _("One of: %(choices)s.") % {"choices": ", ".join(ContactRole.values)})
        return {"role": value}
    return {"name": text_clean(value, NAME, is_required=True)}


def _contact_for(contact: Contact, actor: User | None) -> Contact:
    """Fresh, under the lock of the customer it is shown with: for a contact of a merged row, the one that stayed."""
    row = Contact.objects.select_related("customer").filter(pk=contact.pk).first()
    if row is None:
        raise DomainError("contact.not_found", _("This contact is gone."), status=404)
    owner = row.customer if row.customer.merged_into_id is None else Customer(pk=row.customer.merged_into_id)
    row.customer = customer_for(owner, actor)
    return row


def _written(
    customer: Customer, kind: str, contact: Contact, actor: User | None, ip: str | None, now: datetime | None,
    **details: Any,
) -> None:  # fmt: skip
    event_write(customer.pk, kind, at=now or clock.now(), actor=actor, contact=contact.pk, **details)
    staff_acted(
        actor, f"customer.{kind}", ip, customer=customer.pk, number=customer.number, contact=contact.pk, **details
    )

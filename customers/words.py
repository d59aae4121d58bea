"""Customers in words (UI.md): what they owe or have, their state, and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from core.formats import money
from core.words import Tone, Words
from customers.choices import Channel, ConsentKind
from customers.models import Contact, Customer


def balance_text(balance: Decimal, debt: Decimal) -> str:
    """`Owes Rp 150.000`, `Rp 20.000 in credit`, both, or `Nothing owed`; never a bare minus sign."""
    if debt > 0 and balance > 0:
        return _("Owes %(debt)s, with %(credit)s in credit") % {"debt": money(debt), "credit": money(balance)}
    if debt > 0:
        return _("Owes %(debt)s") % {"debt": money(debt)}
    if balance > 0:
        return _("%(credit)s in credit") % {"credit": money(balance)}
    return _("Nothing owed")


def balance_words(balance: Decimal, debt: Decimal) -> Words:
    """The same with its tone: owing is bad, credit is good, nothing is quiet."""
    tone, icon = (
        (Tone.BAD, "error") if debt > 0 else (Tone.GOOD, "check_circle") if balance > 0 else (Tone.QUIET, "check")
    )
    return Words(tone, icon, balance_text(balance, debt))


def customer_name(customer: Customer) -> str:
    """The name, or what stands for it once the person was erased."""
    return _("Erased person") if customer.erased_at else customer.name


def state_words(customer: Customer) -> Words:
    """Whether this row is a customer in use, closed, or only kept for its bills."""
    if customer.erased_at:
        return Words(Tone.QUIET, "block", _("Erased"))
    if customer.merged_into_id:
        return Words(Tone.QUIET, "merge", _("Merged"))
    if not customer.is_active:
        return Words(Tone.QUIET, "block", _("Not active"))
    return Words(Tone.GOOD, "check_circle", _("Active"))


def consent_text(channel: str, about: str, is_granted: bool) -> str:
    """`May be told by WhatsApp: offers`."""
    values = {"channel": Channel(channel).label, "about": ConsentKind(about).label}
    if is_granted:
        return _("May be told by %(channel)s: %(about)s") % values
    return _("Not by %(channel)s: %(about)s") % values


def event_text(kind: str, details: Mapping[str, Any]) -> str:
    """One line of a customer's history."""
    match kind:
        case "changed":
            return _("Changed: %(fields)s") % {"fields": _labels(Customer, details)}
        case "contact_changed":
            return _("Contact changed: %(fields)s") % {"fields": _labels(Contact, details)}
        case "consent":
            return consent_text(details["channel"], details["about"], details["is_granted"])
        case "merged":
            return _("Took in customer %(number)s") % {"number": details.get("number", "")}
        case "merged_away":
            return _("Merged into customer %(number)s") % {"number": details.get("number", "")}
    plain = {
        "created": _("Added"), "noted": _("Note written"), "contact_added": _("Contact added"),
        "contact_removed": _("Contact removed"), "document_added": _("Document added"),
        "document_removed": _("Document removed"), "merge_undone": _("Merge undone"), "erased": _("Person erased"),
    }  # fmt: skip
    return plain.get(kind, kind.replace("_", " ").capitalize())


def _labels(model: type[Customer] | type[Contact], details: Mapping[str, Any]) -> str:
    labels = {field.name: str(getattr(field, "verbose_name", field.name)) for field in model._meta.get_fields()}
    return ", ".join(labels.get(name, name) for name in details.get("fields", []))

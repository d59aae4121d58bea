"""Happenings of the customer and his services: changes, moves of status, promises, what the router confirmed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import PromiseStatus, SubscriptionStatus
from billing.models import Promise, SubscriptionEvent
from core.words import Tone
from customers.models import CustomerEvent
from dashboard import links
from dashboard.happenings.kinds import Happening, Source, label_of, name_of
from dashboard.happenings.sentences import event_sentence, is_move
from dashboard.selectors.scope import Family
from dashboard.words import day
from locations.choices import Presence
from locations.models import AccessAccount

CUSTOMER_KINDS = {
    "created": gettext_lazy("Customer written down"),
    "changed": gettext_lazy("Customer changed"),
    "merged": gettext_lazy("Merged with another customer"),
    "merged_away": gettext_lazy("Merged into another customer"),
    "merge_undone": gettext_lazy("Merge undone"),
    "erased": gettext_lazy("Name and phone erased"),
    "noted": gettext_lazy("Note"),
    "consent": gettext_lazy("Consent changed"),
    "document_added": gettext_lazy("Document added"),
    "document_removed": gettext_lazy("Document removed"),
    "contact_added": gettext_lazy("Contact added"),
    "contact_changed": gettext_lazy("Contact changed"),
    "contact_removed": gettext_lazy("Contact removed"),
}

_ICONS: dict[str, tuple[str, Tone]] = {
    SubscriptionStatus.ACTIVE: ("check_circle", Tone.GOOD),
    SubscriptionStatus.GRACE: ("schedule", Tone.WAITING),
    SubscriptionStatus.ISOLATED: ("block", Tone.BAD),
    SubscriptionStatus.PAUSED: ("timer_off", Tone.WAITING),
    SubscriptionStatus.ENDED: ("cancel", Tone.QUIET),
}


def _customer_events(family: Family) -> QuerySet[CustomerEvent]:
    return CustomerEvent.objects.filter(customer_id__in=family.ids).select_related("actor")


def _customer_line(row: CustomerEvent, family: Family) -> Happening:
    text = label_of(row.kind, CUSTOMER_KINDS)
    return Happening(row.at, text, icon="edit", who=name_of(row.actor))


def _service_events(family: Family) -> QuerySet[SubscriptionEvent]:
    """Without those of promises, which have lines of their own."""
    rows = SubscriptionEvent.objects.filter(subscription__in=family.services().values("pk"))
    rows = rows.exclude(kind__startswith="promise")
    return rows.select_related("subscription", "actor").defer("subscription__password")


def _service_line(row: SubscriptionEvent, family: Family) -> Happening:
    icon, tone = "edit", Tone.QUIET
    if is_move(row):
        icon, tone = _ICONS.get(row.to_status, (icon, tone))
    text = event_sentence(row, family.now.date())
    url = links.service_page(row.subscription_id)
    return Happening(row.at, text, icon=icon, tone=tone, who=name_of(row.actor), more=row.reason, url=url)


def _promises(family: Family) -> QuerySet[Promise]:
    rows = Promise.objects.filter(subscription__in=family.services().values("pk"))
    return rows.select_related("subscription", "actor").defer("subscription__password")


def _promise_made(row: Promise, family: Family) -> Happening:
    values = {"name": row.subscription.username, "day": day(row.until_on, family.now.date())}
    text = _("Promised to pay for %(name)s by %(day)s") % values
    return Happening(row.at, text, icon="more_time", tone=Tone.WAITING, who=name_of(row.actor), more=row.note)


def _promises_ended(family: Family) -> QuerySet[Promise]:
    return _promises(family).filter(ended_at__isnull=False)


def _promise_ended(row: Promise, family: Family) -> Happening:
    values = {"name": row.subscription.username}
    at: Any = row.ended_at
    match row.status:
        case PromiseStatus.KEPT:
            text = _("Promise to pay for %(name)s kept") % values
            return Happening(at, text, icon="check_circle", tone=Tone.GOOD)
        case PromiseStatus.BROKEN:
            text = _("Promise to pay for %(name)s not kept") % values
            return Happening(at, text, icon="error", tone=Tone.BAD)
    return Happening(at, _("Promise to pay for %(name)s cancelled") % values, icon="cancel")


def _confirmations(family: Family) -> QuerySet[AccessAccount]:
    """The newest confirmation of each login; earlier ones are not kept."""
    logins = family.services().filter(account__isnull=False).values("account_id")
    rows = AccessAccount.objects.filter(pk__in=logins, applied_at__isnull=False, presence=Presence.PRESENT)
    return rows.select_related("location").defer("password", "location__password")


def _confirmed(row: AccessAccount, family: Family) -> Happening:
    values = {"place": row.location.name, "name": row.name}
    text = _("Router “%(place)s” confirmed login %(name)s") % values
    at: Any = row.applied_at
    return Happening(at, text, icon="router", tone=Tone.GOOD, url=links.account_page(row.pk))


_VIEW = "billing.view_subscription"
SERVICES: tuple[Source, ...] = (
    Source("customers.view_customer", "at", _customer_events, _customer_line),
    Source(_VIEW, "at", _service_events, _service_line),
    Source(_VIEW, "at", _promises, _promise_made),
    Source(_VIEW, "ended_at", _promises_ended, _promise_ended),
    Source("locations.view_accessaccount", "applied_at", _confirmations, _confirmed),
)

"""Events of services in words: what was recorded with them stands in the sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.choices import SubscriptionStatus
from billing.models import SubscriptionEvent
from core.formats import money
from dashboard.words import day

# `service` is the user name; the other names are those of the event's details
SENTENCES: dict[str, Any] = {
    "created": gettext_lazy("Service %(service)s written down: %(plan)s at %(location)s"),
    "changed": gettext_lazy("Service %(service)s changed"),
    "login_changed": gettext_lazy("Login of service %(service)s changed"),
    "moved": gettext_lazy("Service %(service)s moved from %(before)s to %(after)s"),
    "plan_change_asked": gettext_lazy("Service %(service)s changes from %(before)s to %(after)s on %(effective_on)s"),
    "plan_changed": gettext_lazy("Service %(service)s changed from %(before)s to %(after)s"),
    "plan_change_cancelled": gettext_lazy("Service %(service)s: the change to %(after)s was cancelled"),
    "addon_added": gettext_lazy("Service %(service)s: add-on %(name)s of %(amount)s a month"),
    "addon_ended": gettext_lazy("Service %(service)s: add-on %(name)s ends on %(until_on)s"),
    "charge_added": gettext_lazy("Service %(service)s: %(name)s of %(amount)s for the next bill"),
    "charge_billed": gettext_lazy("Service %(service)s: %(name)s of %(amount)s billed"),
    "charge_cancelled": gettext_lazy("Service %(service)s: %(name)s of %(amount)s dropped"),
    "coupon_used": gettext_lazy("Service %(service)s: coupon %(code)s entered"),
    "coupon_ended": gettext_lazy("Service %(service)s: coupon %(code)s taken away"),
    "customer_merged": gettext_lazy("Service %(service)s came from a merged customer"),
    "customer_merge_undone": gettext_lazy("Service %(service)s went back to its customer"),
}
MOVES: dict[str, Any] = {
    SubscriptionStatus.DRAFT: gettext_lazy("Service %(service)s drafted"),
    SubscriptionStatus.ACTIVE: gettext_lazy("Service %(service)s open again"),
    SubscriptionStatus.GRACE: gettext_lazy("Service %(service)s overdue, still open"),
    SubscriptionStatus.ISOLATED: gettext_lazy("Service %(service)s isolated"),
    SubscriptionStatus.PAUSED: gettext_lazy("Service %(service)s paused"),
    SubscriptionStatus.ENDED: gettext_lazy("Service %(service)s ended"),
}
STARTED = gettext_lazy("Service %(service)s started")
BEGINNINGS = {"", SubscriptionStatus.DRAFT}


def is_move(row: SubscriptionEvent) -> bool:
    return bool(row.to_status) and row.to_status != row.from_status


def event_sentence(row: SubscriptionEvent, today: date) -> str:
    """The event in words; one whose kind or details nobody has put into words yet is shown as it is stored."""
    values = {key: _readable(key, value, today) for key, value in row.details.items()}
    values["service"] = row.subscription.username
    try:
        return str(_pattern(row)) % values
    except (ArithmeticError, KeyError, ValueError, TypeError):
        named = {"service": row.subscription.username, "kind": row.kind.replace("_", " ")}
        return _("Service %(service)s: %(kind)s") % named


def _pattern(row: SubscriptionEvent) -> Any:
    if row.kind in SENTENCES:
        return SENTENCES[row.kind]
    if row.to_status == SubscriptionStatus.ACTIVE and row.from_status in BEGINNINGS:
        return STARTED
    return MOVES[row.to_status]


def _readable(key: str, value: Any, today: date) -> str:
    if key == "amount":
        return money(Decimal(str(value)))
    if key.endswith("_on") and value:
        return day(date.fromisoformat(str(value)), today)
    return str(value)

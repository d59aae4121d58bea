"""Changing how a service logs in, and where: each change reaches the router as a wish, and the screen says when it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import PlanType, SubscriptionStatus
from billing.models import Subscription
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for
from billing.services.standing import services_reconsider
from billing.services.subscriptions import ALIVE, address_checked, address_free
from billing.services.subscriptions_logins import (
    is_taken,
    login_put,
    mac_checked,
    password_checked,
    publication_of,
    username_checked,
)
from core import clock
from core.errors import DomainError
from locations.choices import Priority
from locations.models import AccessAccount, Location
from locations.selectors import locations_visible_to
from locations.services import account_change, accounts_replace

UNCHANGED: Any = object()


@transaction.atomic
def subscription_change_login(
    subscription: Subscription,
    *,
    username: str = UNCHANGED,
    password: str | None = UNCHANGED,
    static_address: str | None = UNCHANGED,
    mac_address: str = UNCHANGED,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Subscription:
    """Another name, password (None: a new one), address or device. A rename keeps the router's entry and its counters."""
    at = now or clock.now()
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT, *ALIVE])
    wanted: dict[str, Any] = {}
    if username is not UNCHANGED:
        wanted["username"] = username_checked(username, fresh.location, fresh.type, besides=fresh)
    if password is not UNCHANGED and fresh.type != PlanType.STATIC:
        wanted["password"] = password_checked(password, fresh.type)
    if static_address is not UNCHANGED:
        wanted["static_address"] = address_checked(static_address, fresh.type)
        if wanted["static_address"] != fresh.static_address:
            address_free(wanted["static_address"], fresh.location, besides=fresh)
    if mac_address is not UNCHANGED:
        wanted["mac_address"] = mac_checked(mac_address)
    changed = {name: value for name, value in wanted.items() if getattr(fresh, name) != value}
    if not changed:
        return fresh
    before = {name: getattr(fresh, name) for name in changed if name != "password"}
    for name, value in changed.items():
        setattr(fresh, name, value)
    try:
        with transaction.atomic():
            fresh.save(update_fields=[*changed, "updated_at"])
    except IntegrityError:
        message = _("The name %(name)s was just taken at %(location)s.")
        message = message % {"name": fresh.username, "location": fresh.location.name}
        raise DomainError("subscription.username", message, fields={"username": message}, status=409) from None
    _login_follow(fresh, changed)
    after = {name: changed[name] for name in before}
    details: dict[str, Any] = {"fields": sorted(changed), "before": before, "after": after}
    event_write(fresh, "login_changed", at=at, actor=actor, **details)
    staff_acted(actor, "subscription.login_changed", ip, fresh, **details)
    return fresh


def _login_follow(row: Subscription, changed: dict[str, Any]) -> None:
    if row.account_id is None:
        return
    account = AccessAccount.objects.get(pk=row.account_id)
    wanted = {("name" if name == "username" else name): value for name, value in changed.items()}
    if "mac_address" in wanted:
        wanted["is_mac_locked"] = bool(wanted["mac_address"])
    account_change(account, **wanted)


@transaction.atomic
def subscription_move(
    subscription: Subscription,
    *,
    location: Location,
    static_address: str | None = UNCHANGED,
    reason: str = "",
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Subscription:
    """Serve it at another location from now on, with the same name and terms. The new router opens it when the old one
    has removed its login."""
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT, *ALIVE])
    if actor is not None and not locations_visible_to(actor).filter(pk=location.pk).exists():
        message = _("You can move services to your own locations only.")
        raise DomainError("subscription.not_your_location", message, fields={"location": message}, status=403)
    if location.pk == fresh.location_id:
        return fresh
    publication_of(fresh.plan_id, location)
    if is_taken(fresh.username, location.pk, fresh.type):
        message = _("The name %(name)s is already used at %(location)s; change it first.")
        message = message % {"name": fresh.username, "location": location.name}
        raise DomainError("subscription.username", message, fields={"location": message})
    before, old_account = fresh.location, fresh.account_id
    fresh.location, fresh.account = location, None
    if static_address is not UNCHANGED:
        fresh.static_address = address_checked(static_address, fresh.type)
    address_free(fresh.static_address, location, besides=fresh)
    fresh.save(update_fields=["location", "account", "static_address", "updated_at"])
    if fresh.status != SubscriptionStatus.DRAFT:
        account = login_put(fresh, priority=Priority.PAID)
        if old_account:
            accounts_replace(AccessAccount.objects.filter(pk=old_account), by=account)
        services_reconsider([fresh.pk], now=at)
    event_write(fresh, "moved", at=at, actor=actor, reason=why, before=before.name, after=location.name)
    staff_acted(actor, "subscription.moved", ip, fresh, reason=why, before=before.pk, after=location.pk)
    fresh.refresh_from_db()
    return fresh

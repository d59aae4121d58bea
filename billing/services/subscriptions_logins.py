"""A service's login: its name and password, and its wish on the router."""

from __future__ import annotations

import re
import secrets
from string import Formatter

from django.db.models import Q
from django.utils.translation import gettext as _

from billing.choices import PlanType, SubscriptionStatus
from billing.models import PlanLocation, Subscription
from billing.selectors import publications
from billing.services.publishing import KINDS, router_safe_name
from core.db.numbers import numbers_take
from core.errors import DomainError
from core.settings_registry import setting
from customers.models import Customer
from locations.choices import Priority
from locations.models import AccessAccount, Location, RouterProfile
from locations.services import account_put

PATTERN = "billing.username_pattern"
DEFAULT_PATTERN = "{location}{number:05}"
FIELDS = {"location", "number", "customer"}
_NUMBER_FORMAT = re.compile(r"0?[0-9]{0,2}")
_NAME = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_MAC = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
PASSWORD_LENGTH = 10
PASSWORD_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105  # an alphabet, without what is misread
LONGEST_PASSWORD = 64
TRIES = 1000


def pattern_check(text: str) -> None:
    """Raises DomainError for a pattern that could not make different names."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        parts = []
    fields = {name: form or "" for _text, name, form, _conversion in parts if name is not None}
    is_sound = (
        "number" in fields
        and set(fields) <= FIELDS
        and all(conversion is None for *_rest, conversion in parts)
        and _NUMBER_FORMAT.fullmatch(fields["number"])
        and not fields.get("location")
        and not fields.get("customer")
    )
    if not is_sound:
        message = _("Use {location}, {customer} and {number:05}; {number} must be there.")
        raise DomainError("setting.invalid", message, fields={"value": message})


def username_next(location: Location, customer: Customer, plan_type: str) -> str:
    """The next free name by the pattern. The sequence is locked until the caller's transaction ends: no name twice."""
    pattern = str(setting(PATTERN))
    words = {"location": router_safe_name(location.name).lower(), "customer": router_safe_name(customer.number).lower()}
    key = f"username:{location.pk}" if "{location" in pattern else "username"
    for _attempt in range(TRIES):
        name = pattern.format(**words, number=numbers_take(key)[0])[:64]
        if not is_taken(name, location.pk, plan_type):
            return name
    message = _("No free user name was found for the pattern; write one.")
    raise DomainError("subscription.no_username", message, fields={"username": message})


def is_taken(name: str, location_id: int, plan_type: str, *, besides: Subscription | None = None) -> bool:
    """Another living service, or any other login on that router, has the name."""
    services = Subscription.objects.filter(location=location_id, type=plan_type, username=name)
    accounts = AccessAccount.objects.filter(location=location_id, kind=KINDS[plan_type], name=name)
    if besides is not None:
        services = services.exclude(pk=besides.pk)
        accounts = accounts.exclude(Q(pk=besides.account_id) | Q(tag=tag_of(besides)))
    return services.exclude(status=SubscriptionStatus.ENDED).exists() or accounts.exists()


def username_checked(name: str, location: Location, plan_type: str, *, besides: Subscription | None = None) -> str:
    text = name.strip()
    message = ""
    if not _NAME.fullmatch(text):
        message = _("1 to 64 letters, digits and . _ @ + - without spaces.")
    elif is_taken(text, location.pk, plan_type, besides=besides):
        message = _("The name %(name)s is already used at %(location)s.") % {"name": text, "location": location.name}
    if message:
        raise DomainError("subscription.username", message, fields={"username": message})
    return text


def password_checked(password: str | None, plan_type: str) -> str | None:
    """The given one, or a new one of eleven thousand billion; a static address has none."""
    if plan_type == PlanType.STATIC:
        return None
    if not password:
        return "".join(secrets.choice(PASSWORD_CHARACTERS) for _n in range(PASSWORD_LENGTH))
    if len(password) > LONGEST_PASSWORD or not password.isprintable():
        message = _("At most %(n)d characters that can be printed.") % {"n": LONGEST_PASSWORD}
        raise DomainError("subscription.password", message, fields={"password": message})
    return password


def mac_checked(address: str) -> str:
    """`aa-bb-cc-dd-ee-ff` as RouterOS writes it; empty stays empty."""
    text = address.strip().upper().replace("-", ":")
    if text and not _MAC.fullmatch(text):
        message = _("Write the MAC address like AA:BB:CC:DD:EE:FF.")
        raise DomainError("subscription.mac_address", message, fields={"mac_address": message})
    return text


def tag_of(subscription: Subscription) -> str:
    """What the router's comment says about whose login it is."""
    return f"s{subscription.pk}"


def publication_of(plan_id: int, location: Location) -> PlanLocation:
    """The plan's profile there. Raises DomainError (`plan.not_published`)."""
    found = publications(plan_id, [location.pk]).get(location.pk)
    if found is None:
        message = _("This plan is not published to %(location)s.") % {"location": location.name}
        raise DomainError("plan.not_published", message, fields={"plan": message})
    return found


def login_put(subscription: Subscription, *, priority: Priority) -> AccessAccount:
    """Want the login on its router as the service is now; remembers which one it is.

    Whether it is held back is not decided here: `services_reconsider` does.
    """
    profile = publication_of(subscription.plan_id, subscription.location).profile
    if subscription.password is None and subscription.type != PlanType.STATIC:
        _refuse_unknown_password(subscription, profile)
    account = account_put(
        profile=profile, name=subscription.username, password=subscription.password, tag=tag_of(subscription),
        is_disabled=subscription.status == SubscriptionStatus.PAUSED, static_address=subscription.static_address,
        mac_address=subscription.mac_address, is_mac_locked=bool(subscription.mac_address), priority=priority,
    )  # fmt: skip
    if subscription.account_id != account.pk:
        subscription.account = account
        subscription.save(update_fields=["account", "updated_at"])
    return account


def _refuse_unknown_password(subscription: Subscription, profile: RouterProfile) -> None:
    """A login that was taken over from a router that did not show its password: it works there and nowhere else."""
    rows = AccessAccount.objects.filter(location_id=profile.location_id, kind=profile.kind, name=subscription.username)
    if not rows.filter(tag=tag_of(subscription), is_password_kept=True).exists():
        message = _("Only the router knows this password. Write a new one first.")
        raise DomainError("subscription.password_unknown", message, fields={"password": message}, status=409)

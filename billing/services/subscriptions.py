"""A service from its draft to its end. What a person agreed is on the row; money is only ever on bills."""

from __future__ import annotations

import ipaddress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing.choices import (
    RUNNING,
    SUBSCRIPTION_MOVES,
    PlanChangeStatus,
    PlanType,
    PromiseStatus,
    SubscriptionStatus,
)
from billing.events import SubscriptionsEnded, SubscriptionsStarted
from billing.models import TERMS_FIELDS, Plan, PlanChange, Promise, Subscription
from billing.services.amounts import late_fee_checked
from billing.services.engine.bills import bills_due, bills_write
from billing.services.engine.unused import final_bill_issue, unused_credit, used_part_bill
from billing.services.history import event_write, reason_checked, staff_acted, subscription_for, today_at
from billing.services.placing import place_choose
from billing.services.roots import customer_lock_living
from billing.services.settling import balance_apply
from billing.services.standing import services_reconsider
from billing.services.subscriptions_logins import (
    login_put,
    mac_checked,
    password_checked,
    publication_of,
    username_checked,
    username_next,
)
from core import clock
from core.db.locks import advisory_locks_wait
from core.db.transition import transition, transition_set
from core.errors import DomainError
from core.events import emit
from core.money import quantise
from customers.models import Customer
from customers.selectors import customers_visible_to
from locations.choices import Priority
from locations.models import AccessAccount, Location, LocationGroup
from locations.selectors import locations_visible_to
from locations.services import Choice, accounts_remove, choice_assign

ADDRESSES_OF = (
    0x6D62_0005 << 32
)  # our advisory locks for the addresses of services; the lower half is the location's id
OLDEST_START = timedelta(days=366)
CHANGEABLE = ("price", "note", *TERMS_FIELDS)
PRICING = frozenset({"price", "tax_mode"})  # what would ask another amount for days used already
ALIVE = tuple(
    status for status in SubscriptionStatus if status not in {SubscriptionStatus.DRAFT, SubscriptionStatus.ENDED}
)


@transaction.atomic
def subscription_create(
    *,
    customer: Customer,
    plan: Plan,
    location: Location | None = None,
    group: LocationGroup | None = None,
    username: str = "",
    password: str | None = None,
    static_address: str | None = None,
    mac_address: str = "",
    actor: User | None,
    ip: str | None = None,
    request_key: str | None = None,
    now: datetime | None = None,
    **agreed: Any,
) -> Subscription:
    """A draft: nothing on a router, nothing owed. Terms come from the plan; `agreed` overrules price, terms and note.

    Without `location` the `group` chooses one, and why is written down (`choice_for("subscription:<id>")`). The same
    `request_key` returns the service it made. Raises DomainError naming the fields that are wrong.
    """
    if request_key and (known := _of_request(request_key, actor)):
        return known
    at = now or clock.now()
    choice = None
    if location is None:
        choice = _choose(customer, plan, group, actor, at)
        location = choice.location
    _check_scope(customer, location, actor)
    _check_offer(plan, location)
    customer = customer_lock_living(customer.pk)
    row = Subscription(
        customer_id=customer.pk, plan=plan, location=location, type=plan.type,
        request_key=request_key or None, mac_address=mac_checked(mac_address), **_terms(plan),
    )  # fmt: skip
    _agree(row, agreed)
    row.static_address = address_checked(static_address, plan.type)
    address_free(row.static_address, location)
    row.password = password_checked(password, plan.type)
    row.username = (
        username_checked(username, location, plan.type)
        if username.strip()
        else username_next(location, customer, plan.type)
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return _made_meanwhile(row, request_key, actor)
    Customer.objects.filter(pk=row.customer_id, location=None).update(location=location)
    if choice and choice.record:
        choice_assign(choice.record, subject=f"subscription:{row.pk}", name=row.username)
    event_write(row, "created", at=at, actor=actor, to_status=row.status, plan=plan.name, location=location.name)
    staff_acted(actor, "subscription.created", ip, row, plan=plan.pk, location=location.pk)
    return row


def _choose(customer: Customer, plan: Plan, group: LocationGroup | None, actor: User | None, at: datetime) -> Choice:
    if group is None:
        message = _("Choose a location, or a group that chooses.")
        raise DomainError("subscription.location", message, fields={"location": message})
    has_point = customer.latitude is not None and customer.longitude is not None
    point = (float(customer.latitude or 0), float(customer.longitude or 0)) if has_point else None
    return place_choose(plan, group, point=point, actor=actor, now=at)


def _of_request(request_key: str, actor: User | None) -> Subscription | None:
    row = Subscription.objects.select_related("plan", "location").filter(request_key=request_key).first()
    if row and actor is not None and not locations_visible_to(actor).filter(pk=row.location_id).exists():
        raise DomainError("subscription.request_key", _("This request was already used by someone else."), status=409)
    return row


def _made_meanwhile(row: Subscription, request_key: str | None, actor: User | None) -> Subscription:
    if request_key and (known := _of_request(request_key, actor)):
        return known
    message = _("The name %(name)s was just taken at %(location)s.")
    message = message % {"name": row.username, "location": row.location.name}
    raise DomainError("subscription.username", message, fields={"username": message}, status=409)


def _check_scope(customer: Customer, location: Location, actor: User | None) -> None:
    if actor is None:
        return
    if not locations_visible_to(actor).filter(pk=location.pk).exists():
        message = _("You can make services for your own locations only.")
        raise DomainError("subscription.not_your_location", message, fields={"location": message}, status=403)
    if not customers_visible_to(actor).filter(pk=customer.pk).exists():
        message = _("There is no such customer at your locations.")
        raise DomainError("subscription.not_your_customer", message, fields={"customer": message}, status=404)


def _check_offer(plan: Plan, location: Location) -> None:
    if not plan.is_active:
        message = _("This plan is not on sale.")
        raise DomainError("subscription.plan", message, fields={"plan": message})
    publication_of(plan.pk, location)


def _terms(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in TERMS_FIELDS}


def _agree(row: Subscription, agreed: dict[str, Any]) -> None:
    """Take what was agreed over and check every value. Raises DomainError with one sentence per field."""
    unknown = sorted(set(agreed) - set(CHANGEABLE))
    if unknown:
        message = _("A service has no such field.")
        raise DomainError("subscription.invalid", message, fields=dict.fromkeys(unknown, message))
    problems: dict[str, str] = {}
    for name, value in agreed.items():
        try:
            setattr(row, name, quantise(value) if name == "price" and value is not None else value)
        except (DomainError, TypeError):
            problems[name] = _("Write an amount of money.")
    try:
        row.late_fee = late_fee_checked(row.late_fee_kind, row.late_fee)
    except DomainError as error:
        problems |= error.fields
    try:
        others = {field.name for field in Subscription._meta.fields} - set(CHANGEABLE)
        row.clean_fields(exclude=others | set(problems))
    except ValidationError as error:
        problems |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    if "fixed_day" not in problems and row.fixed_day in {29, 30}:
        problems["fixed_day"] = _("1 to 28, or 31 for the last day of the month.")
    if problems:
        raise DomainError("subscription.invalid", _("Some values are not right; nothing was changed."), fields=problems)


def address_checked(address: str | None, plan_type: str) -> str | None:
    """An address a subscriber can have; a static service needs one, a hotspot login has none."""
    text = (address or "").strip()
    message = ""
    if not text:
        message = _("A static service needs an address.") if plan_type == PlanType.STATIC else ""
    elif plan_type == PlanType.HOTSPOT:
        message = _("A hotspot login gets its address from the router.")
    else:
        try:
            found = ipaddress.IPv4Address(text)
            is_usable = not (found.is_multicast or found.is_unspecified or found.is_loopback or found.is_reserved)
            message = "" if is_usable else _("No subscriber can have this address.")
        except ValueError:
            message = _("Write an IPv4 address like 10.20.30.40.")
    if message:
        raise DomainError("subscription.static_address", message, fields={"static_address": message})
    return text or None


def address_free(address: str | None, location: Location, *, besides: Subscription | None = None) -> None:
    """No two services of a location have one address, drafts included. Raises DomainError naming who has it.

    Holds the location's addresses until the transaction ends: of two that ask at once the second sees the first.
    """
    if not address:
        return
    advisory_locks_wait([ADDRESSES_OF + location.pk])
    others = Subscription.objects.filter(location=location, static_address=address)
    others = others.exclude(status=SubscriptionStatus.ENDED)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if name := others.values_list("username", flat=True).first():
        message = _("%(name)s has the address %(address)s at %(location)s already.")
        message = message % {"name": name, "address": address, "location": location.name}
        raise DomainError("subscription.address_taken", message, fields={"static_address": message})


@transaction.atomic
def subscription_activate(
    subscription: Subscription,
    *,
    reason: str = "",
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
    started_on: date | None = None,
    billed_until: date | None = None,
) -> Subscription:
    """Open the service: its login goes to the router, and its first bill is issued as its terms say.

    `started_on`: today, unless it began earlier; it fixes the day of the month. `billed_until`: the first day that was
    not paid for yet somewhere else (a customer who moves in from another system).
    """
    at = now or clock.now()
    why = reason_checked(reason)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT])
    _check_offer_still(fresh)
    today = today_at(fresh, at)
    start = started_on or today
    if not today - OLDEST_START <= start <= today:
        message = _("The start is today or at most a year ago.")
        raise DomainError("subscription.started_on", message, fields={"started_on": message})
    first = billed_until or start
    if first < start or first > today + OLDEST_START:
        message = _("Paid until at most a year ahead, and not before the start.")
        raise DomainError("subscription.billed_until", message, fields={"billed_until": message})
    rows = Subscription.objects.filter(pk=fresh.pk)
    transition(
        rows, to=SubscriptionStatus.ACTIVE, allowed=SUBSCRIPTION_MOVES, started_on=start, billed_until=first,
        expiry_date=first - timedelta(days=1),
    )  # fmt: skip
    fresh.refresh_from_db()
    event_write(
        fresh, "activated", at=at, actor=actor, reason=why, from_status=SubscriptionStatus.DRAFT,
        to_status=SubscriptionStatus.ACTIVE, started_on=start, billed_until=first,
    )  # fmt: skip
    staff_acted(actor, "subscription.activated", ip, fresh, reason=why, started_on=start)
    login_put(fresh, priority=Priority.PAID)
    bills_bring_up(fresh, today, now=at, is_fresh=True)
    emit(SubscriptionsStarted([fresh.pk]))
    fresh.refresh_from_db()
    return fresh


def _check_offer_still(row: Subscription) -> None:
    publication_of(row.plan_id, row.location)


def bills_bring_up(row: Subscription, today: date, *, now: datetime, is_fresh: bool = False) -> int:
    """Bill what is due by today, pay it from the balance as far as it reaches, and judge the service anew."""
    count = bills_write(bills_due([row], today, is_fresh=is_fresh), now=now)
    if count:
        balance_apply([row.customer_id], now=now)
    services_reconsider([row.pk], now=now)
    return count


@transaction.atomic
def subscription_change(
    subscription: Subscription, *, actor: User | None, ip: str | None = None, now: datetime | None = None, **agreed: Any
) -> Subscription:
    """Change price, terms, note: they hold from the next bill. What was billed stays as it was billed.

    Days used and not billed yet (postpaid) are billed first where the new terms would ask another amount for them.
    """
    at = now or clock.now()
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT, *ALIVE])
    before = {name: getattr(fresh, name) for name in agreed if name in CHANGEABLE}
    _agree(fresh, agreed)
    changed = {name: (old, getattr(fresh, name)) for name, old in before.items() if old != getattr(fresh, name)}
    if not changed:
        return fresh
    if PRICING & set(changed) and fresh.status in RUNNING:
        _used_days_bill(fresh, today_at(fresh, at), now=at)
    fresh.save(update_fields=[*changed, "updated_at"])
    details: dict[str, Any] = {
        name: {"before": _text(old), "after": _text(new)} for name, (old, new) in changed.items()
    }  # fmt: skip
    event_write(fresh, "changed", at=at, actor=actor, changes=details)
    staff_acted(actor, "subscription.changed", ip, fresh, changes=details)
    if fresh.is_auto_renewed and "is_auto_renewed" in changed:
        balance_apply([fresh.customer_id], now=at)  # not only with the next bill
    services_reconsider([fresh.pk], now=at)  # other days of grace may open or hold back
    fresh.refresh_from_db()
    return fresh


def _used_days_bill(row: Subscription, today: date, *, now: datetime) -> None:
    """As they were agreed until now: read anew, for `row` has the new terms already."""
    agreed = Subscription.objects.select_related("plan", "location").get(pk=row.pk)
    bills_write(bills_due([agreed], today), now=now)
    used_part_bill(agreed, today, now=now)
    row.billed_until = agreed.billed_until
    balance_apply([row.customer_id], now=now)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


@transaction.atomic
def subscription_end(
    subscription: Subscription,
    *,
    reason: str,
    is_credited: bool = False,
    actor: User | None,
    ip: str | None = None,
    now: datetime | None = None,
) -> Subscription:
    """End the service for good: its login leaves the router. Days used and not billed yet are billed now; what is owed stays.

    `is_credited`: days paid for and not used are credited (first against the bill they are on, the rest to the balance);
    a period billed ahead that never begins always is.
    """
    at = now or clock.now()
    why = reason_checked(reason, is_needed=True)
    fresh = subscription_for(subscription, actor, statuses=[SubscriptionStatus.DRAFT, *ALIVE])
    before, today = fresh.status, today_at(fresh, at)
    if before != SubscriptionStatus.DRAFT:
        _settle_days(fresh, today, is_credited, why, now=at, actor=actor, ip=ip)
    transition(
        Subscription.objects.filter(pk=fresh.pk), to=SubscriptionStatus.ENDED, allowed=SUBSCRIPTION_MOVES, ended_on=today,
        paused_on=None, resume_on=None,
    )  # fmt: skip
    _loose_ends(fresh, today, at)
    if fresh.account_id:
        accounts_remove(AccessAccount.objects.filter(pk=fresh.account_id), shuts_addresses=True)
    event_write(
        fresh, "ended", at=at, actor=actor, reason=why, from_status=before, to_status=SubscriptionStatus.ENDED,
        is_credited=is_credited,
    )  # fmt: skip
    staff_acted(actor, "subscription.ended", ip, fresh, reason=why, is_credited=is_credited)
    emit(SubscriptionsEnded([fresh.pk]))
    fresh.refresh_from_db()
    return fresh


def _settle_days(
    row: Subscription, today: date, is_credited: bool, why: str, *, now: datetime, actor: User | None, ip: str | None
) -> None:
    last = row.paused_on or today  # the days of a pause were not used
    if row.status != SubscriptionStatus.PAUSED:
        bills_write(bills_due([row], today, lead_days=0), now=now)  # what comes is not billed ahead any more
        used_part_bill(row, today, now=now)
    final_bill_issue(row, today, now=now)
    # a period that was billed ahead and never begins is owed by nobody, asked or not
    never = row.periods.filter(starts_on__gt=last).order_by("starts_on").values_list("starts_on", flat=True).first()
    if start := last if is_credited else never:
        unused_credit(row, start, row.billed_until or start, why="ended", now=now, actor=actor, ip=ip, reason=why)
    balance_apply([row.customer_id], now=now)


def _loose_ends(row: Subscription, today: date, at: datetime) -> None:
    promises = Promise.objects.filter(subscription=row, status=PromiseStatus.OPEN)
    promises.update(status=PromiseStatus.CANCELLED, ended_at=at)
    waiting = PlanChange.objects.filter(subscription=row)
    transition_set(waiting.filter(status=PlanChangeStatus.WAITING), to=PlanChangeStatus.CANCELLED, allowed={
        PlanChangeStatus.WAITING: {PlanChangeStatus.CANCELLED}
    })  # fmt: skip
    row.addons.filter(until_on=None).update(until_on=today)

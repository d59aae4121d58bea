"""Plans: making and changing them. What was sold under a plan keeps its price and terms (they are on the batch)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import rate_limit
from billing.models import TERMS_FIELDS, Plan, PlanLocation, PrepayDiscount
from billing.services.amounts import late_fee_checked
from billing.services.publishing import publication_refresh
from core.db.locks import lock_row
from core.errors import DomainError
from core.events import emit
from core.money import quantise
from core.staff_events import StaffActed

PLAN_FIELDS = (
    "name", "type", "price_sell", "price_cost", "duration_seconds", "validity_from", "rate_limit", "shared_users",
    "uptime_limit_seconds", "data_limit_bytes", "idle_timeout_seconds", "keepalive_timeout_seconds", "address_pool",
    "is_mac_locked", "is_active", *TERMS_FIELDS,
)  # fmt: skip
AMOUNTS = ("price_sell", "price_cost")
# What the router profile is made of: a change of these is sent to every location the plan is published at.
PROFILE_FIELDS = frozenset(
    {"rate_limit", "shared_users", "idle_timeout_seconds", "keepalive_timeout_seconds", "address_pool"}
)


@transaction.atomic
def plan_create(*, actor: User | None, ip: str | None = None, **fields: Any) -> Plan:
    """A new plan. Raises DomainError (`plan.invalid`) naming the fields that are wrong."""
    plan = Plan()
    _assign(plan, fields)
    _validate(plan)
    _store(plan)
    emit(StaffActed(_id(actor), "plan.created", {"plan": plan.pk, "after": _state(plan, PLAN_FIELDS)}, ip))
    return plan


@transaction.atomic
def plan_change(plan: Plan, *, actor: User | None, ip: str | None = None, **fields: Any) -> Plan:
    """Change a plan; changed rules go to its router profiles. Vouchers already made keep their price and terms.

    Raises DomainError for invalid values, and `plan.published` for another type while it is on routers.
    """
    plan = lock_row(Plan.objects.all(), plan.pk)
    before = _state(plan, PLAN_FIELDS)
    _assign(plan, fields)
    _validate(plan)
    after = _state(plan, PLAN_FIELDS)
    changed = [name for name in PLAN_FIELDS if before[name] != after[name]]
    if not changed:
        return plan
    if "type" in changed and PlanLocation.objects.filter(plan=plan).exists():
        message = _("Take the plan off its locations before changing its type.")
        raise DomainError("plan.published", message, fields={"type": message})
    _store(plan)
    if PROFILE_FIELDS.intersection(changed):
        publication_refresh(plan)
    details = {
        "plan": plan.pk,
        "before": {name: before[name] for name in changed},
        "after": {name: after[name] for name in changed},
    }
    emit(StaffActed(_id(actor), "plan.changed", details, ip))
    return plan


@transaction.atomic
def prepay_discounts_put(
    plan: Plan, discounts: Mapping[int, Decimal | int], *, actor: User | None, ip: str | None = None
) -> bool:
    """Exactly these discounts (percent by months) for who pays months ahead; returns whether something changed."""
    before = dict(PrepayDiscount.objects.filter(plan=plan).values_list("months", "percent"))
    if before == dict(discounts):
        return False
    PrepayDiscount.objects.filter(plan=plan).exclude(months__in=list(discounts)).delete()
    for months, percent in discounts.items():
        row = PrepayDiscount(plan=plan, months=months, percent=percent)
        try:
            row.clean_fields()
        except ValidationError as error:
            fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
            raise DomainError("plan.prepay", _("A discount is not right."), fields=fields) from None
        PrepayDiscount.objects.update_or_create(plan=plan, months=months, defaults={"percent": percent})
    details = {
        "plan": plan.pk, "before": {str(key): str(value) for key, value in before.items()},
        "after": {str(key): str(value) for key, value in discounts.items()},
    }  # fmt: skip
    emit(StaffActed(_id(actor), "plan.prepay_changed", details, ip))
    return True


def _assign(plan: Plan, fields: dict[str, Any]) -> None:
    unknown = sorted(set(fields) - set(PLAN_FIELDS))
    if unknown:
        message = _("A plan has no such field.")
        raise DomainError("plan.invalid", message, fields=dict.fromkeys(unknown, message))
    for name, value in fields.items():
        setattr(plan, name, value)


def _validate(plan: Plan) -> None:
    """One place for what a plan may be; also puts amounts and the speed limit into their canonical form."""
    problems: dict[str, str] = {}
    for name in AMOUNTS:
        try:
            setattr(plan, name, quantise(getattr(plan, name)))
        except (DomainError, TypeError):
            problems[name] = _("Write an amount of money.")
    try:
        plan.late_fee = late_fee_checked(plan.late_fee_kind, plan.late_fee)
    except DomainError as error:
        problems |= error.fields
    try:
        plan.rate_limit = rate_limit.normalise(plan.rate_limit or "")
    except DomainError as error:
        problems["rate_limit"] = error.message
    plan.name = (plan.name or "").strip()
    plan.address_pool = (plan.address_pool or "").strip()
    try:
        plan.clean_fields(exclude=list(problems))
    except ValidationError as error:
        problems |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    for name in ("uptime_limit_seconds", "data_limit_bytes", "idle_timeout_seconds", "keepalive_timeout_seconds"):
        if getattr(plan, name) == 0:
            problems[name] = _("Leave it empty for no limit; 0 is not a limit.")
    if plan.fixed_day in {29, 30}:
        problems["fixed_day"] = _("1 to 28, or 31 for the last day of the month.")
    if problems:
        raise DomainError("plan.invalid", _("The plan was not saved: some values are not right."), fields=problems)


def _store(plan: Plan) -> None:
    try:
        with transaction.atomic():
            plan.save()
    except IntegrityError:
        message = _("There is already a plan called “%(name)s”.") % {"name": plan.name}
        raise DomainError("plan.name_taken", message, fields={"name": message}) from None


def _state(plan: Plan, names: tuple[str, ...]) -> dict[str, Any]:
    """Values as the activity log keeps them: amounts as text, the rest as they are."""
    values = {name: getattr(plan, name) for name in names}
    return {
        name: str(quantise(value))
        if name in AMOUNTS
        else str(value.normalize())
        if isinstance(value, Decimal)
        else value
        for name, value in values.items()
    }


def _id(actor: User | None) -> int | None:
    return actor.pk if actor else None

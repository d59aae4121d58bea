"""Services that run on a router already: rows for them, and letting go of them while nothing was billed or changed.

No history line is written for what was taken over: history only grows, and taking over can be undone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import ProtectedError, Q
from django.utils.translation import gettext as _

from billing.choices import PeriodMode, SubscriptionStatus
from billing.models import TERMS_FIELDS, Plan, PlanLocation, Subscription
from billing.periods import clamped
from core.errors import DomainError
from locations.models import AccessAccount, Location, RouterProfile
from locations.services import accounts_forget, accounts_touched, profiles_forget, profiles_forgettable

LATEST = 366  # days ahead that the first bill may lie


@dataclass(frozen=True)
class FoundService:
    """A login as the router has it; `password` None: the router does not show it, and nobody else knows it."""

    customer_id: int
    plan: Plan
    username: str
    password: str | None
    static_address: str | None = None
    mac_address: str = ""
    is_paused: bool = False
    note: str = ""


def billed_until_check(day: date, today: date) -> None:
    """Raises DomainError when the first day to bill is in the past or too far ahead."""
    if not today <= day <= today + timedelta(days=LATEST):
        message = _("The first day to bill is today or at most a year ahead.")
        raise DomainError("subscription.billed_until", message, fields={"billed_from": message})


@transaction.atomic
def subscriptions_adopt(
    location: Location, found: Sequence[FoundService], *, billed_until: date, today: date
) -> list[Subscription]:
    """Services as their plans say, paid until the day before `billed_until`; nothing is billed and no login is sent now.

    Their accounts carry the tag `s<id>` and are tied to them by `subscriptions_tie`. Raises IntegrityError when a
    name is taken at the location.
    """
    billed_until_check(billed_until, today)
    start = _start(billed_until, today)
    rows = [_row(location, one, start, billed_until, today) for one in found]
    return Subscription.objects.bulk_create(rows, batch_size=2000)


def _start(billed_until: date, today: date) -> date:
    """A day in the past with the same day of the month, so that rolling periods run from the first bill's day on."""
    year, month = today.year, today.month
    start = clamped(year, month, billed_until.day)
    if start > today:
        start = clamped(*((year, month - 1) if month > 1 else (year - 1, 12)), billed_until.day)
    return start


def _row(location: Location, one: FoundService, start: date, billed_until: date, today: date) -> Subscription:
    plan = one.plan
    terms: dict[str, Any] = {name: getattr(plan, name) for name in TERMS_FIELDS}
    if terms["period_mode"] == PeriodMode.FIXED_DAY:
        start = min(start, today)
    status = SubscriptionStatus.PAUSED if one.is_paused else SubscriptionStatus.ACTIVE
    return Subscription(
        customer_id=one.customer_id, plan=plan, location=location, type=plan.type, status=status,
        username=one.username, password=one.password, static_address=one.static_address, mac_address=one.mac_address,
        started_on=start, billed_until=billed_until, expiry_date=billed_until - timedelta(days=1),
        paused_on=today if one.is_paused else None, note=one.note, **terms,
    )  # fmt: skip


_TIE = """
UPDATE billing_subscription s SET account_id = a.id FROM locations_accessaccount a
WHERE s.id = ANY(%s) AND a.location_id = s.location_id AND a.tag = 's' || s.id AND a.name = s.username
"""


@transaction.atomic
def subscriptions_tie(ids: Sequence[int]) -> None:
    """Remember which account on the router is whose."""
    with connection.cursor() as cursor:
        cursor.execute(_TIE, [list(ids)])


def subscriptions_moved_on(ids: Sequence[int], *, rounds: int = 0) -> dict[str, str]:
    """Of these the user names that cannot be let go of any more, each with why: `billed` or `changed`."""
    rows = Subscription.objects.filter(pk__in=ids)
    logins = AccessAccount.objects.filter(pk__in=rows.exclude(account=None).values("account_id"))
    touched = set(accounts_touched(logins, rounds=rounds).values_list("pk", flat=True))
    loose = Q(events__isnull=False) | Q(addons__isnull=False) | Q(charges__isnull=False) | Q(account=None)
    loose |= Q(promises__isnull=False) | Q(plan_changes__isnull=False) | Q(coupon_uses__isnull=False)
    found = dict.fromkeys(rows.filter(loose).distinct().values_list("username", flat=True), "changed")
    found |= dict.fromkeys(rows.filter(account__in=touched).values_list("username", flat=True), "changed")
    return found | dict.fromkeys(
        rows.filter(periods__isnull=False).distinct().values_list("username", flat=True), "billed"
    )


@transaction.atomic
def subscriptions_forget(ids: Sequence[int], keep: Collection[str], *, rounds: int = 0) -> int:
    """Remove services that were taken over, with their accounts, except these names; the router keeps its entries."""
    rows = Subscription.objects.filter(pk__in=ids).exclude(username__in=list(keep)).order_by("pk")
    locked = list(rows.select_for_update(of=("self",)).values_list("pk", "account_id"))
    accounts = [account for _pk, account in locked if account is not None]
    gone = Subscription.objects.filter(pk__in=[pk for pk, _account in locked])
    gone.update(account=None)
    accounts_forget(AccessAccount.objects.filter(pk__in=accounts), rounds=rounds)
    return gone.delete()[1].get("billing.Subscription", 0)


@transaction.atomic
def publication_adopt(plan: Plan, profile: RouterProfile) -> PlanLocation | None:
    """The plan is what this profile of the router sells; None when it has another profile at this location already."""
    row, is_new = PlanLocation.objects.get_or_create(
        plan=plan, location_id=profile.location_id, defaults={"profile": profile}
    )
    return row if is_new else None


@transaction.atomic
def publications_forget(
    profile_ids: Sequence[int], plan_ids: Sequence[int], *, rounds: int = 0
) -> tuple[list[int], list[int]]:
    """Let go of profiles that have no logins left, and of plans made for them that nothing else uses.

    Returns which profiles and which plans went. What was changed since stays.
    """
    ids = profiles_forgettable(profile_ids, rounds=rounds)
    PlanLocation.objects.filter(profile__in=ids).delete()
    profiles_forget(ids)
    return ids, [pk for pk in plan_ids if _deleted(pk)]


def _deleted(plan_id: int) -> bool:
    try:
        with transaction.atomic():
            Plan.objects.filter(pk=plan_id).delete()
    except ProtectedError:
        return False
    return True

"""The landing page: who owes most, who was cut off today, which routers do not answer. A few short lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from billing.choices import SubscriptionStatus
from billing.models import SubscriptionEvent
from billing.selectors import subscriptions_visible_to
from core.formats import money
from core.words import Words
from customers.models import Customer
from customers.selectors import customers_visible_to
from dashboard import links
from locations.choices import Reach
from locations.models import TODO, AccessAccount, RouterState
from locations.selectors import locations_visible_to
from locations.words import unreachable_words

SHOWN = 6


@dataclass(frozen=True)
class Row:
    """One line of a list: what it is about, what is the matter, where it leads."""

    title: str
    note: str
    url: str
    words: Words | None = None
    at: datetime | None = None
    zone: str = ""


@dataclass(frozen=True)
class Short:
    """A short list; `count` counts all its rows, not only those shown."""

    rows: Sequence[Row]
    count: int
    total: Decimal = Decimal(0)


@dataclass(frozen=True)
class Lists:
    """None where the person has no right to see the list."""

    owing: Short | None
    isolated: Short | None
    routers: Short | None


def home_lists(user: User, now: datetime) -> Lists:
    return Lists(
        owing=_owing(user) if user.has_perm("customers.view_customer") else None,
        isolated=_isolated(user, now) if user.has_perm("billing.view_subscription") else None,
        routers=_routers(user, now) if user.has_perm("locations.view_location") else None,
    )


def customers_owing(user: User) -> QuerySet[Customer]:
    """Served by the partial index of customers with debt, the largest first."""
    return customers_visible_to(user).filter(debt__gt=0, merged_into=None).order_by("-debt", "-id")


def _owing(user: User) -> Short:
    rows = customers_owing(user)
    totals = rows.order_by().aggregate(n=Count("pk"), total=Sum("debt"))
    shown = [Row(c.name, money(c.debt), links.customer_page(c.pk)) for c in rows[:SHOWN]]
    return Short(shown, totals["n"], totals["total"] or Decimal(0))


def isolated_today(user: User, now: datetime) -> QuerySet[SubscriptionEvent]:
    """Cut off since midnight of the installation's day, and still so; the newest first."""
    midnight = timezone.localtime(now, timezone.get_default_timezone()).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    services = subscriptions_visible_to(user).filter(status=SubscriptionStatus.ISOLATED)
    moves = SubscriptionEvent.objects.filter(to_status=SubscriptionStatus.ISOLATED, at__gte=midnight)
    return moves.filter(subscription__in=services.values("pk")).order_by("-at", "-id")


def _isolated(user: User, now: datetime) -> Short:
    rows = isolated_today(user, now)
    shown = rows.select_related("subscription__customer", "subscription__location").defer(
        "subscription__password", "subscription__location__password"
    )
    return Short([_isolated_row(row) for row in shown[:SHOWN]], rows.order_by().count())


def _isolated_row(row: SubscriptionEvent) -> Row:
    service = row.subscription
    url = links.customer_page(service.customer_id)
    return Row(service.customer.name, service.username, url, at=row.at, zone=service.location.timezone)


def _routers(user: User, now: datetime) -> Short:
    places = locations_visible_to(user).filter(is_active=True)
    states = RouterState.objects.filter(location__in=places.values("pk"))
    bad = states.exclude(reach__in=[Reach.ONLINE, Reach.UNKNOWN]).select_related("location").defer("location__password")
    found = list(bad.order_by("-reach_since", "pk")[:SHOWN])
    changes = AccessAccount.objects.filter(TODO, location_id__in=[row.pk for row in found]).order_by()
    waiting = dict(changes.values_list("location_id").annotate(Count("pk")))
    rows = [_router_row(row, waiting.get(row.pk, 0), now) for row in found]
    return Short(rows, bad.count())


def _router_row(row: RouterState, waiting: int, now: datetime) -> Row:
    words = unreachable_words(row.reach, row.reach_since, waiting, row.location.timezone, now)
    return Row(row.location.name, "", links.location_page(row.pk), words=words)

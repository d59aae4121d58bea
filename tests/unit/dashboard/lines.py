"""Lines for the checks, built without a database: a healthy one, and changes to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.models import Invoice, Plan, PlanLocation, Promise, Subscription, SubscriptionEvent
from customers.models import Customer
from dashboard.offline import Line
from locations.choices import Reach
from locations.models import AccessAccount, Location, RouterProfile, RouterSession, RouterState

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)  # 14.00 in Jakarta
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def location(**fields: Any) -> Location:
    return Location(**{"pk": 2, "name": "Pos 2", "timezone": "Asia/Jakarta"} | fields)


def subscription(**fields: Any) -> Subscription:
    values: dict[str, Any] = {
        "pk": 5, "customer": Customer(pk=7, number="C000007", name="Bu Sri"), "location": location(),
        "plan": Plan(pk=3, name="Rumah 10M", price_sell=Decimal(150_000)), "type": "pppoe", "status": "active",
        "username": "sri", "started_on": date(2026, 1, 1), "billed_until": date(2026, 12, 1), "grace_days": 3,
    }  # fmt: skip
    return Subscription(**values | fields)


def profile(**fields: Any) -> RouterProfile:
    values: dict[str, Any] = {"pk": 8, "name": "rumah-10m", "kind": "ppp", "revision": 1, "applied_revision": 1}
    return RouterProfile(**values | fields)


def account(**fields: Any) -> AccessAccount:
    values: dict[str, Any] = {
        "pk": 9, "name": "sri", "kind": "ppp", "profile": profile(), "revision": 2, "applied_revision": 2,
        "applied_at": NOW - timedelta(seconds=12), "changed_at": NOW - 2 * HOUR, "last_seen_at": NOW - HOUR,
    }  # fmt: skip
    return AccessAccount(**values | fields)


def state(**fields: Any) -> RouterState:
    values: dict[str, Any] = {
        "reach": Reach.ONLINE, "reach_since": NOW - DAY, "seen_at": NOW - timedelta(seconds=30),
        "polled_at": NOW - timedelta(seconds=30),
    }  # fmt: skip
    return RouterState(**values | fields)


def session(**fields: Any) -> RouterSession:
    values: dict[str, Any] = {
        "name": "sri", "address": "10.5.0.7", "mac_address": "AA:BB:CC:00:00:01", "uptime_seconds": 11_970,
        "started_at": NOW - timedelta(seconds=12_000), "seen_at": NOW - timedelta(seconds=30),
    }  # fmt: skip
    return RouterSession(**values | fields)


def bill(**fields: Any) -> Invoice:
    values: dict[str, Any] = {
        "pk": 12, "number": "INV/2026/000012", "status": "open", "total": Decimal(150_000), "due_on": date(2026, 11, 10),
    }  # fmt: skip
    return Invoice(**values | fields)


def since(to_status: str, at: datetime = NOW - 8 * DAY) -> SubscriptionEvent:
    return SubscriptionEvent(kind=to_status, to_status=to_status, at=at)


def promise(until_on: date) -> Promise:
    return Promise(until_on=until_on, status="open", at=NOW)


def line(**fields: Any) -> Line:
    """A line with which nothing is wrong, except that nobody is online."""
    values: dict[str, Any] = {
        "subscription": subscription(), "now": NOW, "account": account(), "state": state(),
        "publication": PlanLocation(pk=4),
    }  # fmt: skip
    return Line(**values | fields)


def isolated(**fields: Any) -> Line:
    values: dict[str, Any] = {
        "subscription": subscription(status="isolated"), "unpaid": bill(), "since": since("isolated"),
        "account": account(is_isolated=True),
    }  # fmt: skip
    return line(**values | fields)

"""Places, people and customers for the tests of the customer room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from accounts.choices import Role
from accounts.models import ActivityLog, User
from customers.models import Customer
from customers.services import customer_create
from locations.choices import UserType
from locations.models import Location, LocationUser, RouterState

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def make_user(name: str = "ani", role: str = Role.ADMIN, *places: Location) -> User:
    user = User.objects.create_user(username=name, password=None, role=role, is_staff=True)
    LocationUser.objects.bulk_create(
        LocationUser(location=place, user=user, user_type=UserType.STAFF) for place in places
    )
    return user


def make_location(name: str = "Pos 1") -> Location:
    location = Location.objects.create(name=name, host="127.0.0.1", username="api")
    RouterState.objects.create(location=location)
    return location


def make_customer(name: str = "Bu Sri", **fields: Any) -> Customer:
    return customer_create(actor=None, name=name, now=NOW, **fields)


def kinds(customer: Customer) -> list[str]:
    """The customer's own history, oldest first."""
    return list(customer.events.order_by("pk").values_list("kind", flat=True))


def everything_written() -> str:
    """All that only grows and speaks of customers, as text."""
    from customers.models import CustomerEvent

    rows = [*CustomerEvent.objects.values_list("details"), *ActivityLog.objects.values_list("details")]
    return " ".join(map(str, rows))

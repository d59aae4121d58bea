"""Plans, places, people and finished batches for the tests of the voucher room, made through the services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.choices import Role
from accounts.models import User
from billing.models import Plan
from billing.services import plan_create, plan_publish
from locations.choices import UserType
from locations.models import AccessAccount, Location, LocationUser, RouterState
from vouchers.models import Voucher, VoucherBatch
from vouchers.services import batch_create, batch_generate

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make_user(name: str = "boss", role: str = Role.ADMIN, *places: Location) -> User:
    user = User.objects.create_user(username=name, password=None, role=role)
    LocationUser.objects.bulk_create(
        LocationUser(location=place, user=user, user_type=UserType.STAFF) for place in places
    )
    return user


def make_location(name: str = "Pos 1", **state: Any) -> Location:
    location = Location.objects.create(name=name, host="127.0.0.1", username="api")
    RouterState.objects.create(location=location, **state)
    return location


def make_plan(name: str = "Harian", *places: Location, **fields: Any) -> Plan:
    values: dict[str, Any] = {"price_sell": 5000, "price_cost": 3500, "duration_seconds": 86400} | fields
    plan = plan_create(actor=None, name=name, **values)
    plan_publish(plan, places, actor=None)
    return plan


def make_batch(plan: Plan, *places: Location, **fields: Any) -> VoucherBatch:
    """Ordered and generated."""
    batch = batch_create(plan=plan, locations=places, actor=None, **({"quantity": 3} | fields))
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert batch.status == "ready", batch.error
    return batch


def vouchers_of(batch: VoucherBatch) -> list[Voucher]:
    return list(Voucher.objects.filter(batch=batch).order_by("code"))


def accounts_named(code: str) -> list[AccessAccount]:
    return list(AccessAccount.objects.filter(name=code).order_by("location_id"))


def kinds(voucher: Voucher) -> list[str]:
    """The voucher's history, oldest first."""
    return list(voucher.events.order_by("pk").values_list("kind", flat=True))

"""Locations, plans and batches as a benchmark needs them, made through the services; and questions in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from accounts.choices import Role
from accounts.models import User
from billing.models import Plan
from billing.services import plan_create, plan_publish
from locations.models import Location, RouterState
from locations.sync.writer import location_run
from tests.perf.fleet import PASSWORD, USER
from vouchers.choices import BatchStatus, PushAt
from vouchers.models import VoucherBatch
from vouchers.services import batch_create, batch_generate

TERMS: dict[str, Any] = {
    "price_sell": 5000, "price_cost": 3500, "duration_seconds": 86_400, "uptime_limit_seconds": 36_000,
    "data_limit_bytes": 5_000_000_000, "rate_limit": "2M/4M",
}  # fmt: skip


def make_location(name: str, port: int = 9, *, is_active: bool = True) -> Location:
    """A location row; without a router behind it (port 9) it should not be active."""
    location = Location.objects.create(
        name=name, host="127.0.0.1", port=port, username=USER, password=PASSWORD, is_active=is_active
    )
    RouterState.objects.create(location=location)
    return location


def make_plan(name: str, locations: Sequence[Location], **terms: Any) -> Plan:
    plan = plan_create(actor=None, **(TERMS | terms | {"name": name}))
    plan_publish(plan, locations, actor=None)
    return plan


def make_batch(plan: Plan, location: Location, quantity: int, push_at: str = PushAt.CREATION) -> VoucherBatch:
    """Ordered and generated. Raises RuntimeError with the reason when it failed."""
    batch = batch_create(plan=plan, locations=[location], quantity=quantity, push_at=push_at, actor=None)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    if batch.status != BatchStatus.READY:
        raise RuntimeError(f"batch {batch.pk}: {batch.status} {batch.error}")
    return batch


def super_admin() -> User:
    return User.objects.create_user(
        username="bench", password=None, role=Role.SUPER_ADMIN, is_superuser=True, is_staff=True
    )


def sync(location: Location) -> None:
    """Be the location's writer until nothing is left to do. Raises RuntimeError when the router has a problem."""
    while True:
        result = location_run(location.pk, is_forced=True)
        if result.problem:
            raise RuntimeError(f"{location}: {result.problem}")
        if not result.more:
            return


def one(statement: str, *parameters: Any) -> Any:
    """The first column of the first row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def execute(statement: str, *parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def owner() -> psycopg.Connection[Any]:
    """The owner of the tables, in autocommit: copies of tables, VACUUM."""
    plain = connection.get_connection_params()
    wanted = {key: plain[key] for key in ("dbname", "host", "port", "user", "password") if plain.get(key)}
    wanted |= {"user": settings.DATABASE_OWNER["USER"], "password": settings.DATABASE_OWNER["PASSWORD"]}
    return psycopg.connect(**wanted, autocommit=True)


def vacuum(*tables: str) -> None:
    """What autovacuum would have done by the time these rows matter."""
    with owner() as session:
        for name in tables:
            session.execute(f"VACUUM (ANALYZE) {name}")


def wait_until(is_true: Callable[[], bool], *, within: float, every: float = 0.2) -> bool:
    """Ask until it is true; False when the time is over."""
    ends_at = time.monotonic() + within
    while time.monotonic() < ends_at:
        if is_true():
            return True
        time.sleep(every)
    return False


def expect(problems: list[str], what: str, found: object, wanted: object) -> None:
    if found != wanted:
        problems.append(f"{what}: {found}, expected {wanted}")

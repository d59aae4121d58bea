"""A customer with services, bills, payments and a history, made through the services of the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission

from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from billing.choices import EntryKind, LineKind
from billing.ledger import chart
from billing.models import Invoice, Plan, PlanLocation, Subscription, SubscriptionEvent
from billing.services import plan_create, plan_publish
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue, invoices_issue
from billing.services.settling import money_receive
from customers.models import Customer
from customers.services import customer_create
from locations.choices import Reach
from locations.models import AccessAccount, Location, RouterProfile, RouterSession, RouterState
from locations.services import account_put, location_add, location_member_add
from payments.models import Payment, PaymentMethod

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)  # 14.00 in Jakarta
TODAY = date(2026, 11, 22)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PASSWORD = "a-long-test-password-7"
PRICE = Decimal(150_000)
SEES = (
    "customers.view_customer", "billing.view_subscription", "billing.view_invoice", "payments.view_payment",
    "locations.view_location", "locations.view_accessaccount", "billing.view_plan", "payments.take_cash",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """`operator` works at `near`, `stranger` at `far`; both may see customers. `clerk` is staff without that right."""

    boss: User
    operator: User
    stranger: User
    clerk: User
    near: Location
    far: Location
    plan: Plan
    customer: Customer


def build_world(now: datetime = NOW, name: str = "Bu Sri Wahyuni") -> World:
    boss, operator, stranger, clerk = _people()
    near, far = make_location("Pos 2", now), make_location("Pos 7", now)
    location_member_add(near, operator)
    location_member_add(far, stranger)
    location_member_add(near, clerk)
    plan = plan_create(actor=None, name="Rumah 10M", type="pppoe", price_sell=PRICE, rate_limit="10M/10M")
    plan_publish(plan, [near, far], actor=None)
    RouterProfile.objects.update(applied_revision=1, revision=1, applied_at=now - DAY)
    customer = customer_create(
        actor=None, name=name, phone="0812-3456-7890", address="Jl. Melati 3, RT 2", location=near, area="ODP-07",
        now=now - 90 * DAY,
    )  # fmt: skip
    return World(boss, operator, stranger, clerk, near, far, plan, customer)


def _people() -> list[User]:
    boss = user_create(username="kepala", password=PASSWORD, role=Role.SUPER_ADMIN, language="en", actor=None)
    others = [
        user_create(username=name, password=PASSWORD, role=Role.OPERATOR, language="en", actor=None)
        for name in ("kasir", "tetangga", "penjual")
    ]
    for user in others[:2]:
        grant(user, *SEES)
    others[2].groups.clear()  # the rights of roles are tested with the roles; here somebody has none
    return [boss, *others]


def grant(user: User, *permissions: str) -> None:
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


def make_location(name: str, now: datetime, **state: Any) -> Location:
    location = location_add(actor=None, name=name, host="192.0.2.10", username="billing", password="router-secret-1")
    seen = {"reach": Reach.ONLINE, "reach_since": now - DAY, "seen_at": now, "polled_at": now}
    RouterState.objects.update_or_create(location=location, defaults=seen | state)
    return location


def add_service(
    world: World, username: str, *, status: str = "active", customer: Customer | None = None,
    location: Location | None = None, now: datetime = NOW, **fields: Any,
) -> Subscription:  # fmt: skip
    """A service whose login the router has confirmed twelve seconds ago."""
    place = location or world.near
    values: dict[str, Any] = {"started_on": date(2026, 1, 1), "billed_until": date(2026, 12, 1)}
    if status == "draft":
        values = {}
    service = Subscription.objects.create(
        customer=customer or world.customer, plan=world.plan, location=place, type="pppoe", status=status,
        username=username, account=add_account(world, username, place, now), **values | fields,
    )  # fmt: skip
    move(service, "", status, now - 8 * DAY)
    return service


def add_account(world: World, username: str, place: Location, now: datetime) -> AccessAccount:
    profile = PlanLocation.objects.get(plan=world.plan, location=place).profile
    account = account_put(profile=profile, name=username, password="rahasia", tag="a")
    confirmed = {"applied_revision": account.revision, "applied_at": now - timedelta(seconds=12)}
    AccessAccount.objects.filter(pk=account.pk).update(last_seen_at=now - HOUR, **confirmed)
    account.refresh_from_db()
    return account


def move(service: Subscription, from_status: str, to_status: str, at: datetime, **fields: Any) -> SubscriptionEvent:
    values = {"kind": to_status, "from_status": from_status, "to_status": to_status, "at": at} | fields
    return SubscriptionEvent.objects.create(subscription=service, **values)


def go_online(service: Subscription, now: datetime = NOW) -> RouterSession:
    return RouterSession.objects.create(
        location=service.location, kind="ppp", router_id=f"*{service.pk}", name=service.username, account=service.account,
        mac_address="AA:BB:CC:00:00:01", address=f"10.5.0.{service.pk % 250}", uptime_seconds=12_000, bytes=3 * 1024**3,
        started_at=now - timedelta(seconds=12_000), seen_at=now,
    )  # fmt: skip


def draft(service: Subscription, start: date, due: date, amount: Decimal = PRICE) -> InvoiceDraft:
    end = start + timedelta(days=30)
    line = DraftLine(
        LineKind.MANUAL, amount, chart.INCOME_SUBSCRIPTION, text="Rumah 10M", plan_id=service.plan_id,
        subscription_id=service.pk,
    )  # fmt: skip
    return InvoiceDraft(
        customer_id=service.customer_id, lines=[line], source=f"sub:{service.pk}:{start}", issued_on=start, due_on=due,
        subscription_id=service.pk, location_id=service.location_id, period_start=start, period_end=end,
    )  # fmt: skip


def add_bill(service: Subscription, start: date, due: date, *, now: datetime = NOW, amount: Decimal = PRICE) -> Invoice:
    invoice, is_new = invoice_issue(draft(service, start, due, amount), now=now)
    assert is_new
    return invoice


def add_bills(service: Subscription, count: int, *, now: datetime = NOW) -> int:
    days: Sequence[date] = [date(2020, 1, 1) + timedelta(days=number) for number in range(count)]
    return invoices_issue([draft(service, day, day) for day in days], now=now)


def pay(world: World, amount: int, *, now: datetime = NOW, actor: User | None = None, key: str = "1") -> Payment:
    """Cash, as the payments room records it."""
    method, _is_new = PaymentMethod.objects.get_or_create(name="Cash at the counter")
    by = actor or world.boss
    entry, _is_new = money_receive(
        customer_id=world.customer.pk, amount=amount, into_account=chart.cash(by.pk), kind=EntryKind.PAYMENT,
        source=f"test-payment:{key}", now=now, actor=by, method=method.name, location_id=world.near.pk,
    )  # fmt: skip
    return Payment.objects.create(
        customer=world.customer, location=world.near, method=method, amount=amount, status="confirmed", entry=entry,
        confirmed_at=now, received_by=by,
    )  # fmt: skip

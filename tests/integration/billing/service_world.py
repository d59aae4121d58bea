"""Plans, places, customers and services, made through the services, for the tests of subscriptions and the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from accounts.choices import Role
from accounts.models import User
from billing.choices import EntryKind, PlanType
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Invoice, Plan, Subscription
from billing.services import plan_create, plan_publish
from billing.services.engine.night import NightReport, night_do
from billing.services.settling import money_receive
from billing.services.subscriptions import subscription_activate, subscription_create
from customers.models import Customer
from customers.services import customer_create
from locations.choices import UserType
from locations.models import AccessAccount, Location, LocationUser, RouterState

DAY = timedelta(days=1)
_numbers = count(1)


def at(day: date, hour: int = 5) -> datetime:
    """That hour of the day in Jakarta."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo("Asia/Jakarta")).astimezone(UTC)


def place(name: str = "Pos 1", **fields: Any) -> Location:
    location = Location.objects.create(name=name, host="127.0.0.1", username="api", **fields)
    RouterState.objects.create(location=location)
    return location


def plan(*places: Location, name: str = "Paket 10M", price: int = 150_000, **fields: Any) -> Plan:
    made = plan_create(actor=None, name=name, price_sell=price, **({"type": PlanType.PPPOE} | fields))
    plan_publish(made, places, actor=None)
    return made


def customer(name: str = "Bu Sri", **fields: Any) -> Customer:
    return customer_create(actor=None, name=name, **fields)


def user(name: str = "boss", role: str = Role.ADMIN, *places: Location) -> User:
    made = User.objects.create_user(username=name, password=None, role=role)
    LocationUser.objects.bulk_create(LocationUser(location=row, user=made, user_type=UserType.STAFF) for row in places)
    return made


def draft(location: Location, of: Plan, who: Customer | None = None, **fields: Any) -> Subscription:
    return subscription_create(
        customer=who or customer(f"Pelanggan {next(_numbers)}"), plan=of, location=location, actor=None, **fields
    )


def service(location: Location, of: Plan, on: date, who: Customer | None = None, **fields: Any) -> Subscription:
    """Active since that day."""
    return subscription_activate(draft(location, of, who, **fields), actor=None, now=at(on))


def pay(row: Subscription | Customer, amount: int, on: date, source: str = "") -> None:
    customer_id = row.customer_id if isinstance(row, Subscription) else row.pk
    money_receive(
        customer_id=customer_id, amount=amount, into_account=chart.cash(1), kind=EntryKind.PAYMENT,
        source=source or f"test:{next(_numbers)}", now=at(on),
    )  # fmt: skip


def night(location: Location, day: date, *, hour: int = 2) -> dict[str, int]:
    """The day's run; its counts."""
    report = NightReport()
    assert night_do(location, day, now=at(day, hour), report=report)
    return report.counts


def bills(row: Subscription) -> list[tuple[str, str, int, str]]:
    """(issued, due, total, status) of the service's bills, oldest first."""
    rows = Invoice.objects.filter(subscription=row, kind="invoice").order_by("pk")
    return [(str(bill.issued_on), str(bill.due_on), int(bill.total), bill.status) for bill in rows]


def lines(invoice: Invoice) -> list[tuple[str, int, dict[str, Any]]]:
    return [(row.kind, int(row.amount), row.details) for row in invoice.lines.order_by("position")]


def spans(row: Subscription) -> list[tuple[str, str, int]]:
    rows = row.periods.order_by("starts_on")
    return [(span.starts_on.isoformat(), span.ends_on.isoformat(), int(span.amount)) for span in rows]


def money(who: Subscription | Customer) -> tuple[int, int]:
    """Balance and debt."""
    row = Customer.objects.get(pk=who.customer_id if isinstance(who, Subscription) else who.pk)
    return int(row.balance), int(row.debt)


def kinds(row: Subscription) -> list[str]:
    return list(row.events.order_by("pk").values_list("kind", flat=True))


def login(row: Subscription) -> AccessAccount:
    """Its account as it is now."""
    row.refresh_from_db()
    assert row.account_id is not None
    return AccessAccount.objects.get(pk=row.account_id)


def state(row: Subscription) -> tuple[str, bool]:
    """The status, and whether the router is wished to hold it back."""
    account = login(row)
    return row.status, account.is_isolated


def sound() -> None:
    report = ledger_check()
    assert not report.findings, report.findings


def amount(value: int) -> Decimal:
    return Decimal(value)

"""Subscribers of the trial, one for each state: paid, owing, isolated, paused, promised, static. No real people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from billing.choices import PlanType
from billing.models import Plan, Subscription
from billing.services.engine.night import NightReport, night_do
from billing.services.subscriptions import subscription_activate, subscription_create
from billing.services.subscriptions_pausing import subscription_pause
from billing.services.subscriptions_promises import promise_to_pay
from core import clock
from customers.models import Customer
from customers.services import customer_create
from locations.models import Location
from payments.services import payment_receive_cash


@dataclass(frozen=True)
class Sample:
    """`days` ago the service began; `paid` of what is owed by now, in percent; then `then` happens."""

    name: str
    phone: str
    place: int
    days: int
    paid: int = 100
    then: str = ""
    area: str = ""
    static_address: str | None = None


SAMPLES = (
    Sample("Keluarga Sumarni", "0812-0000-0101", 0, 45, area="ODP-01"),
    Sample("Warung Kopi Simpang Lima Kecamatan Karangpandan", "0812-0000-0102", 0, 70, 130, area="ODP-01"),
    Sample("Toko Sembako Maju Jaya Bersama Sejahtera", "0812-0000-0103", 0, 40, 0, area="ODP-02"),
    Sample("Rumah Pak Lurah", "0812-0000-0104", 0, 12, 0, "promise", area="ODP-02"),
    Sample("Kos Putri Melati", "0812-0000-0105", 1, 45, 30, area="ODP-07"),
    Sample("Bengkel Motor Sinar Abadi", "0812-0000-0106", 1, 25, area="ODP-07"),
    Sample("Keluarga di Luar Kota", "0812-0000-0107", 1, 60, 100, "pause", area="ODP-08"),
    Sample("Kantor Desa Sumberagung", "0812-0000-0108", 0, 50, 100, area="ODP-03", static_address="10.20.30.40"),
    Sample("Pelanggan Baru Hari Ini", "0812-0000-0109", 1, 0, 0, area="ODP-08"),
)


def customers_seed(admin: User, plans: Sequence[Plan], locations: Sequence[Location]) -> int:
    """Make the sample subscribers once; returns how many are new. They began in the past, then last night's run came."""
    if Customer.objects.exists():
        return 0
    pppoe = next(plan for plan in plans if plan.type == PlanType.PPPOE)
    static = next(plan for plan in plans if plan.type == PlanType.STATIC)
    now = clock.now()
    rows = []
    for sample in SAMPLES:
        rows.append(_begin(sample, static if sample.static_address else pppoe, locations[sample.place], admin, now))
    nights_run(locations, now)
    for sample, row in zip(SAMPLES, rows, strict=True):
        _pay(sample, row, admin, now)
        _then(sample, Subscription.objects.get(pk=row.pk), admin, now)
    return len(SAMPLES)


def nights_run(locations: Sequence[Location], now: datetime) -> None:
    """What the engine does by itself in the hours of the night, done now."""
    for location in locations:
        night_do(location, clock.local_date(location.timezone, now), now=now, report=NightReport())


def _begin(sample: Sample, plan: Plan, location: Location, admin: User, now: datetime) -> Subscription:
    then = now - timedelta(days=sample.days)
    customer = customer_create(
        actor=admin, name=sample.name, phone=sample.phone, location=location, area=sample.area, now=then
    )
    extra: dict[str, Any] = {"static_address": sample.static_address} if sample.static_address else {}
    row = subscription_create(customer=customer, plan=plan, location=location, actor=admin, now=then, **extra)
    return subscription_activate(row, actor=admin, now=then)


def _pay(sample: Sample, row: Subscription, admin: User, now: datetime) -> None:
    customer = Customer.objects.get(pk=row.customer_id)
    if amount := int(customer.debt * sample.paid / 100):
        payment_receive_cash(
            customer=customer, amount=amount, actor=admin, request_key=f"demo-{customer.number}", now=now
        )


def _then(sample: Sample, row: Subscription, admin: User, now: datetime) -> None:
    today = clock.local_date(row.location.timezone, now)
    if sample.then == "pause":
        subscription_pause(row, reason="Pulang kampung", resume_on=today + timedelta(days=14), actor=admin, now=now)
    elif sample.then == "promise":
        promise_to_pay(row, until_on=today + timedelta(days=3), note="Gajian", actor=admin, now=now)

"""People, places and vouchers every API test talks about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.api.tokens import tokens_issue
from accounts.choices import Role
from accounts.models import User
from accounts.services import user_create
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import BillingRun, Invoice, JournalEntry, Plan, Subscription
from billing.services import plan_create, plan_publish
from billing.services.invoices import DraftLine, InvoiceDraft, invoice_issue
from billing.services.subscriptions import subscription_create
from customers.models import Contact, Customer, CustomerDocument
from customers.services import contact_add, customer_create
from locations.models import AccessAccount, Location
from locations.services import account_put, location_add, location_member_add
from vouchers.choices import BatchStatus
from vouchers.models import BatchLocation, Voucher, VoucherBatch

PASSWORD = "correct-horse-9"
MADE_AT = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _calm(settings: Settings) -> None:
    """No test runs into the limit by accident."""
    settings.API_RATE_MAX = 100_000


@dataclass
class House:
    """Two places; the plan is sold and the batch is good at `here` only."""

    super_admin: User
    admin: User
    operator: User
    outsider: User
    here: Location
    there: Location
    plan: Plan
    batch: VoucherBatch
    voucher: Voucher
    account: AccessAccount
    customer: Customer
    contact: Contact
    document: CustomerDocument
    entry: JournalEntry
    invoice: Invoice
    subscription: Subscription
    run: BillingRun


def _person(name: str, role: Role) -> User:
    return user_create(username=name, password=PASSWORD, role=role, actor=None)


def add_voucher(batch: VoucherBatch, code: str) -> Voucher:
    return Voucher.objects.create(batch=batch, plan=batch.plan, code=code, created_at=MADE_AT)


def add_batch(plan: Plan, location: Location, name: str) -> VoucherBatch:
    batch = VoucherBatch.objects.create(
        name=name, plan=plan, quantity=1, price=plan.price_sell, price_cost=plan.price_cost, progress=1,
        status=BatchStatus.READY, finished_at=MADE_AT,
    )  # fmt: skip
    BatchLocation.objects.create(batch=batch, location=location)
    return batch


def add_invoice(location: Location, customer: Customer, amount: int, source: str) -> Invoice:
    line = DraftLine("manual", Decimal(amount), chart.INCOME_OTHER, text="Internet")
    draft = InvoiceDraft(customer.pk, [line], source, MADE_AT.date(), MADE_AT.date(), location_id=location.pk)
    return invoice_issue(draft, now=MADE_AT)[0]


@pytest.fixture
def house(db: None) -> House:
    cache.clear()
    people = [
        _person("root", Role.SUPER_ADMIN), _person("ani", Role.ADMIN),
        _person("budi", Role.OPERATOR), _person("citra", Role.OPERATOR),
    ]  # fmt: skip
    here = location_add(actor=None, name="Pos 1", host="10.0.0.1", username="billing", password="router-secret-1")
    there = location_add(actor=None, name="Pos 2", host="10.0.0.2", username="billing", password="router-secret-2")
    location_member_add(here, people[2])
    location_member_add(there, people[3])
    plan = plan_create(actor=None, name="Harian", price_sell=Decimal(5000), duration_seconds=86400)
    (publication,) = plan_publish(plan, [here], actor=None)
    batch = add_batch(plan, here, "First")
    voucher = add_voucher(batch, "HKJM2345")
    account = account_put(profile=publication.profile, name=voucher.code, password=None, tag=batch.tag)
    customer = customer_create(actor=None, name="Bu Sri", phone="0812-3456-7890", location=here)
    contact = contact_add(customer, actor=None, name="Adik")
    document = CustomerDocument.objects.create(
        customer=customer, title="KTP", file="customers/none.pdf", content_type="application/pdf", size=9, sha256="0",
        uploaded_at=MADE_AT,
    )  # fmt: skip
    entry, _is_new = entry_post(
        kind=EntryKind.CASH_HANDOVER, source="handover:1", occurred_at=MADE_AT, actor=people[2], location_id=here.pk,
        lines=[Line(chart.cash(people[2].pk), Decimal(20_000)), Line(chart.OWNER, Decimal(-20_000))],
    )  # fmt: skip
    invoice = add_invoice(here, customer, 0, "walk")  # of nothing: what customers owe is other tests' matter
    subscription = subscription_create(customer=customer, plan=plan, location=here, actor=None)
    run = BillingRun.objects.create(kind="night", location=here, day=MADE_AT.date())
    return House(
        *people, here, there, plan, batch, voucher, account, customer, contact, document, entry, invoice,
        subscription, run,
    )  # fmt: skip


Login = Callable[[User], APIClient]


@pytest.fixture
def as_user() -> Login:
    """A client that speaks for a person with a real token."""

    def login(user: User) -> APIClient:
        client = APIClient()
        access = tokens_issue(user)["access"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}", HTTP_ACCEPT_LANGUAGE="en")
        return client

    return login


@pytest.fixture
def anonymous() -> APIClient:
    client = APIClient()
    client.credentials(HTTP_ACCEPT_LANGUAGE="en")
    return client

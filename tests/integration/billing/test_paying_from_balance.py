"""Money that a customer has with us pays what he owes: when a person says so, when the term says so, and at night."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.choices import Role
from billing.choices import EntryKind
from billing.ledger import chart
from billing.models import Invoice, Subscription
from billing.services.invoices import invoice_use_balance
from billing.services.settling import money_receive
from billing.services.subscriptions import subscription_change, subscription_end
from core.errors import DomainError, TransitionError
from tests.integration.billing.service_world import (
    at,
    customer,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    state,
    user,
)

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)


def keep(row: Subscription, amount: int) -> None:
    """Money of his that settles nothing by itself."""
    money_receive(
        customer_id=row.customer_id, amount=amount, into_account=chart.cash(1), kind=EntryKind.PAYMENT, source="test:kept",
        now=at(NOV_22), is_for_balance=True,
    )  # fmt: skip


def test_a_bill_of_a_service_that_does_not_pay_by_itself_is_paid_when_somebody_says_so() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22, is_auto_renewed=False)
    pay(row, 50_000, NOV_22)
    [bill] = Invoice.objects.filter(subscription=row)
    cashier = user("kasir", Role.OPERATOR, pos)
    keep(row, 200_000)
    night(pos, NOV_22 + timedelta(days=3))
    assert state(row) == ("isolated", True)
    assert money(row) == (200_000, 100_000)
    assert invoice_use_balance(bill, now=at(NOV_22 + timedelta(days=3)), actor=cashier) == 100_000
    assert (money(row), state(row)) == ((100_000, 0), ("active", False))
    with pytest.raises(TransitionError):
        invoice_use_balance(bill, now=at(NOV_22 + timedelta(days=3)), actor=cashier)
    stranger = user("lain", Role.OPERATOR, place("Pos 2"))
    with pytest.raises(DomainError) as refused:
        invoice_use_balance(bill, now=at(NOV_22), actor=stranger)
    assert refused.value.status == 404
    sound()


def test_switching_the_term_on_pays_at_once() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22, is_auto_renewed=False)
    keep(row, 200_000)
    night(pos, NOV_22)
    assert money(row) == (200_000, 150_000)
    subscription_change(row, is_auto_renewed=True, actor=None, now=at(NOV_22))
    assert money(row) == (50_000, 0)


def test_the_night_also_pays_for_who_has_no_service_any_more() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22, customer(location=pos))
    subscription_end(row, reason="pindah", actor=None, now=at(NOV_22))
    keep(row, 200_000)
    assert money(row) == (200_000, 150_000)
    night(pos, NOV_22 + timedelta(days=1))
    assert money(row) == (50_000, 0)
    sound()

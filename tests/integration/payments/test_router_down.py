"""A router that does not answer never costs a payment: the money is in the books, the opening waits and then happens."""

from __future__ import annotations

import pytest

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import Invoice
from billing.services.drawers import drawer_amount
from payments.models import Payment
from payments.services import payment_receive_cash, payment_refund
from tests.integration.billing.service_world import at, login, money, night, state
from tests.integration.billing.test_isolation_truth import DAY, NOV_22, is_held_back, subscriber

pytestmark = pytest.mark.django_db(transaction=True)


def test_cash_while_the_router_is_down() -> None:
    cashier = User.objects.create_user("siti")
    with subscriber() as (world, row):
        night(world.location, NOV_22 + DAY)
        world.run()
        assert is_held_back(world)
        world.down()
        bill = Invoice.objects.get(subscription=row)
        for _press in range(2):
            payment = payment_receive_cash(
                customer=row.customer,
                amount=150_000,
                request_key="k1",
                now=at(NOV_22 + DAY),
                actor=cashier,
                invoice=bill,
            )
        world.run()
        assert (Payment.objects.count(), payment.status, drawer_amount(cashier.pk)) == (1, "confirmed", 150_000)
        assert (money(row), state(row), login(row).is_synced) == ((0, 0), ("active", False), False)
        assert is_held_back(world)
        world.up()
        world.run()
        assert not is_held_back(world)
        assert login(row).is_synced
        assert ledger_check().findings == {}


def test_money_given_back_is_owed_again_and_holds_the_service_back() -> None:
    cashier = User.objects.create_user("siti")
    with subscriber() as (world, row):
        payment = payment_receive_cash(
            customer=row.customer, amount=150_000, request_key="k1", now=at(NOV_22), actor=cashier
        )
        night(world.location, NOV_22 + DAY)
        assert state(row) == ("active", False)
        payment_refund(payment, amount=150_000, reason="bounced", request_key="r1", now=at(NOV_22 + DAY), actor=cashier)
        assert (money(row), state(row)) == ((0, 150_000), ("isolated", True))
        world.run()
        assert is_held_back(world)

"""What sold vouchers cost, in the profit of their month and place; an undone sale takes its cost back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.choices import Role
from accounts.services import roles_sync, user_create
from billing.reports.asking import Ask
from billing.reports.catalogue import REPORTS
from billing.reports.table import Table
from tests.integration.billing.month import wib
from tests.integration.vouchers.world import make_batch, make_location, make_plan, vouchers_of
from vouchers.services import voucher_sale_undo, voucher_sell

NOVEMBER = (date(2026, 11, 1), date(2026, 12, 31))


def cost_of(table: Table) -> list[Any]:
    place = table.column("voucher_cost")
    return [row[place].value for row in table.rows]


@pytest.mark.django_db(transaction=True)
def test_the_cost_of_sold_vouchers_lowers_the_profit_of_their_month() -> None:
    roles_sync()
    admin = user_create(username="ani", password="correct-horse-9", role=Role.ADMIN, actor=None)
    places = [make_location("Pos 1"), make_location("Pos 2")]
    plan = make_plan("Harian", *places, price_cost=3000)
    batch = make_batch(plan, places[0], quantity=4)
    vouchers = vouchers_of(batch)
    for number, moment in enumerate((wib(3, 8), wib(30, 23, 30), wib(1, 0, 30, 12))):
        with time_machine.travel(moment, tick=False):
            voucher_sell(vouchers[number], actor=admin, request_key=f"sale-{number}")
    with time_machine.travel(wib(4, 8), tick=False):
        voucher_sale_undo(voucher_sell(vouchers[3], actor=admin, request_key="sale-3"), actor=admin)

    def profit(location: Any = None) -> Table:
        return REPORTS["profit"].run(Ask(*NOVEMBER, wib(5, 8, month=12), "month", location), admin)

    everywhere = profit()
    assert cost_of(everywhere) == [Decimal(6000), Decimal(3000)]
    assert [row[-1].value for row in everywhere.rows] == [Decimal(4000), Decimal(2000)]
    assert (cost_of(profit(places[0])), cost_of(profit(places[1]))) == ([6000, 3000], [0, 0])
    rows = everywhere.totals[everywhere.column("voucher_cost")].rows
    assert rows is not None
    assert rows.total(admin) == Decimal(9000)
    shown = rows.rows(admin, 10)  # type: ignore[attr-defined]
    assert [int(row.amount) for row in shown] == [3000, 3000, -3000, 3000, 3000]
    assert shown[0].text == vouchers[2].code

"""Agents: deposit, stock, sale against the deposit, and how little their login sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.db import DatabaseError

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import Agent, JournalEntry
from billing.services.agents import agent_change, agent_create, agent_deposit, agent_pay_out
from billing.services.drawers import account_amount, drawer_amount
from core.errors import DomainError, TransitionError
from locations.selectors import locations_visible_to
from tests.integration.vouchers.test_selling import together
from tests.integration.vouchers.world import NOW, make_batch, make_location, make_plan, make_user, vouchers_of
from vouchers.models import Voucher, VoucherBatch, VoucherSale
from vouchers.selectors import batches_visible_to, sales_visible_to, vouchers_visible_to
from vouchers.services import (
    stock_issue,
    stock_return,
    voucher_sale_undo,
    voucher_sell,
    voucher_void,
    vouchers_sell,
)

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse 7 battery"


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


@dataclass
class Shop:
    boss: User
    agent: Agent
    batch: VoucherBatch


@pytest.fixture
def shop() -> Shop:
    """An agent with 10 % commission, 20 vouchers at 5000 of which 12 are his."""
    roles_sync()
    place, boss = make_location(), make_user()
    batch = make_batch(make_plan("Harian", place), place, quantity=20)
    agent = agent_create(
        username="warung", password=PASSWORD, name="Warung Bu Tini", actor=None, commission_percent=10, credit_limit=0
    )
    assert stock_issue(batch, agent, quantity=12, now=NOW, actor=boss) == 12
    return Shop(boss, agent, batch)


def deposit(shop: Shop, amount: int, key: str = "d1") -> None:
    agent_deposit(shop.agent, amount=amount, request_key=key, now=NOW, actor=shop.boss)


def held(shop: Shop) -> int:
    shop.agent.refresh_from_db()
    return int(shop.agent.balance)


def stock(shop: Shop) -> list[Voucher]:
    return list(Voucher.objects.filter(agent=shop.agent, status="new").order_by("pk"))


def test_stock_goes_out_and_comes_back(shop: Shop) -> None:
    assert (len(stock(shop)), shop.agent.user.role) == (12, Role.AGENT)
    for move, quantity in ((stock_issue, 9), (stock_return, 13), (stock_issue, 0)):
        with pytest.raises(DomainError):
            move(shop.batch, shop.agent, quantity=quantity, now=NOW, actor=shop.boss)
    assert len(stock(shop)) == 12
    assert stock_return(shop.batch, shop.agent, quantity=2, now=NOW, actor=shop.boss) == 2
    assert len(stock(shop)) == 10
    voucher = stock(shop)[0]
    assert [event.kind for event in voucher.events.order_by("pk")] == ["issued"]


def test_staff_of_another_place_do_not_move_stock(shop: Shop) -> None:
    stranger = make_user("far", Role.OPERATOR, make_location("Pos 2"))
    with pytest.raises(DomainError) as refusal:
        stock_issue(shop.batch, shop.agent, quantity=1, now=NOW, actor=stranger)
    assert (refusal.value.status, len(stock(shop))) == (404, 12)


def test_thousands_are_one_statement(shop: Shop, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    pile = make_batch(shop.batch.plan, shop.batch.locations.get(), quantity=3000)
    with django_assert_max_num_queries(15):
        assert stock_issue(pile, shop.agent, quantity=2900, now=NOW, actor=shop.boss) == 2900
    assert Voucher.objects.filter(batch=pile, agent=None).count() == 100


def test_a_deposit_counts_once_and_comes_back(shop: Shop) -> None:
    deposit(shop, 50_000)
    deposit(shop, 50_000)
    assert (held(shop), drawer_amount(shop.boss.pk)) == (50_000, 50_000)
    agent_pay_out(shop.agent, amount=20_000, request_key="p1", now=NOW, actor=shop.boss)
    agent_pay_out(shop.agent, amount=20_000, request_key="p1", now=NOW, actor=shop.boss)
    assert (held(shop), drawer_amount(shop.boss.pk)) == (30_000, 30_000)
    with pytest.raises(DomainError) as refusal:
        agent_pay_out(shop.agent, amount=30_001, request_key="p2", now=NOW, actor=shop.boss)
    assert refusal.value.code == "cash.not_enough"
    methods = JournalEntry.objects.filter(kind="agent_deposit").values_list("method", flat=True)
    assert list(methods) == ["Cash", "Cash"]


def test_his_sale_takes_price_less_commission_off_the_deposit(shop: Shop) -> None:
    deposit(shop, 10_000)
    sale = voucher_sell(stock(shop)[0], actor=shop.agent.user, request_key="s1", now=NOW)
    assert (sale.agent, sale.amount, sale.commission, held(shop)) == (shop.agent, 5000, 500, 5500)
    assert (account_amount(chart.AGENT_COMMISSION), account_amount(chart.INCOME_VOUCHER)) == (500, -5000)
    assert drawer_amount(shop.agent.user_id) == 0
    back = voucher_sale_undo(sale, actor=shop.agent.user, now=NOW)
    assert (back.commission, held(shop), account_amount(chart.AGENT_COMMISSION)) == (-500, 10_000, 0)


def test_beyond_deposit_and_credit_nothing_is_sold(shop: Shop) -> None:
    deposit(shop, 9_000)
    user, rows = shop.agent.user, stock(shop)
    for number in range(2):
        voucher_sell(rows[number], actor=user, request_key=f"s{number}", now=NOW)
    with pytest.raises(DomainError) as refusal:
        voucher_sell(rows[2], actor=user, request_key="s2", now=NOW)
    assert (refusal.value.code, held(shop), len(stock(shop))) == ("agent.credit", 0, 10)
    agent_change(shop.agent, actor=shop.boss, credit_limit=4_500)
    voucher_sell(rows[2], actor=user, request_key="s2", now=NOW)
    assert held(shop) == -4_500
    with pytest.raises(DomainError) as limit:
        agent_change(shop.agent, actor=shop.boss, credit_limit=4_499)
    assert limit.value.code == "agent.limit"
    with pytest.raises(DomainError):
        vouchers_sell([row.pk for row in rows], actor=user, request_key="bulk", now=NOW)
    assert (held(shop), VoucherSale.objects.count()) == (-4_500, 3)


def test_many_at_once_never_pass_the_deposit(shop: Shop) -> None:
    deposit(shop, 22_500)
    user, rows = shop.agent.user, stock(shop)
    answers = together(10, lambda i: voucher_sell(rows[i], actor=user, request_key=f"s{i}", now=NOW))
    assert sum(isinstance(answer, VoucherSale) for answer in answers) == 5
    assert (held(shop), VoucherSale.objects.count(), len(stock(shop))) == (0, 5, 7)


def test_his_vouchers_are_sold_by_him_and_only_at_the_price(shop: Shop) -> None:
    deposit(shop, 50_000)
    mine, other = stock(shop)[0], Voucher.objects.filter(agent=None)[0]
    with pytest.raises(TransitionError) as refusal:
        voucher_sell(mine, actor=shop.boss, request_key="k1", now=NOW)
    assert refusal.value.code == "voucher.of_agent"
    with pytest.raises(DomainError) as unseen:
        voucher_sell(other, actor=shop.agent.user, request_key="k2", now=NOW)
    assert unseen.value.status == 404
    with pytest.raises(DomainError) as price:
        voucher_sell(mine, actor=shop.agent.user, request_key="k3", amount=4000, now=NOW)
    assert price.value.code == "voucher.agent_price"
    agent_change(shop.agent, actor=shop.boss, is_active=False)
    with pytest.raises(DomainError) as inactive:
        voucher_sell(mine, actor=shop.agent.user, request_key="k4", now=NOW)
    assert inactive.value.code == "agent.inactive"
    assert (VoucherSale.objects.count(), held(shop)) == (0, 50_000)


def test_many_of_his_stock_at_once(shop: Shop) -> None:
    deposit(shop, 54_000)
    ids = list(Voucher.objects.values_list("pk", flat=True))
    done = vouchers_sell(ids, actor=shop.agent.user, request_key="bulk", now=NOW)
    assert (done.count, done.amount, done.skipped, held(shop)) == (12, 60_000, 8, 0)


def test_he_sees_his_own_and_nothing_else(shop: Shop) -> None:
    user = User.objects.get(pk=shop.agent.user_id)
    deposit(shop, 50_000)
    mine = voucher_sell(stock(shop)[0], actor=user, request_key="s1", now=NOW)
    voucher_sell(Voucher.objects.filter(agent=None)[0], actor=shop.boss, request_key="s2", now=NOW)
    assert vouchers_visible_to(user).count() == 12
    assert list(sales_visible_to(user)) == [mine]
    assert not locations_visible_to(user).exists()
    assert not batches_visible_to(user).exists()
    voucher = vouchers_of(shop.batch)[0]
    with pytest.raises(DomainError):
        voucher_void(Voucher.objects.filter(agent=None, status="new")[0], actor=user, reason="x", now=NOW)
    voucher.refresh_from_db()
    assert not voucher.ended_at


def test_the_database_keeps_his_deposit(shop: Shop) -> None:
    with pytest.raises(DatabaseError, match="sums of postings"):
        Agent.objects.filter(pk=shop.agent.pk).update(balance=Decimal(5))
    assert held(shop) == 0

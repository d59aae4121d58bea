"""Codes that are used before anybody sold them: an agent's is charged to him, the house's is a sale that is missing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger import chart
from billing.ledger.posting import Line, entry_post
from billing.models import Agent, JournalEntry
from billing.services.agents import agent_change, agent_create, agent_deposit
from billing.services.drawers import account_amount, drawer_amount
from core.errors import DomainError, TransitionError
from core.events import emit
from locations.events import FirstLogin
from tests.integration.vouchers.test_agents import PASSWORD, Shop, deposit, held, ledger_is_right, shop, stock
from tests.integration.vouchers.test_selling import together
from tests.integration.vouchers.test_validity import account_ids
from tests.integration.vouchers.world import DAY, HOUR, NOW, kinds, make_batch, vouchers_of
from vouchers.models import Voucher, VoucherSale
from vouchers.services import (
    stock_issue,
    stock_return,
    voucher_sale_undo,
    voucher_sell,
    voucher_void,
    vouchers_activate,
    vouchers_expire,
    vouchers_sell,
)

__all__ = ["ledger_is_right", "shop"]
pytestmark = pytest.mark.django_db(transaction=True)


def log_in(voucher: Voucher, at: object = NOW) -> None:
    with transaction.atomic():
        emit(FirstLogin([(account_ids(voucher)[0], at)]))  # type: ignore[list-item]


def test_a_code_of_an_agent_that_is_used_is_sold_at_its_first_login(shop: Shop) -> None:
    deposit(shop, 10_000)
    code = stock(shop)[0]
    log_in(code)
    code.refresh_from_db()
    assert (code.status, code.used_at, code.sold_at, code.valid_until) == ("active", NOW, NOW, NOW + DAY)
    sale = VoucherSale.objects.get()
    assert (sale.voucher, sale.amount, sale.cost, sale.commission) == (code, 5000, 3500, 500)
    assert (sale.agent, sale.seller, sale.sold_at, sale.is_by_use) == (shop.agent, None, NOW, True)
    entry = JournalEntry.objects.get(source=f"voucher_sale:{sale.pk}")
    assert (entry.kind, entry.agent_id, entry.actor_id, entry.occurred_at) == ("voucher_used", shop.agent.pk, None, NOW)
    assert (held(shop), account_amount(chart.INCOME_VOUCHER), account_amount(chart.AGENT_COMMISSION)) == (
        5500, -5000, 500,
    )  # fmt: skip
    assert kinds(code) == ["issued", "activated", "sold_by_use"]


def test_told_again_or_corrected_it_stays_one_charge(shop: Shop) -> None:
    deposit(shop, 10_000)
    code = stock(shop)[0]
    for at in (NOW, NOW, NOW - HOUR):
        log_in(code, at)
    code.refresh_from_db()
    assert (code.used_at, code.sold_at, code.valid_until) == (NOW - HOUR, NOW, NOW - HOUR + DAY)
    assert (VoucherSale.objects.count(), held(shop)) == (1, 5500)


def test_validity_that_counts_from_the_sale_counts_from_the_use(shop: Shop) -> None:
    batch = make_batch(shop.batch.plan, shop.batch.locations.get())
    type(batch).objects.filter(pk=batch.pk).update(validity_from="sale")
    stock_issue(batch, shop.agent, quantity=1, now=NOW, actor=shop.boss)
    code = Voucher.objects.get(batch=batch, agent=shop.agent)
    log_in(code)
    log_in(code, NOW - HOUR)
    code.refresh_from_db()
    assert (code.valid_until, VoucherSale.objects.count()) == (NOW - HOUR + DAY, 1)


def test_it_is_charged_below_the_limit_and_then_nothing_more_is_sold(shop: Shop) -> None:
    codes = stock(shop)
    for code in codes[:2]:
        log_in(code)
    assert held(shop) == -9000
    deposit(shop, 4_000)  # part of it: taken, though he stays below his limit
    assert held(shop) == -5000
    for number, sell in enumerate((
        lambda: voucher_sell(codes[2], actor=shop.agent.user, request_key="s", now=NOW),
        lambda: vouchers_sell([codes[2].pk], actor=shop.agent.user, request_key="b", now=NOW),
    )):  # fmt: skip
        with pytest.raises(DomainError) as refusal:
            sell()
        assert (refusal.value.code, number) == ("agent.credit", number)
        assert "IDR 5,000 below" in str(refusal.value.message)
    codes[2].refresh_from_db()
    assert (codes[2].status, VoucherSale.objects.count()) == ("new", 2)
    deposit(shop, 9_500, "d2")
    voucher_sell(codes[2], actor=shop.agent.user, request_key="s", now=NOW)
    assert held(shop) == 0


def test_an_agent_below_his_limit_can_still_be_changed(shop: Shop) -> None:
    agent_change(shop.agent, actor=shop.boss, credit_limit=2_000)
    for code in stock(shop)[:2]:
        log_in(code)
    agent_change(shop.agent, actor=shop.boss, name="Warung Baru", credit_limit=2_000)
    agent_change(shop.agent, actor=shop.boss, credit_limit=3_000)
    with pytest.raises(DomainError) as refusal:
        agent_change(shop.agent, actor=shop.boss, credit_limit=2_999)
    assert (refusal.value.code, held(shop)) == ("agent.limit", -9000)


def test_one_who_sells_no_more_still_pays_for_what_is_used(shop: Shop) -> None:
    agent_change(shop.agent, actor=shop.boss, is_active=False)
    log_in(stock(shop)[0])
    assert held(shop) == -4500


def test_the_database_lets_only_used_codes_pass_the_limit(shop: Shop) -> None:
    def post(kind: str, source: str, amount: int) -> None:
        lines = [Line(chart.agent(shop.agent.pk), Decimal(amount)), Line(chart.INCOME_OTHER, Decimal(-amount))]
        entry_post(kind=kind, source=source, lines=lines, occurred_at=NOW)

    for kind in ("voucher_sale", "agent_deposit", "adjustment", "reversal"):
        with pytest.raises(DatabaseError, match="below his credit limit"), transaction.atomic():
            post(kind, f"x:{kind}", 1)
    post("voucher_used", "x:1", 100)
    post("agent_deposit", "x:2", -40)
    assert held(shop) == -60
    with pytest.raises(DatabaseError, match="below his credit limit"), transaction.atomic():
        post("voucher_sale", "x:3", 1)
    Agent.objects.filter(pk=shop.agent.pk).update(credit_limit=70)
    with pytest.raises(DatabaseError, match="new credit limit"), transaction.atomic():
        Agent.objects.filter(pk=shop.agent.pk).update(credit_limit=59)
    with pytest.raises(DatabaseError, match="billing_agent_limit"), transaction.atomic():
        Agent.objects.filter(pk=shop.agent.pk).update(credit_limit=-1)
    Agent.objects.filter(pk=shop.agent.pk).update(credit_limit=60)
    post("agent_deposit", "x:4", -60)
    assert held(shop) == 0


def test_after_the_use_nothing_sells_undoes_or_returns_it(shop: Shop) -> None:
    deposit(shop, 50_000)
    code = stock(shop)[0]
    log_in(code)
    with pytest.raises(TransitionError) as refusal:
        voucher_sell(code, actor=shop.agent.user, request_key="s1", now=NOW)
    assert (refusal.value.code, "used before it was sold" in str(refusal.value.message)) == (
        "voucher.not_sellable",
        True,
    )
    with pytest.raises(TransitionError) as used:
        voucher_sale_undo(VoucherSale.objects.get(), actor=shop.boss, now=NOW)
    assert used.value.code == "sale.used"
    with pytest.raises(DomainError):
        stock_return(shop.batch, shop.agent, quantity=12, now=NOW, actor=shop.boss)
    assert (VoucherSale.objects.count(), held(shop)) == (1, 45_500)


def test_a_sale_that_is_undone_after_the_guest_came_is_charged_all_the_same(shop: Shop) -> None:
    """He sells, the guest logs in, he undoes before the router was read: the login tells."""
    deposit(shop, 50_000)
    code = stock(shop)[0]
    sale = voucher_sell(code, actor=shop.agent.user, request_key="s1", now=NOW)
    voucher_sale_undo(sale, actor=shop.agent.user, now=NOW + timedelta(seconds=30))
    log_in(code, NOW + timedelta(seconds=10))
    assert (VoucherSale.objects.count(), held(shop)) == (3, 45_500)


def test_nobody_can_take_the_key_of_a_charge(shop: Shop) -> None:
    code = stock(shop)[0]
    free = Voucher.objects.filter(agent=None)[0]
    with pytest.raises(DomainError) as refusal:
        voucher_sell(free, actor=shop.boss, request_key=f"used:{code.pk}", now=NOW)
    assert refusal.value.code == "voucher.request_key"
    log_in(code)
    assert held(shop) == -4500


def test_void_or_returned_before_the_login_is_heard_of_is_no_charge(shop: Shop) -> None:
    void, back = stock(shop)[0], stock(shop)[-1]
    voucher_void(void, actor=shop.boss, reason="lost", now=NOW)
    assert stock_return(shop.batch, shop.agent, quantity=1, now=NOW, actor=shop.boss) == 1
    log_in(void)
    log_in(back)
    back.refresh_from_db()
    assert (back.status, back.agent, back.sold_at, back.is_used_unsold) == ("active", None, None, True)
    assert (VoucherSale.objects.count(), held(shop)) == (0, 0)


def test_many_logins_at_once_are_few_statements(shop: Shop, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    pile = make_batch(shop.batch.plan, shop.batch.locations.get(), quantity=300)
    stock_issue(pile, shop.agent, quantity=300, now=NOW, actor=shop.boss)
    logins = [(account_ids(code)[0], NOW) for code in vouchers_of(pile)]
    with django_assert_max_num_queries(22):
        assert vouchers_activate(logins, now=NOW) == 300
    assert (held(shop), VoucherSale.objects.count()) == (-300 * 4500, 300)


def test_a_code_of_the_house_that_was_used_can_be_sold_until_somebody_did(shop: Shop) -> None:
    first, second = Voucher.objects.filter(agent=None).order_by("pk")[:2]
    log_in(first)
    log_in(second)
    assert (VoucherSale.objects.count(), drawer_amount(shop.boss.pk)) == (0, 0)
    voucher_sell(first, actor=shop.boss, request_key="k1", now=NOW + HOUR)
    assert vouchers_expire(now=NOW + DAY) == 2
    second.refresh_from_db()
    assert (second.status, second.is_used_unsold) == ("expired", True)
    sale = voucher_sell(second, actor=shop.boss, request_key="k2", now=NOW + 2 * DAY)
    assert (sale.sold_at, drawer_amount(shop.boss.pk)) == (NOW + 2 * DAY, 10_000)
    second.refresh_from_db()
    assert (second.status, second.sold_at, second.is_used_unsold) == ("expired", NOW + 2 * DAY, False)
    with pytest.raises(TransitionError):
        voucher_sell(second, actor=shop.boss, request_key="k3", now=NOW + 2 * DAY)


def test_an_older_use_of_an_agents_code_is_charged_by_a_person(shop: Shop) -> None:
    """Used before this product charged for it: nobody is charged silently, staff decide, and may ask for less."""
    first, second, third = stock(shop)[:3]
    for code in (first, second, third):
        Voucher.objects.filter(pk=code.pk).update(status="active", used_at=NOW, valid_until=NOW + DAY)
    sale = voucher_sell(first, actor=shop.boss, request_key="k1", now=NOW + HOUR)
    assert voucher_sell(first, actor=shop.boss, request_key="k1", now=NOW + HOUR) == sale
    assert (sale.agent, sale.seller, sale.commission, sale.sold_at) == (shop.agent, None, 500, NOW + HOUR)
    assert (held(shop), drawer_amount(shop.boss.pk)) == (-4500, 0)
    assert first.events.order_by("-pk")[0].actor == shop.boss
    voucher_sell(second, actor=shop.boss, request_key="k2", amount=0, now=NOW)
    assert held(shop) == -4500
    with pytest.raises(DomainError) as refusal:
        voucher_sell(third, actor=shop.agent.user, request_key="k3", amount=0, now=NOW)
    assert refusal.value.code == "voucher.agent_price"
    voucher_sell(third, actor=shop.agent.user, request_key="k3", now=NOW)
    assert held(shop) == -9000


def test_sale_login_void_and_return_at_once_charge_exactly_once(shop: Shop) -> None:
    """16 threads over 12 codes: each code ends in one charge, or in none where it was void or back first."""
    deposit(shop, 54_000)
    user, codes = shop.agent.user, stock(shop)
    for round_number, code in enumerate(codes):
        account = account_ids(code)[0]

        def work(i: int, code: Voucher = code, account: int = account, number: int = round_number) -> object:
            match i % 4:
                case 0:
                    return voucher_sell(code, actor=user, request_key=f"s{number}-{i}", now=NOW)
                case 1:
                    return vouchers_activate([(account, NOW)], now=NOW)
                case 2 if number % 3 == 0:
                    return voucher_void(code, actor=shop.boss, reason="race", now=NOW)
                case 2:
                    return vouchers_sell([code.pk], actor=user, request_key=f"b{number}-{i}", now=NOW)
                case _ if number % 3 == 1:
                    return stock_return(shop.batch, shop.agent, quantity=1, now=NOW, actor=shop.boss)
                case _:
                    return vouchers_activate([(account, NOW - HOUR)], now=NOW)

        assert None not in together(16, work)
    rows = list(Voucher.objects.filter(pk__in=[code.pk for code in codes]))
    charged = {sale.voucher_id for sale in VoucherSale.objects.all()}
    assert len(charged) == VoucherSale.objects.count()
    for row in rows:
        was_left = row.status == "void" or row.agent_id is None
        assert (row.pk in charged) == (row.sold_at is not None)
        assert was_left or row.pk in charged
    assert held(shop) == 54_000 - 4500 * len(charged)


def test_many_agents_and_routers_at_once_end_without_a_dead_lock(shop: Shop) -> None:
    others = [
        agent_create(username=f"agent{n}", password=PASSWORD, name=f"Agent {n}", actor=None, credit_limit=500_000)
        for n in range(3)
    ]
    pile = make_batch(shop.batch.plan, shop.batch.locations.get(), quantity=96)
    for other in others:
        stock_issue(pile, other, quantity=32, now=NOW, actor=shop.boss)
        agent_deposit(other, amount=1_000, request_key=f"d{other.pk}", now=NOW, actor=shop.boss)
    codes = vouchers_of(pile)
    accounts = {code.pk: account_ids(code)[0] for code in codes}

    def work(i: int) -> object:
        if i % 2:
            return vouchers_sell([code.pk for code in codes], actor=others[i % 3].user, request_key=f"b{i}", now=NOW)
        mixed = codes[i:] + codes[:i]
        return sum(
            vouchers_activate([(accounts[c.pk], NOW) for c in mixed[n : n + 12]], now=NOW) for n in range(0, 96, 12)
        )

    assert None not in together(16, work)
    assert (VoucherSale.objects.count(), Voucher.objects.filter(batch=pile, sold_at=None).count()) == (96, 0)
    for other in others:
        other.refresh_from_db()
        assert other.balance == 1_000 - 32 * 5000


def test_the_limit_can_go_back_to_a_plain_constraint_and_forth(shop: Shop) -> None:
    from django.core.management import call_command

    log_in(stock(shop)[0])
    for target in (["0008"], []):  # and back to the newest, which other tests expect
        call_command("migrate", "billing", *target, verbosity=0)
    assert held(shop) == -4500
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = 'billing_agent_credit'")
        assert cursor.fetchone() == (0,)

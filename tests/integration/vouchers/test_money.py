"""The money of sales in the ledger: the seller's drawer, the plan's income, the way back, many at once, old sales."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.choices import Role
from accounts.models import ActivityLog
from billing.ledger import chart
from billing.ledger.checking import ledger_check, unposted
from billing.models import JournalEntry, Posting
from billing.services.drawers import account_amount, drawer_amount
from core.errors import TransitionError
from core.settings_registry import setting_change
from locations.models import AccessAccount
from tests.integration.vouchers.world import (
    NOW,
    make_batch,
    make_location,
    make_plan,
    make_user,
    vouchers_of,
)
from vouchers.models import Voucher, VoucherSale
from vouchers.services import money as sales_money
from vouchers.services import old_sales_post, voucher_move, voucher_sale_undo, voucher_sell, vouchers_sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ledger_is_right() -> Iterator[None]:
    yield
    assert ledger_check().findings == {}


def legs(sale: VoucherSale) -> list[tuple[str, int, int | None]]:
    rows = Posting.objects.filter(entry__source=f"voucher_sale:{sale.pk}").order_by("pk")
    return [(row.account, int(row.amount), row.plan_id) for row in rows]


def test_a_sale_is_cash_in_the_drawer_and_income_of_the_plan() -> None:
    place, seller = make_location(), make_user()
    plan = make_plan("Harian", place)
    voucher = vouchers_of(make_batch(plan, place))[0]
    sale = voucher_sell(voucher, actor=seller, request_key="k1", now=NOW)
    assert legs(sale) == [(chart.cash(seller.pk), 5000, None), (chart.INCOME_VOUCHER, -5000, plan.pk)]
    entry = JournalEntry.objects.get()
    assert (entry.location_id, entry.actor_id, entry.method, entry.occurred_at) == (place.pk, seller.pk, "Cash", NOW)
    assert (sale.cost, drawer_amount(seller.pk)) == (3500, 5000)


def test_a_sale_taken_back_takes_its_money_back() -> None:
    place, seller = make_location(), make_user()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    sale = voucher_sell(voucher, actor=seller, request_key="k1", now=NOW)
    back = voucher_sale_undo(sale, actor=seller, now=NOW + timedelta(seconds=5))
    assert legs(back) == [(account, -amount, plan) for account, amount, plan in legs(sale)]
    assert JournalEntry.objects.get(source=f"voucher_sale:{back.pk}").reverses == JournalEntry.objects.get(
        source=f"voucher_sale:{sale.pk}"
    )
    assert (drawer_amount(seller.pk), account_amount(chart.INCOME_VOUCHER)) == (0, 0)


def test_where_and_by_whom() -> None:
    """A roaming code belongs to no place, a moved one to its new one; a sale by nobody is money not explained yet."""
    one, two, boss = make_location("Pos 1"), make_location("Pos 2"), make_user()
    plan = make_plan("Harian", one, two)
    roaming, moved = vouchers_of(make_batch(plan, one, two, quantity=2))
    voucher_move(moved, location=two, actor=boss, now=NOW)
    voucher_sell(roaming, actor=None, request_key="k1", now=NOW)
    voucher_sell(moved, actor=boss, request_key="k2", now=NOW)
    assert list(JournalEntry.objects.order_by("pk").values_list("location_id", flat=True)) == [None, two.pk]
    assert account_amount(chart.SUSPENSE) == 5000


def test_a_gift_moves_no_money() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    sale = voucher_sell(voucher, actor=make_user(), request_key="k1", amount=0, now=NOW)
    voucher_sale_undo(sale, actor=None, now=NOW)
    assert (JournalEntry.objects.count(), unposted()) == (0, {})


def test_no_sale_without_a_shift_where_one_is_needed() -> None:
    setting_change("billing.cash_needs_shift", "yes")
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    with pytest.raises(TransitionError) as refusal:
        voucher_sell(voucher, actor=make_user(), request_key="k1", now=NOW)
    voucher.refresh_from_db()
    assert (refusal.value.code, voucher.status, VoucherSale.objects.count()) == ("cash.no_shift", "new", 0)


# --- many at once -------------------------------------------------------------------------------------------------


def test_many_are_sold_at_once_and_once(django_assert_max_num_queries: Any) -> None:
    place, seller = make_location(), make_user()
    batch = make_batch(make_plan("Harian", place), place, quantity=300)
    ids = list(Voucher.objects.filter(batch=batch).values_list("pk", flat=True))
    voucher_sell(Voucher.objects.get(pk=ids[7]), actor=None, request_key="other", now=NOW)
    with django_assert_max_num_queries(30):
        done = vouchers_sell(ids, actor=seller, request_key="bulk", now=NOW)
    assert (done.count, done.amount, done.skipped) == (299, 299 * 5000, 1)
    again = vouchers_sell(ids, actor=seller, request_key="bulk", now=NOW)
    assert (again.count, again.amount, again.skipped) == (299, 299 * 5000, 1)
    assert drawer_amount(seller.pk) == 299 * 5000
    assert Voucher.objects.filter(status="sold", sold_at=NOW).count() == 300
    assert VoucherSale.objects.filter(seller=seller, cost=3500).count() == 299
    assert ActivityLog.objects.filter(action="vouchers.sold").count() == 1


def test_many_start_their_time_and_reach_their_router_when_sold() -> None:
    place = make_location()
    plan = make_plan("Harian", place, validity_from="sale")
    early, late = make_batch(plan, place), make_batch(plan, place, push_at="sale")
    ids = list(Voucher.objects.values_list("pk", flat=True))
    vouchers_sell(ids, actor=None, request_key="bulk", now=NOW)
    until = NOW + timedelta(days=1)
    assert set(Voucher.objects.values_list("valid_until", flat=True)) == {until}
    for batch in (early, late):
        entries = AccessAccount.objects.filter(tag=batch.tag)
        assert [entry.valid_until for entry in entries] == [until] * 3


def test_many_skip_what_is_not_his_to_sell() -> None:
    here, there = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", here, there)
    mine, other = make_batch(plan, here), make_batch(plan, there)
    seller = make_user("near", Role.OPERATOR, here)
    ids = list(Voucher.objects.values_list("pk", flat=True))
    done = vouchers_sell(ids, actor=seller, request_key="bulk", now=NOW)
    assert (done.count, done.skipped) == (3, 3)
    assert set(Voucher.objects.filter(batch=other).values_list("status", flat=True)) == {"new"}
    assert set(Voucher.objects.filter(batch=mine).values_list("status", flat=True)) == {"sold"}


# --- sales from before the ledger -----------------------------------------------------------------------------------


@pytest.fixture
def old_sales(monkeypatch: pytest.MonkeyPatch) -> list[VoucherSale]:
    """Five sales and one taken back, as the version before the ledger wrote them."""
    place = make_location()
    vouchers = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=5))
    rows = [
        VoucherSale(voucher=v, amount=Decimal(5000), cost=Decimal(3500), sold_at=NOW, request_key=f"old-{v.pk}")
        for v in vouchers
    ]
    sales = VoucherSale.objects.bulk_create(rows)
    undone = VoucherSale.objects.create(
        voucher=vouchers[0], amount=-5000, cost=-3500, sold_at=NOW, reverses=sales[0], request_key="undo"
    )
    return [*sales, undone]


def test_old_sales_are_posted_once_in_chunks(old_sales: list[VoucherSale], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_money, "CHUNK", 2)
    assert unposted() == {"unposted_sales": [sale.pk for sale in old_sales]}
    assert old_sales_post() == 6
    assert (unposted(), old_sales_post()) == ({}, 0)
    assert account_amount(chart.OWNER) == 20_000
    assert account_amount(chart.INCOME_VOUCHER) == -20_000
    assert JournalEntry.objects.exclude(reverses=None).count() == 1


def test_prepare_posts_them_and_seeds_cash(old_sales: list[VoucherSale]) -> None:
    for _time in range(2):
        call_command("prepare")
    assert JournalEntry.objects.count() == len(old_sales)


@pytest.mark.unposted
def test_the_guard_sees_money_without_an_entry(old_sales: list[VoucherSale]) -> None:
    with connection.cursor() as cursor:  # the check of the nightly job names them too
        cursor.execute("SELECT count(*) FROM billing_journalentry")
        assert cursor.fetchone()[0] == 0
    assert ledger_check().counts == {"unposted_sales": 6}
    old_sales_post()

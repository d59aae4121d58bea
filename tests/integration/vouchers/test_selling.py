from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction

from accounts.choices import Role
from core.errors import DomainError, TransitionError
from locations.choices import Presence, Priority
from locations.models import AccessAccount
from tests.integration.vouchers.world import (
    DAY,
    NOW,
    accounts_named,
    kinds,
    make_batch,
    make_location,
    make_plan,
    make_user,
    vouchers_of,
)  # fmt: skip
from vouchers.models import Voucher, VoucherSale
from vouchers.services import voucher_sale_undo, voucher_sell, voucher_void, vouchers_activate

pytestmark = pytest.mark.django_db(transaction=True)


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work(i)` in threads that start at the same moment; results or errors in order."""
    gate, answers = threading.Barrier(count), [None] * count

    def run(index: int) -> None:
        gate.wait(30)
        try:
            answers[index] = work(index)  # type: ignore[call-overload]
        except DomainError as error:
            answers[index] = error  # type: ignore[call-overload]
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[index]) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return list(answers)


def test_a_sale_is_recorded_with_price_cost_seller_and_time() -> None:
    place, boss = make_location(), make_user()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    revision = accounts_named(voucher.code)[0].revision
    sale = voucher_sell(voucher, actor=boss, request_key="k1", now=NOW)
    assert (sale.amount, sale.cost, sale.seller, sale.sold_at, sale.voucher_id) == (
        Decimal(5000), Decimal(3500), boss, NOW, voucher.pk,
    )  # fmt: skip
    voucher.refresh_from_db()
    assert (voucher.status, voucher.sold_at, voucher.used_at, voucher.valid_until) == ("sold", NOW, None, None)
    assert kinds(voucher) == ["sold"]
    assert voucher.events.get().actor == boss
    # it is on the router already and its time starts with the first login: nothing to change there
    assert accounts_named(voucher.code)[0].revision == revision


def test_a_sale_row_cannot_be_changed_or_deleted() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    sale = voucher_sell(voucher, actor=None, request_key="k1")
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        VoucherSale.objects.filter(pk=sale.pk).update(amount=1)
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        VoucherSale.objects.filter(pk=sale.pk).delete()


def test_sold_vouchers_of_sale_batches_go_to_all_their_routers_first_in_line() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one, two, data_limit_bytes=500, is_mac_locked=True, uptime_limit_seconds=3600)
    first, other, _third = vouchers_of(make_batch(plan, one, two, push_at="sale", mode="separate"))
    voucher_sell(first, actor=None, request_key="k1", now=NOW)
    assert [
        (
            a.location,
            a.secret,
            a.presence,
            a.priority,
            a.limit_uptime_seconds,
            a.limit_bytes,
            a.is_mac_locked,
            a.valid_until,
        )
        for a in accounts_named(first.code)
    ] == [
        (one, first.password, Presence.PRESENT, Priority.PAID, 3600, 500, True, None),
        (two, first.password, Presence.PRESENT, Priority.PAID, 3600, 500, True, None),
    ]
    assert accounts_named(other.code) == []


@pytest.mark.parametrize("push_at", ["creation", "sale"])
def test_validity_from_sale_starts_now_on_voucher_and_router(push_at: str) -> None:
    place = make_location()
    plan = make_plan("Harian", place, validity_from="sale")
    voucher = vouchers_of(make_batch(plan, place, push_at=push_at))[0]
    voucher_sell(voucher, actor=None, request_key="k1", now=NOW)
    voucher.refresh_from_db()
    assert voucher.valid_until == NOW + DAY
    assert [a.valid_until for a in accounts_named(voucher.code)] == [NOW + DAY]


def test_the_same_request_is_one_sale_and_another_voucher_is_refused() -> None:
    place = make_location()
    one, two, _three = vouchers_of(make_batch(make_plan("Harian", place), place))
    sale = voucher_sell(one, actor=None, request_key="k1")
    assert voucher_sell(one, actor=None, request_key="k1") == sale
    with pytest.raises(DomainError) as refused:
        voucher_sell(two, actor=None, request_key="k1")
    assert refused.value.code == "voucher.request_key_reused"
    two.refresh_from_db()
    assert two.status == "new"
    assert VoucherSale.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_request_key_is_needed(key: str) -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    with pytest.raises(DomainError, match="request key"):
        voucher_sell(voucher, actor=None, request_key=key)


@pytest.mark.parametrize(("amount", "stored"), [("0", 0), ("4500", 4500), (Decimal("4500.4"), 4500)])
def test_another_price_is_rounded_once_and_kept(amount: str | Decimal, stored: int) -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    assert voucher_sell(voucher, actor=None, request_key="k1", amount=amount).amount == stored


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e30", "abc"])
def test_senseless_prices_sell_nothing(amount: str) -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    with pytest.raises(DomainError):
        voucher_sell(voucher, actor=None, request_key="k1", amount=amount)
    voucher.refresh_from_db()
    assert voucher.status == "new"


def test_sold_expired_and_void_vouchers_are_not_sold() -> None:
    place = make_location()
    one, two, three = vouchers_of(make_batch(make_plan("Harian", place), place))
    voucher_sell(one, actor=None, request_key="k1")
    with pytest.raises(TransitionError, match="sold already") as refused:
        voucher_sell(one, actor=None, request_key="k2")
    assert refused.value.code == "voucher.not_sellable"
    voucher_void(two, actor=None, reason="lost")
    with pytest.raises(TransitionError, match="is void"):
        voucher_sell(two, actor=None, request_key="k3")
    Voucher.objects.filter(pk=three.pk).update(status="expired", ended_at=NOW)
    with pytest.raises(TransitionError, match="is expired"):
        voucher_sell(three, actor=None, request_key="k4")
    assert VoucherSale.objects.count() == 1


def test_a_voucher_used_before_anyone_pressed_sell_can_still_be_paid_for() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    vouchers_activate([(accounts_named(voucher.code)[0].pk, NOW)])
    sale = voucher_sell(voucher, actor=None, request_key="k1", now=NOW + DAY / 2)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.sold_at, voucher.valid_until) == ("active", NOW + DAY / 2, NOW + DAY)
    with pytest.raises(TransitionError, match="sold already"):
        voucher_sell(voucher, actor=None, request_key="k2")
    with pytest.raises(TransitionError, match="used already"):
        voucher_sale_undo(sale, actor=None, now=NOW + DAY / 2)


def test_operators_sell_at_their_own_locations_only() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one, two)
    voucher = vouchers_of(make_batch(plan, one))[0]
    with pytest.raises(DomainError) as refused:
        voucher_sell(voucher, actor=make_user("far", Role.OPERATOR, two), request_key="k1")
    assert (refused.value.code, refused.value.status) == ("voucher.not_found", 404)
    voucher_sell(voucher, actor=make_user("near", Role.OPERATOR, one), request_key="k2")
    assert VoucherSale.objects.get().request_key == "k2"


def test_two_sellers_of_one_voucher_one_wins() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place, push_at="sale"))[0]
    sellers = [make_user(f"s{i}") for i in range(8)]
    answers = together(8, lambda i: voucher_sell(voucher, actor=sellers[i], request_key=f"k{i}"))
    assert sorted(type(answer).__name__ for answer in answers) == ["TransitionError"] * 7 + ["VoucherSale"]
    assert VoucherSale.objects.count() == 1
    assert len(accounts_named(voucher.code)) == 1
    assert kinds(voucher) == ["sold"]


def test_one_request_twenty_times_at_once_is_one_sale() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    answers = together(20, lambda _i: voucher_sell(voucher, actor=None, request_key="same"))
    assert {answer.pk for answer in answers if isinstance(answer, VoucherSale)} == {VoucherSale.objects.get().pk}
    assert all(isinstance(answer, VoucherSale) for answer in answers)
    assert kinds(voucher) == ["sold"]


def test_one_request_for_two_vouchers_at_once_sells_one() -> None:
    place = make_location()
    pair = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=2))
    answers = together(2, lambda i: voucher_sell(pair[i], actor=None, request_key="same"))
    assert sorted(type(answer).__name__ for answer in answers) == ["DomainError", "VoucherSale"]
    assert sorted(Voucher.objects.values_list("status", flat=True)) == ["new", "sold"]


@pytest.mark.parametrize("push_at", ["creation", "sale"])
def test_undo_writes_a_reversing_row_and_takes_back_what_the_sale_did(push_at: str) -> None:
    place, boss = make_location(), make_user()
    voucher = vouchers_of(make_batch(make_plan("Harian", place, validity_from="sale"), place, push_at=push_at))[0]
    sale = voucher_sell(voucher, actor=boss, request_key="k1", now=NOW)
    back = voucher_sale_undo(sale, actor=boss, now=NOW + timedelta(seconds=60))
    assert (back.amount, back.cost, back.reverses, back.voucher_id) == (
        Decimal(-5000),
        Decimal(-3500),
        sale,
        voucher.pk,
    )
    voucher.refresh_from_db()
    assert (voucher.status, voucher.sold_at, voucher.valid_until) == ("new", None, None)
    wanted = [(a.presence, a.valid_until) for a in accounts_named(voucher.code)]
    assert wanted == ([("present", None)] if push_at == "creation" else [("absent", NOW + DAY)])
    assert kinds(voucher) == ["sold", "sale_undone"]
    assert voucher_sale_undo(sale, actor=boss, now=NOW + timedelta(seconds=60)) == back
    assert VoucherSale.objects.count() == 2
    assert VoucherSale.objects.filter(reverses=None).count() == 1


def test_after_undo_it_can_be_sold_again_and_returns_to_the_router() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place, push_at="sale"))[0]
    voucher_sale_undo(voucher_sell(voucher, actor=None, request_key="k1", now=NOW), actor=None, now=NOW)
    voucher_sell(voucher, actor=None, request_key="k2", now=NOW)
    assert [(a.presence, a.priority) for a in accounts_named(voucher.code)] == [(Presence.PRESENT, Priority.PAID)]
    assert sum(sale.amount for sale in VoucherSale.objects.all()) == Decimal(5000)


def test_undo_is_refused_after_a_minute_or_after_use() -> None:
    place = make_location()
    one, two, three = vouchers_of(make_batch(make_plan("Harian", place), place))
    late = voucher_sell(one, actor=None, request_key="k1", now=NOW)
    with pytest.raises(TransitionError) as refused:
        voucher_sale_undo(late, actor=None, now=NOW + timedelta(seconds=60, microseconds=1))
    assert refused.value.code == "sale.too_late"
    used = voucher_sell(two, actor=None, request_key="k2", now=NOW)
    vouchers_activate([(accounts_named(two.code)[0].pk, NOW)])
    with pytest.raises(TransitionError) as refused:
        voucher_sale_undo(used, actor=None, now=NOW)
    assert refused.value.code == "sale.used"
    seen = voucher_sell(three, actor=None, request_key="k3", now=NOW)
    AccessAccount.objects.filter(name=three.code).update(last_seen_at=NOW)
    with pytest.raises(TransitionError) as refused:
        voucher_sale_undo(seen, actor=None, now=NOW)
    assert refused.value.code == "sale.used"
    assert VoucherSale.objects.count() == 3


def test_a_reversal_is_not_undone_and_strangers_undo_nothing() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher = vouchers_of(make_batch(make_plan("Harian", one, two), one))[0]
    sale = voucher_sell(voucher, actor=None, request_key="k1", now=NOW)
    with pytest.raises(DomainError, match="no such voucher"):
        voucher_sale_undo(sale, actor=make_user("far", Role.OPERATOR, two), now=NOW)
    back = voucher_sale_undo(sale, actor=None, now=NOW)
    with pytest.raises(TransitionError):
        voucher_sale_undo(back, actor=None, now=NOW)


def test_undo_and_login_at_once_end_in_one_of_the_two_truths() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    sale = voucher_sell(voucher, actor=None, request_key="k1", now=NOW)
    account = accounts_named(voucher.code)[0].pk
    answers = together(
        2,
        lambda i: voucher_sale_undo(sale, actor=None, now=NOW) if i else vouchers_activate([(account, NOW)]),
    )
    voucher.refresh_from_db()
    assert answers[0] == 1
    assert voucher.status == "active"
    is_undone = isinstance(answers[1], VoucherSale)
    assert (voucher.sold_at is None) == is_undone
    assert VoucherSale.objects.count() == (2 if is_undone else 1)

from __future__ import annotations

import pytest

from accounts.choices import Role
from billing.services import plan_publish, plan_unpublish
from core.errors import DomainError, TransitionError
from locations.choices import Presence
from locations.models import AccessAccount, RouterProfile
from tests.integration.vouchers.test_selling import together
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
from vouchers.models import Voucher, VoucherLocation
from vouchers.selectors import batches_visible_to, locations_of, voucher_state, vouchers_visible_to
from vouchers.services import (
    voucher_move,
    voucher_sell,
    voucher_void,
    vouchers_activate,
    vouchers_expire,
    vouchers_use_up,
)

pytestmark = pytest.mark.django_db(transaction=True)


def wanted(code: str) -> list[tuple[str, str]]:
    return [(account.location.name, account.presence) for account in accounts_named(code)]


def test_void_ends_a_living_voucher_everywhere() -> None:
    place, boss = make_location(), make_user()
    new, sold, active = vouchers_of(make_batch(make_plan("Harian", place), place))
    voucher_sell(sold, actor=None, request_key="k1", now=NOW)
    vouchers_activate([(accounts_named(active.code)[0].pk, NOW)])
    for voucher in (new, sold, active):
        assert voucher_void(voucher, actor=boss, reason="printed twice", now=NOW).status == "void"
        voucher.refresh_from_db()
        assert voucher.ended_at == NOW
        assert wanted(voucher.code) == [("Pos 1", Presence.ABSENT)]
        event = voucher.events.filter(kind="voided").get()
        assert (event.actor, event.details["reason"]) == (boss, "printed twice")
        with pytest.raises(TransitionError):
            voucher_void(voucher, actor=boss, reason="again", now=NOW)
    assert sold.sales.get().amount == 5000


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_void_needs_a_reason(reason: str) -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    with pytest.raises(DomainError) as refused:
        voucher_void(voucher, actor=None, reason=reason)
    assert list(refused.value.fields) == ["reason"]
    assert wanted(voucher.code) == [("Pos 1", Presence.PRESENT)]


def test_expired_is_not_voided() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    vouchers_activate([(accounts_named(voucher.code)[0].pk, NOW)])
    vouchers_expire(now=NOW + DAY)
    with pytest.raises(TransitionError, match="is expired"):
        voucher_void(voucher, actor=None, reason="late")


def test_a_move_is_wanted_here_and_unwanted_there_with_the_same_end() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one, two, data_limit_bytes=1000)
    voucher = vouchers_of(make_batch(plan, one, mode="separate"))[0]
    vouchers_activate([(accounts_named(voucher.code)[0].pk, NOW)])
    AccessAccount.objects.filter(name=voucher.code).update(epoch_bytes=400)
    voucher_move(voucher, location=two, actor=None, now=NOW)
    assert wanted(voucher.code) == [("Pos 1", Presence.ABSENT), ("Pos 2", Presence.PRESENT)]
    there = AccessAccount.objects.get(name=voucher.code, location=two)
    assert (there.valid_until, there.limit_bytes, there.secret, there.tag, there.profile.location) == (
        NOW + DAY, 1000, voucher.password, f"b{voucher.batch_id}", two,
    )  # fmt: skip
    assert [row.name for row in locations_of(voucher)] == ["Pos 2"]
    assert [place.location_name for place in voucher_state(voucher).waiting] == ["Pos 1", "Pos 2"]
    assert kinds(voucher) == ["activated", "moved"]
    # moved home again: nothing of the detour stays
    voucher_move(voucher, location=one, actor=None, now=NOW)
    assert wanted(voucher.code) == [("Pos 1", Presence.PRESENT), ("Pos 2", Presence.ABSENT)]
    assert VoucherLocation.objects.count() == 0


def test_what_was_used_at_the_old_place_keeps_counting() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Kuota", one, two, duration_seconds=None, data_limit_bytes=1000)
    voucher = vouchers_of(make_batch(plan, one))[0]
    vouchers_activate([(accounts_named(voucher.code)[0].pk, NOW)])
    AccessAccount.objects.filter(name=voucher.code).update(epoch_bytes=600)
    voucher_move(voucher, location=two, actor=None, now=NOW)
    AccessAccount.objects.filter(name=voucher.code, location=two).update(epoch_bytes=399)
    assert vouchers_use_up(now=NOW) == 0
    AccessAccount.objects.filter(name=voucher.code, location=two).update(epoch_bytes=400)
    assert vouchers_use_up(now=NOW) == 1


def test_a_moved_voucher_that_is_not_on_routers_yet_is_sold_at_its_new_place() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher = vouchers_of(make_batch(make_plan("Harian", one, two), one, push_at="sale"))[0]
    voucher_move(voucher, location=two, actor=None)
    assert accounts_named(voucher.code) == []
    voucher_sell(voucher, actor=None, request_key="k1")
    assert wanted(voucher.code) == [("Pos 2", Presence.PRESENT)]


def test_a_moved_voucher_belongs_to_the_staff_of_its_new_place() -> None:
    one, two, three = (make_location(f"Pos {i}") for i in (1, 2, 3))
    plan = make_plan("Harian", one, two, three)
    moved, staying, _other = vouchers_of(make_batch(plan, one))
    near, far, both = (
        make_user("near", Role.OPERATOR, one), make_user("far", Role.OPERATOR, two),
        make_user("both", Role.OPERATOR, one, two),
    )  # fmt: skip
    assert vouchers_visible_to(far).count() == 0
    with pytest.raises(DomainError, match="own locations"):
        voucher_move(moved, location=two, actor=near)
    with pytest.raises(DomainError, match="no such voucher"):
        voucher_move(moved, location=two, actor=far)
    voucher_move(moved, location=two, actor=both)
    assert list(vouchers_visible_to(far)) == [moved]
    assert set(vouchers_visible_to(near)) >= {staying}
    with pytest.raises(DomainError, match="no such voucher"):
        voucher_sell(moved, actor=near, request_key="k1")
    voucher_sell(moved, actor=far, request_key="k2")
    assert list(batches_visible_to(far)) == []
    assert batches_visible_to(near).count() == 1
    assert vouchers_visible_to(make_user()).count() == 3


def test_moves_that_cannot_work_change_nothing() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher, gone, _third = vouchers_of(make_batch(make_plan("Harian", one), one))
    with pytest.raises(DomainError, match="not published at Pos 2"):
        voucher_move(voucher, location=two, actor=None)
    voucher_void(gone, actor=None, reason="lost")
    with pytest.raises(TransitionError, match="is void"):
        voucher_move(gone, location=two, actor=None)
    voucher_move(voucher, location=one, actor=None)
    assert wanted(voucher.code) == [("Pos 1", Presence.PRESENT)]
    assert kinds(voucher) == []


def test_state_says_what_each_router_confirmed() -> None:
    one = make_location("Pos 1", reach="online")
    voucher = vouchers_of(make_batch(make_plan("Harian", one), one))[0]
    place = voucher_state(voucher).places[0]
    assert (place.is_wanted, place.is_confirmed, place.is_waiting, place.is_offline) == (True, False, True, False)
    account = accounts_named(voucher.code)[0]
    AccessAccount.objects.filter(pk=account.pk).update(applied_revision=account.revision, applied_at=NOW)
    state = voucher_state(voucher)
    assert state.is_settled
    assert state.places[0].confirmed_at == NOW
    AccessAccount.objects.filter(pk=account.pk).update(revision=9, hold="refused", router_words="failure: no")
    state = voucher_state(voucher)
    assert not state.is_settled
    assert [(row.hold, row.router_words) for row in state.held] == [("refused", "failure: no")]


def test_a_plan_stays_published_while_its_vouchers_live() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one, two)
    first, second = vouchers_of(make_batch(plan, one, quantity=2, push_at="sale"))
    with pytest.raises(DomainError) as refused:
        plan_unpublish(plan, [one], actor=None)
    assert refused.value.code == "plan.in_use"
    assert plan_unpublish(plan, [two], actor=None) == 1
    assert RouterProfile.objects.get(location=two).presence == Presence.ABSENT
    voucher_void(first, actor=None, reason="lost")
    plan_publish(plan, [two], actor=None)
    assert RouterProfile.objects.get(location=two).presence == Presence.PRESENT
    voucher_move(second, location=two, actor=None)
    voucher_void(second, actor=None, reason="lost")
    assert plan_unpublish(plan, [one, two], actor=None) == 2
    assert plan.publications.count() == 0


def test_sell_and_void_at_once_end_in_one_of_the_two() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    steps = [
        lambda: voucher_void(voucher, actor=None, reason="x"),
        lambda: voucher_sell(voucher, actor=None, request_key="k"),
    ]
    together(2, lambda i: steps[i]())
    voucher.refresh_from_db()
    assert voucher.status == "void"
    assert kinds(voucher) in (["voided"], ["sold", "voided"])
    assert Voucher.objects.filter(pk=voucher.pk, ended_at=None).count() == 0

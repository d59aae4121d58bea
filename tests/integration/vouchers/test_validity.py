from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from accounts.models import ActivityLog
from core.errors import TransitionError
from core.events import emit
from locations.choices import Presence, Priority
from locations.events import FirstLogin
from locations.models import AccessAccount
from tests.integration.vouchers.test_selling import together
from tests.integration.vouchers.world import (
    DAY,
    HOUR,
    NOW,
    accounts_named,
    kinds,
    make_batch,
    make_location,
    make_plan,
    make_user,
    vouchers_of,
)  # fmt: skip
from vouchers.models import Voucher, VoucherEvent
from vouchers.selectors import voucher_state
from vouchers.services import (
    expiry,
    voucher_extend,
    voucher_sell,
    voucher_void,
    vouchers_activate,
    vouchers_expire,
    vouchers_use_up,
)

pytestmark = pytest.mark.django_db(transaction=True)


def account_ids(voucher: Voucher) -> list[int]:
    return [account.pk for account in accounts_named(voucher.code)]


def test_the_first_login_starts_the_validity_on_all_routers() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher, other, _third = vouchers_of(make_batch(make_plan("Harian", one, two), one, two))
    before = [a.revision for a in accounts_named(voucher.code)]
    with transaction.atomic():
        emit(FirstLogin([(account_ids(voucher)[1], NOW)]))
    voucher.refresh_from_db()
    other.refresh_from_db()
    assert (voucher.status, voucher.used_at, voucher.valid_until) == ("active", NOW, NOW + DAY)
    assert [a.valid_until for a in accounts_named(voucher.code)] == [NOW + DAY, NOW + DAY]
    assert [a.revision for a in accounts_named(voucher.code)] == [number + 1 for number in before]
    assert (other.status, other.valid_until) == ("new", None)
    assert kinds(voucher) == ["activated"]
    assert voucher.events.get().at == NOW


def test_the_earliest_login_wins_whatever_the_order_and_repeats_change_nothing() -> None:
    places = [make_location(f"Pos {i}") for i in range(4)]
    vouchers = vouchers_of(make_batch(make_plan("Harian", *places), *places, quantity=20))
    shuffler = random.Random(7)
    for voucher in vouchers:
        logins = [(pk, NOW + HOUR * hours) for pk, hours in zip(account_ids(voucher), (3, 1, 2, 5), strict=True)]
        for _repeat in range(2):
            shuffler.shuffle(logins)
            for login in logins:
                vouchers_activate([login])
        voucher.refresh_from_db()
        assert (voucher.used_at, voucher.valid_until) == (NOW + HOUR, NOW + HOUR + DAY)
        assert {a.valid_until for a in accounts_named(voucher.code)} == {NOW + HOUR + DAY}
    assert vouchers_activate([(account_ids(vouchers[0])[0], NOW + HOUR)]) == 0


def test_several_logins_of_one_voucher_in_one_poll() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher = vouchers_of(make_batch(make_plan("Harian", one, two), one, two))[0]
    first, second = account_ids(voucher)
    assert vouchers_activate([(first, NOW + HOUR), (second, NOW)]) == 1
    voucher.refresh_from_db()
    assert voucher.used_at == NOW
    assert kinds(voucher) == ["activated"]


def test_a_correction_keeps_time_a_person_added() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher = vouchers_of(make_batch(make_plan("Harian", one, two), one, two))[0]
    first, second = account_ids(voucher)
    vouchers_activate([(first, NOW)])
    voucher_extend(voucher, seconds=7200, actor=None, now=NOW + HOUR)
    vouchers_activate([(second, NOW - HOUR)])
    voucher.refresh_from_db()
    assert (voucher.used_at, voucher.valid_until) == (NOW - HOUR, NOW - HOUR + DAY + 2 * HOUR)
    assert kinds(voucher) == ["activated", "extended", "login_corrected"]


def test_validity_from_sale_is_not_moved_by_the_login() -> None:
    place = make_location()
    sold, early, _third = vouchers_of(make_batch(make_plan("Harian", place, validity_from="sale"), place))
    voucher_sell(sold, actor=None, request_key="k1", now=NOW)
    vouchers_activate([(account_ids(sold)[0], NOW + HOUR)])
    sold.refresh_from_db()
    assert (sold.status, sold.used_at, sold.valid_until) == ("active", NOW + HOUR, NOW + DAY)
    # used before anyone sold it: the router let him in, so his time runs from there
    vouchers_activate([(account_ids(early)[0], NOW + HOUR)])
    early.refresh_from_db()
    assert early.valid_until == NOW + HOUR + DAY
    vouchers_activate([(account_ids(early)[0], NOW)])
    early.refresh_from_db()
    assert early.valid_until == NOW + DAY


def test_a_plan_without_duration_has_no_end_but_starts() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Kuota", place, duration_seconds=None, data_limit_bytes=100), place))[0]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    voucher.refresh_from_db()
    assert (voucher.status, voucher.used_at, voucher.valid_until) == ("active", NOW, None)
    assert [a.valid_until for a in accounts_named(voucher.code)] == [None]


def test_ended_vouchers_and_other_peoples_accounts_are_left_alone() -> None:
    place = make_location()
    one, two, three = vouchers_of(make_batch(make_plan("Harian", place), place))
    voucher_void(one, actor=None, reason="lost", now=NOW)
    Voucher.objects.filter(pk=two.pk).update(status="expired", ended_at=NOW)
    foreign = AccessAccount.objects.get(name=three.code)
    AccessAccount.objects.filter(pk=foreign.pk).update(tag="a")
    logins = [(pk, NOW) for row in (one, two, three) for pk in account_ids(row)]
    assert vouchers_activate([*logins, (10**9, NOW)]) == 0
    assert vouchers_activate([]) == 0
    assert sorted(Voucher.objects.values_list("status", flat=True)) == ["expired", "new", "void"]


def test_time_over_means_expired_and_wanted_off_every_router() -> None:
    one, two = make_location("Pos 1", reach="online"), make_location("Pos 2", reach="offline", reach_since=NOW)
    over, running, unused = vouchers_of(make_batch(make_plan("Harian", one, two), one, two))
    vouchers_activate([(account_ids(over)[0], NOW), (account_ids(running)[0], NOW + HOUR)])
    assert vouchers_expire(now=NOW + DAY - timedelta(microseconds=1)) == 0
    assert vouchers_expire(now=NOW + DAY) == 1
    over.refresh_from_db()
    assert (over.status, over.ended_at) == ("expired", NOW + DAY)
    assert [(a.presence, a.is_kick_due, a.priority) for a in accounts_named(over.code)] == [
        (Presence.ABSENT, True, Priority.REMOVAL)
    ] * 2
    assert over.events.filter(kind="expired").get().details == {"reason": "time", "used_seconds": 0, "used_bytes": 0}
    for other in (running, unused):
        assert {a.presence for a in accounts_named(other.code)} == {Presence.PRESENT}

    state = voucher_state(over)
    assert (state.status, state.is_over, state.is_settled) == ("expired", True, False)
    assert [place.location_name for place in state.waiting] == ["Pos 1", "Pos 2"]
    assert [place.location_name for place in state.offline] == ["Pos 2"]
    AccessAccount.objects.filter(name=over.code, location=one).delete()  # what the writer does once it is confirmed
    assert [place.location_name for place in voucher_state(over).waiting] == ["Pos 2"]
    AccessAccount.objects.filter(name=over.code).delete()
    assert voucher_state(over).is_settled


def test_expiring_again_changes_nothing() -> None:
    place = make_location()
    vouchers = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=12))
    vouchers_activate([(pk, NOW) for voucher in vouchers for pk in account_ids(voucher)])
    assert vouchers_expire(now=NOW + DAY) == 12
    before = sorted(AccessAccount.objects.values_list("pk", "revision"))
    assert vouchers_expire(now=NOW + DAY) == 0
    assert vouchers_expire(now=NOW + 9 * DAY) == 0
    assert sorted(AccessAccount.objects.values_list("pk", "revision")) == before
    assert VoucherEvent.objects.filter(kind="expired").count() == 12


def test_many_chunks_and_several_workers_at_once_expire_each_voucher_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "CHUNK", 7)
    place = make_location()
    vouchers = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=100))
    vouchers_activate([(pk, NOW) for voucher in vouchers for pk in account_ids(voucher)])
    answers = together(4, lambda _i: vouchers_expire(now=NOW + DAY))
    assert sum(answers) == 100  # type: ignore[arg-type]
    assert VoucherEvent.objects.filter(kind="expired").count() == 100
    assert set(AccessAccount.objects.values_list("presence", "revision")) == {("absent", 3)}


def test_a_voucher_somebody_holds_does_not_stop_the_others() -> None:
    place = make_location()
    vouchers = vouchers_of(make_batch(make_plan("Harian", place), place, quantity=10))
    vouchers_activate([(pk, NOW) for voucher in vouchers for pk in account_ids(voucher)])
    is_held, is_done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Voucher.objects.filter(pk=vouchers[0].pk).select_for_update())
            is_held.set()
            is_done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(30)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        assert vouchers_expire(now=NOW + DAY) == 9
    finally:
        is_done.set()
        holder.join(30)
        connection.close()
    assert vouchers_expire(now=NOW + DAY) == 1


def test_a_sold_voucher_whose_time_ran_from_the_sale_expires_unused() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place, validity_from="sale"), place))[0]
    voucher_sell(voucher, actor=None, request_key="k1", now=NOW)
    assert vouchers_expire(now=NOW + DAY) == 1
    voucher.refresh_from_db()
    assert (voucher.status, voucher.used_at) == ("expired", None)
    voucher_extend(voucher, seconds=3600, actor=None, now=NOW + 2 * DAY)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.valid_until, voucher.ended_at) == ("sold", NOW + 2 * DAY + HOUR, None)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"past_uptime_seconds": 1000, "epoch_uptime_seconds": 800}, {"epoch_uptime_seconds": 1800}, "uptime"),
        ({"past_bytes": 400, "epoch_bytes": 300}, {"epoch_bytes": 300}, "data"),
        ({"past_uptime_seconds": 1799}, {"epoch_uptime_seconds": 1800, "epoch_bytes": 999}, None),
    ],
)
def test_used_up_limits_end_a_voucher_summed_over_its_routers(
    first: dict[str, int], second: dict[str, int], reason: str | None
) -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Kuota", one, two, duration_seconds=None, uptime_limit_seconds=3600, data_limit_bytes=1000)
    voucher, other, _third = vouchers_of(make_batch(plan, one, two))
    a, b = account_ids(voucher)
    vouchers_activate([(a, NOW), (account_ids(other)[0], NOW)])
    AccessAccount.objects.filter(pk=a).update(**first)
    AccessAccount.objects.filter(pk=b).update(**second)
    assert vouchers_expire(now=NOW + HOUR) == 0
    assert vouchers_use_up(now=NOW + HOUR) == (1 if reason else 0)
    voucher.refresh_from_db()
    assert voucher.status == ("expired" if reason else "active")
    assert [event.details["reason"] for event in voucher.events.filter(kind="expired")] == ([reason] if reason else [])
    other.refresh_from_db()
    assert other.status == "active"


def test_a_voucher_that_its_router_lost_is_never_expired() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    AccessAccount.objects.filter(name=voucher.code).update(applied_revision=0, router_id="")
    assert vouchers_expire(now=NOW + HOUR) == 0
    voucher.refresh_from_db()
    assert voucher.status == "active"
    assert [a.valid_until for a in accounts_named(voucher.code)] == [NOW + DAY]


def test_extending_a_running_voucher_adds_to_its_end() -> None:
    place, boss = make_location(), make_user()
    voucher = vouchers_of(make_batch(make_plan("Harian", place), place))[0]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    voucher_extend(voucher, seconds=3600, actor=boss, now=NOW + HOUR)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.valid_until) == ("active", NOW + DAY + HOUR)
    # the limit it was born with must not cut the new time short
    assert [(a.valid_until, a.limit_uptime_seconds) for a in accounts_named(voucher.code)] == [(NOW + DAY + HOUR, None)]
    assert voucher.events.filter(kind="extended").get().actor == boss


def test_extending_an_expired_voucher_gives_that_long_from_now() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    voucher = vouchers_of(make_batch(make_plan("Harian", one, two), one, two))[0]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    vouchers_expire(now=NOW + DAY)
    AccessAccount.objects.filter(name=voucher.code, location=one).delete()  # one router confirmed, the other did not
    voucher_extend(voucher, seconds=3600, actor=None, now=NOW + 3 * DAY)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.used_at, voucher.ended_at) == ("active", NOW, None)
    assert voucher.valid_until == NOW + 3 * DAY + HOUR
    assert [(a.presence, a.valid_until, a.priority) for a in accounts_named(voucher.code)] == [
        (Presence.PRESENT, NOW + 3 * DAY + HOUR, Priority.PAID)
    ] * 2
    assert vouchers_expire(now=NOW + 3 * DAY) == 0
    assert vouchers_expire(now=NOW + 3 * DAY + HOUR) == 1


@pytest.mark.parametrize(("is_gone", "limit"), [(False, 3600 + 1800), (True, 1800)])
def test_extending_used_up_online_time_gives_exactly_that_much_more(is_gone: bool, limit: int) -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Jam", place, duration_seconds=None, uptime_limit_seconds=3600), place))[
        0
    ]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    AccessAccount.objects.filter(name=voucher.code).update(epoch_uptime_seconds=3600)
    assert vouchers_use_up(now=NOW + HOUR) == 1
    if is_gone:
        AccessAccount.objects.filter(name=voucher.code).delete()
    voucher_extend(voucher, seconds=1800, actor=None, now=NOW + HOUR)
    assert [a.limit_uptime_seconds for a in accounts_named(voucher.code)] == [limit]
    assert vouchers_use_up(now=NOW + 2 * HOUR) == 0


def test_data_used_before_the_end_stays_used() -> None:
    place = make_location()
    voucher = vouchers_of(make_batch(make_plan("Harian", place, data_limit_bytes=1000), place))[0]
    vouchers_activate([(account_ids(voucher)[0], NOW)])
    AccessAccount.objects.filter(name=voucher.code).update(epoch_bytes=600)
    vouchers_expire(now=NOW + DAY)
    AccessAccount.objects.filter(name=voucher.code).delete()
    voucher_extend(voucher, seconds=3600, actor=None, now=NOW + 2 * DAY)
    assert [a.limit_bytes for a in accounts_named(voucher.code)] == [400]


def test_senseless_extensions_are_refused() -> None:
    place = make_location()
    plan = make_plan("Harian", place, data_limit_bytes=1000)
    void, fresh, empty = vouchers_of(make_batch(plan, place))
    voucher_void(void, actor=None, reason="lost")
    vouchers_activate([(account_ids(empty)[0], NOW)])
    AccessAccount.objects.filter(name=empty.code).update(epoch_bytes=1000)
    for voucher, says in ((void, "void"), (fresh, "not started"), (empty, "used up")):
        with pytest.raises(TransitionError, match=says) as refused:
            voucher_extend(voucher, seconds=3600, actor=None, now=NOW)
        assert refused.value.code == "voucher.not_extendable"
    assert not VoucherEvent.objects.filter(kind="extended").exists()
    assert not ActivityLog.objects.filter(action="voucher.extended").exists()

"""Sessions, used time, resets and replaced routers, as the emulator lives them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import events
from core.clock import now as real_now
from locations import services
from locations.choices import Kind, Priority, Reach
from locations.events import FirstLogin
from locations.models import AccessAccount, Location, Observation, RouterProfile, RouterSession, RouterState
from locations.sync.writer import location_run
from tests.routers import BOTH, Clock, emulated, hotspot_users, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
MAC = "02:00:00:00:00:01"


@pytest.fixture
def first_logins(monkeypatch: pytest.MonkeyPatch) -> list[FirstLogin]:
    seen: list[FirstLogin] = []
    only = [events.Subscription(FirstLogin, seen.append, is_critical=True, order=1)]
    monkeypatch.setattr(events, "_subscriptions", only)
    return seen


def voucher_account(location: Location, name: str = "ABCD2345", **fields: object) -> AccessAccount:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
    return services.account_put(profile=profile, name=name, password=None, tag="b1", **fields)  # type: ignore[arg-type]


def test_first_login_is_observed_time_minus_uptime_and_told_once(first_logins: list[FirstLogin]) -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=7200)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(300)
        clock.at += timedelta(seconds=300)
        location_run(location.pk, now=clock)
        router.advance(60)
        clock.at += timedelta(seconds=60)
        location_run(location.pk, now=clock)

        began = clock.at - timedelta(seconds=360)
        assert [event.logins for event in first_logins] == [[(account.pk, began)]]
        account.refresh_from_db()
        assert account.first_login_at == began
        assert account.used_uptime_seconds == 360
        session = RouterSession.objects.get()
        assert (session.name, session.uptime_seconds, session.mac_address) == ("ABCD2345", 360, MAC)


def test_a_session_between_two_polls_is_found_by_its_counter(first_logins: list[FirstLogin]) -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(20)
        router.hotspot_logout(MAC)
        router.advance(1000)
        clock.at += timedelta(seconds=1020)
        location_run(location.pk, now=clock)
        account.refresh_from_db()
        assert account.used_uptime_seconds == 20
        assert [event.logins for event in first_logins] == [[(account.pk, clock.at - timedelta(seconds=20))]]


def test_counters_of_ended_and_running_sessions_add_up() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location)
        location_run(location.pk, now=clock)
        for seconds in (100, 50):
            router.hotspot_login("ABCD2345", "ABCD2345", MAC)
            router.advance(seconds)
            clock.at += timedelta(seconds=seconds)
            location_run(location.pk, now=clock)
            router.hotspot_logout(MAC)
            router.advance(40)
            clock.at += timedelta(seconds=40)
            location_run(location.pk, now=clock)
        account.refresh_from_db()
        assert account.used_uptime_seconds == 150
        assert account.past_uptime_seconds == 0


@BOTH
def test_a_factory_reset_brings_accounts_back_with_their_remaining_time(version: str) -> None:
    clock = Clock(real_now())
    with emulated(clock="manual", version=version) as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        unused = voucher_account(location, "EFGH2345", limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(600)
        clock.at += timedelta(seconds=600)
        location_run(location.pk, now=clock)

        router.factory_reset()
        router.advance(30)
        clock.at += timedelta(seconds=60)
        assert hotspot_users(router) == {}
        for _attempt in range(3):  # the cut connection is one failure, then it is found again
            location_run(location.pk, is_forced=True, now=clock)

        users = router.rows("/ip/hotspot/user")
        limits = {row["name"]: row.get("limit-uptime") for row in users if row["name"] != "default-trial"}
        assert limits == {"ABCD2345": "50m", "EFGH2345": "1h"}
        account.refresh_from_db()
        unused.refresh_from_db()
        assert (account.used_uptime_seconds, account.past_uptime_seconds, account.is_synced) == (600, 600, True)
        assert (unused.used_uptime_seconds, unused.is_synced) == (0, True)


def test_nothing_is_sent_to_a_reset_router_before_it_was_compared_even_when_the_link_breaks_in_between() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(600)
        clock.at += timedelta(seconds=600)
        location_run(location.pk, now=clock)

        router.factory_reset()
        router.set_fault(
            "truncate", rows=0, pattern="^/ip/hotspot/user/print"
        )  # the poll finds nobody, the comparison breaks
        services.account_change(account, password="baru", priority=Priority.PAID)
        for _attempt in range(3):  # the kept connection died with the router; then it breaks twice
            router.advance(20)
            clock.at += timedelta(seconds=20)
            location_run(location.pk, is_forced=True, now=clock)
        assert [row["name"] for row in router.rows("/ip/hotspot/user")] == ["default-trial"]
        router.clear_fault()
        location_run(location.pk, is_forced=True, now=clock)
        (row,) = router.rows("/ip/hotspot/user", name="ABCD2345")
        assert (row["password"], row["limit-uptime"], row["uptime"]) == ("baru", "50m", "0s")
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (600, 0)


def test_a_limit_sent_between_two_polls_takes_no_paid_time() -> None:
    """The router's counter grew by what nobody has read yet; the limit counts from the counter."""
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, valid_until=clock.at + timedelta(seconds=1200))
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        for seconds in (60, 25):
            router.advance(seconds)
            clock.at += timedelta(seconds=seconds)
            if seconds == 25:
                services.account_kick(account, actor=None)
            location_run(location.pk, now=clock)
        (row,) = router.rows("/ip/hotspot/user", name="ABCD2345")
        assert (row["uptime"], row["limit-uptime"]) == ("1m25s", "20m")  # 1,115 s are left, and 1,115 s he may stay


def test_a_session_that_the_router_lists_twice_counts_once() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(100)
        clock.at += timedelta(seconds=100)
        router.set_fault("duplicate", after=8)  # resource, routerboard, licence and identity come first
        location_run(location.pk, now=clock)
        assert router.faults_active() == []
        assert RouterSession.objects.get().uptime_seconds == 100
        account.refresh_from_db()
        assert account.used_uptime_seconds == 100


def test_another_serial_at_the_address_gets_nothing_until_a_person_chose() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        voucher_account(location)
        location_run(location.pk, now=clock)
        router.replace_hardware(serial="OTHER0001")
        voucher_account(location, "EFGH2345")
        router.clear_op_log()
        clock.at += timedelta(seconds=60)
        for _attempt in range(3):
            location_run(location.pk, is_forced=True, now=clock)
        state = RouterState.objects.get(pk=location.pk)
        assert (state.reach, state.other_serial) == (Reach.WRONG_ROUTER, "OTHER0001")
        assert router.write_count() == 0

        services.location_accept_router(location, actor=None)
        for _attempt in range(2):
            location_run(location.pk, is_forced=True, now=clock)
        assert sorted(hotspot_users(router)) == ["ABCD2345", "EFGH2345"]
        assert RouterState.objects.get(pk=location.pk).serial == "OTHER0001"


@BOTH
def test_a_list_that_breaks_off_is_an_error_and_changes_nothing(version: str) -> None:
    """T3."""
    clock = Clock(real_now())
    with emulated(clock="manual", version=version) as router:
        location = location_of(router)
        account = voucher_account(location)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        observations = Observation.objects.count()
        router.set_fault("truncate", rows=0, pattern="^/ip/hotspot/(active|user)/print")
        clock.at += timedelta(seconds=60)
        assert location_run(location.pk, is_forced=True, now=clock).problem != ""
        account.refresh_from_db()
        assert account.is_synced
        assert Observation.objects.count() == observations
        assert RouterState.objects.get(pk=location.pk).failures == 1


@BOTH
def test_sync_twice_leaves_users_counters_and_sessions_alone(version: str) -> None:
    """T4."""
    clock = Clock(real_now())
    with emulated(clock="manual", version=version) as router:
        location = location_of(router)
        voucher_account(location)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(100)
        clock.at += timedelta(seconds=100)
        RouterState.objects.update(reconcile_due_at=clock.at)
        location_run(location.pk, now=clock)
        before = (router.rows("/ip/hotspot/user"), on_router(router, "/ip/hotspot/active"))
        router.clear_op_log()
        RouterState.objects.update(reconcile_due_at=clock.at)
        location_run(location.pk, now=clock)
        assert (router.rows("/ip/hotspot/user"), on_router(router, "/ip/hotspot/active")) == before
        assert router.write_count() == 0


def test_drift_made_by_hand_is_seen_and_repaired_and_foreign_entries_stay() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        voucher_account(location)
        voucher_account(location, "EFGH2345")
        location_run(location.pk, now=clock)
        tag = hotspot_users(router)["ABCD2345"]["comment"]
        router.command("/ip/hotspot/user/set", {"numbers": "ABCD2345", "profile": "default"})
        router.command("/ip/hotspot/user/remove", {"numbers": "EFGH2345"})
        router.command("/ip/hotspot/user/add", {"name": "foreign"})
        router.command("/ip/hotspot/user/add", {"name": "leftover", "comment": tag})
        RouterState.objects.update(reconcile_due_at=clock.at)
        location_run(location.pk, now=clock)
        drift = RouterState.objects.get(pk=location.pk).drift
        assert (drift["missing"], drift["different"], drift["extra"], drift["foreign"]) == (1, 1, 1, 2)
        users = hotspot_users(router)
        assert sorted(users) == ["ABCD2345", "EFGH2345", "foreign", "leftover"]
        assert users["ABCD2345"]["profile"] == "paket"


def test_device_lock_takes_the_first_device() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        voucher_account(location, is_mac_locked=True)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(40)
        clock.at += timedelta(seconds=60)
        location_run(location.pk, now=clock)
        assert hotspot_users(router)["ABCD2345"]["mac-address"] == MAC


def test_a_roaming_account_online_at_two_places_loses_the_newer_session() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as first, emulated(clock="manual") as second:
        here, there = location_of(first, "Pos 1"), location_of(second, "Pos 2")
        voucher_account(here)
        voucher_account(there)
        for location in (here, there):
            location_run(location.pk, now=clock)
        first.hotspot_login("ABCD2345", "ABCD2345", MAC)
        first.advance(100)
        second.advance(100)
        second.hotspot_login("ABCD2345", "ABCD2345", "02:00:00:00:00:02")
        for _poll in range(2):
            first.advance(60)
            second.advance(60)
            clock.at += timedelta(seconds=60)
            for location in (here, there):
                location_run(location.pk, now=clock)
        assert len(on_router(first, "/ip/hotspot/active")) == 1
        assert on_router(second, "/ip/hotspot/active") == []


def test_the_routers_limit_follows_the_validity() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=86400)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(600)
        clock.at += timedelta(seconds=600)
        location_run(location.pk, now=clock)
        services.accounts_set_validity([(account.pk, clock.at + timedelta(seconds=3000))])
        location_run(location.pk, now=clock)
        assert router.rows("/ip/hotspot/user", name="ABCD2345")[0]["limit-uptime"] == "1h"


def test_profiles_with_accounts_stay_until_they_are_free() -> None:
    with emulated() as router:
        location = location_of(router)
        account = voucher_account(location)
        location_run(location.pk)
        services.profile_remove(account.profile)
        location_run(location.pk)
        assert "paket" in {p["name"] for p in on_router(router, "/ip/hotspot/user/profile")}
        services.accounts_remove(AccessAccount.objects.all())
        location_run(location.pk)
        location_run(location.pk)
        assert "paket" not in {p["name"] for p in on_router(router, "/ip/hotspot/user/profile")}
        assert RouterProfile.objects.count() == 0

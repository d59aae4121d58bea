"""What a power cut takes from a router's counters is not given away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import now as real_now
from locations import services
from locations.emulator.router import EmulatedRouter
from locations.models import RouterSession
from locations.routeros.values import duration_seconds
from locations.sync.writer import location_run
from tests.integration.locations.test_life import MAC, voucher_account
from tests.routers import BOTH, Clock, emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)


CHECKPOINT_SECONDS = 300  # how often the router writes its counters down


def seconds_left(router: EmulatedRouter, name: str = "ABCD2345") -> int:
    """How long he may still be online, as the router counts it."""
    row = hotspot_users(router)[name]
    return duration_seconds(str(row["limit-uptime"])) - duration_seconds(str(row["uptime"]))


@BOTH
def test_a_power_cut_gives_no_free_time(version: str) -> None:
    """T12: the router forgets what it did not write down; we take it off his limit."""
    clock = Clock(real_now())
    with emulated(clock="manual", version=version) as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(1000)
        clock.at += timedelta(seconds=1000)
        location_run(location.pk, now=clock)
        before = seconds_left(router) - 1000  # the session counts from its end on
        router.reboot()
        assert (before, seconds_left(router)) == (2600, 2700)
        assert seconds_left(router) - before < CHECKPOINT_SECONDS
        router.advance(20)
        clock.at += timedelta(seconds=60)
        for _attempt in range(3):
            location_run(location.pk, is_forced=True, now=clock)
        assert seconds_left(router) == 2600
        account.refresh_from_db()
        assert (account.used_uptime_seconds, account.past_uptime_seconds) == (1000, 100)


def test_a_power_cut_that_forgets_the_seconds_but_not_the_bytes_gives_no_free_time_either() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC, up_rate=0, down_rate=0, returns=False)
        router.hotspot_use(MAC, up_bytes=5000)
        router.advance(100)
        clock.at += timedelta(seconds=100)
        location_run(location.pk, now=clock)
        router.reboot()
        router.advance(60)
        clock.at += timedelta(seconds=60)
        for _attempt in range(2):  # the kept connection died with the router
            location_run(location.pk, is_forced=True, now=clock)
        (row,) = router.rows("/ip/hotspot/user", name="ABCD2345")
        assert (row["uptime"], row["bytes-in"], row["limit-uptime"]) == ("0s", "5000", "58m20s")
        account.refresh_from_db()
        assert (account.used_uptime_seconds, account.past_uptime_seconds, account.used_bytes) == (100, 100, 5000)


def test_who_is_back_before_anyone_looked_after_a_power_cut_gets_no_free_time() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.advance(100)
        clock.at += timedelta(seconds=100)
        location_run(location.pk, now=clock)
        router.reboot()
        router.advance(105)  # the phone is back by its cookie a minute after the boot
        clock.at += timedelta(seconds=105)
        for _attempt in range(2):
            location_run(location.pk, is_forced=True, now=clock)
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (100, 45)
        (row,) = router.rows("/ip/hotspot/user", name="ABCD2345")
        assert (row["uptime"], row["limit-uptime"]) == ("0s", "58m20s")
        router.advance(60)
        clock.at += timedelta(seconds=60)
        location_run(location.pk, is_forced=True, now=clock)
        account.refresh_from_db()
        assert account.used_uptime_seconds == 205


def test_what_a_power_cut_took_is_noticed_although_the_comparison_after_it_came_late() -> None:
    """He was thrown out by the power cut; when the router is compared at last, he is online again."""
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC, returns=False)
        router.advance(50)
        clock.at += timedelta(seconds=50)
        location_run(location.pk, now=clock)
        router.reboot()
        router.set_fault("truncate", rows=0, pattern="profile/print")
        router.advance(15)
        clock.at += timedelta(seconds=15)
        for _attempt in range(2):  # whether the kept connection is found dead before it is used or by using it
            result = location_run(location.pk, is_forced=True, now=clock)
        assert result.problem == "unreachable"
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (50, 0)
        assert not RouterSession.objects.exists()
        router.hotspot_login("ABCD2345", "ABCD2345", MAC)
        router.clear_fault()
        router.advance(15)
        clock.at += timedelta(seconds=15)
        location_run(location.pk, is_forced=True, now=clock)
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (50, 15)
        (row,) = router.rows("/ip/hotspot/user", name="ABCD2345")
        assert (row["uptime"], row["limit-uptime"]) == ("0s", "59m10s")


def test_who_was_renamed_when_the_power_went_did_not_lose_what_the_router_still_counts() -> None:
    """Its entry has the old name: not being listed under the new one says nothing."""
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = voucher_account(location, limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.hotspot_login("ABCD2345", "ABCD2345", MAC, returns=False)
        router.advance(50)
        clock.at += timedelta(seconds=50)
        location_run(location.pk, now=clock)
        router.hotspot_logout(MAC)
        services.account_change(account, name="EFGH2345")
        router.reboot()
        router.advance(15)
        clock.at += timedelta(seconds=15)
        for _attempt in range(2):
            location_run(location.pk, is_forced=True, now=clock)
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (0, 50)
        (row,) = router.rows("/ip/hotspot/user", name="EFGH2345")
        assert (row["uptime"], row["limit-uptime"]) == ("50s", "1h")

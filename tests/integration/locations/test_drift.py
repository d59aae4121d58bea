"""Drift: what was changed on a router by others is found, shown, and repaired when and as the location wants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.clock import now as real_now
from core.errors import DomainError
from core.installation import installation
from locations import services
from locations.choices import DriftCategory, DriftRepair, Hold, Kind
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, DriftRow, Location, RouterProfile, RouterState
from locations.selectors import desired_rows
from locations.sync import reconcile as reconciling
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, hotspot_users, location_of, on_router, second_client

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])


def by_hand(router: EmulatedRouter, command: str, **words: str) -> None:
    """Somebody with WinBox."""
    client = second_client(router)
    try:
        tuple(client(command, **{key.replace("_", "-"): value for key, value in words.items()}))
    finally:
        client.close()


def set_user(router: EmulatedRouter, name: str, **words: str) -> None:
    by_hand(router, "/ip/hotspot/user/set", **{".id": hotspot_users(router)[name][".id"]}, **words)


def remove_user(router: EmulatedRouter, name: str) -> None:
    by_hand(router, "/ip/hotspot/user/remove", **{".id": hotspot_users(router)[name][".id"]})


def put(location: Location, *names: str, **fields: Any) -> list[AccessAccount]:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
    return [services.account_put(profile=profile, name=n, password=None, tag="a", **fields) for n in names]


def compared(location: Location, at: datetime | None = None, **options: Any) -> dict[str, DriftRow]:
    """Findings by name after a comparison that a person asked for."""
    services.location_compare(location, now=at or real_now(), actor=None, **options)
    assert location_run(location.pk, is_forced=True).problem == ""
    return {row.name: row for row in DriftRow.objects.filter(location=location)}


def asking(router: EmulatedRouter) -> Location:
    return location_of(router, drift_repair=DriftRepair.ASK)


@VERSIONS
def test_what_differs_is_listed_word_by_word_and_waits_for_a_person(version: str) -> None:
    with emulated(version=version) as router:
        location = asking(router)
        one, two, three = put(location, "AAAA2222", "BBBB2222", "CCCC2222", limit_uptime_seconds=3600)
        location_run(location.pk)
        set_user(router, "AAAA2222", profile="default", disabled="yes")
        remove_user(router, "BBBB2222")
        writes = router.write_count()

        found = compared(location)

        assert router.write_count() == writes
        assert set(found) == {"AAAA2222", "BBBB2222", "default-trial"}
        assert (found["AAAA2222"].category, found["AAAA2222"].row_id) == (DriftCategory.DIFFERENT, one.pk)
        assert found["AAAA2222"].words == [["profile", "paket", "default"], ["disabled", "no", "true"]]
        assert found["BBBB2222"].category == DriftCategory.MISSING
        assert found["default-trial"].category == DriftCategory.FOREIGN
        for account, hold in ((one, Hold.DRIFT), (two, Hold.DRIFT), (three, Hold.NONE)):
            account.refresh_from_db()
            assert (account.hold, account.is_synced) == (hold, hold == Hold.NONE)

        done = services.drift_repair(location, row_ids=[found["AAAA2222"].pk], now=real_now(), actor=None)
        location_run(location.pk)

        assert (done.sent, done.removed, done.adopted) == (1, 0, 0)
        users = hotspot_users(router)
        assert (users["AAAA2222"]["profile"], users["AAAA2222"]["disabled"]) == ("paket", False)
        assert "BBBB2222" not in users
        wishes = desired_rows(list(found.values()))
        assert wishes["account", one.pk].is_synced
        assert not wishes["account", two.pk].is_synced


def test_a_second_comparison_keeps_what_is_held_and_ends_what_healed() -> None:
    with emulated() as router:
        location = asking(router)
        one, two = put(location, "AAAA2222", "BBBB2222")
        location_run(location.pk)
        set_user(router, "AAAA2222", profile="default")
        set_user(router, "BBBB2222", profile="default")
        compared(location)
        set_user(router, "BBBB2222", profile="paket")
        found = compared(location)
        one.refresh_from_db()
        two.refresh_from_db()
        assert (one.hold, two.hold, two.is_synced) == (Hold.DRIFT, Hold.NONE, True)
        assert set(found) == {"AAAA2222", "default-trial"}


def test_a_change_of_ours_ends_the_hold_and_is_written_whole() -> None:
    with emulated() as router:
        location = asking(router)
        (account,) = put(location, "AAAA2222")
        location_run(location.pk)
        set_user(router, "AAAA2222", profile="default")
        compared(location)
        services.account_change(account, mac_address="02:00:00:00:00:07")
        location_run(location.pk)
        user = hotspot_users(router)["AAAA2222"]
        assert (user["profile"], user["mac-address"]) == ("paket", "02:00:00:00:00:07")


@VERSIONS
def test_a_password_is_compared_where_it_can_be_read_and_never_kept(version: str) -> None:
    with emulated(version=version) as router:
        location = asking(router)
        profile = services.profile_put(location=location, kind=Kind.PPP, name="rumah", rate_limit="5M/10M")
        services.account_put(profile=profile, name="budi", password="rahasia-1", tag="a")
        services.account_put(profile=profile, name="sri", password="rahasia-2", tag="a")
        location_run(location.pk)
        row = next(row for row in on_router(router, "/ppp/secret") if row["name"] == "budi")
        by_hand(router, "/ppp/secret/set", **{".id": row[".id"]}, password="tebakan")
        found = compared(location)
        assert found["budi"].words == [["password", "", ""]]
        assert "sri" not in found


def test_extra_entries_leave_only_when_ticked_and_only_if_still_ours() -> None:
    with emulated() as router:
        location = location_of(router)
        put(location, "AAAA2222")
        location_run(location.pk)
        tag = f"mb:{installation().tag}:b9"
        for name in ("OLD11111", "OLD22222", "OLD33333"):
            by_hand(router, "/ip/hotspot/user/add", name=name, password=name, comment=tag)
        by_hand(router, "/ip/hotspot/user/add", name="tetangga", password="x")
        found = compared(location)
        assert {n: r.category for n, r in found.items() if n.startswith("OLD")} == dict.fromkeys(
            ("OLD11111", "OLD22222", "OLD33333"), DriftCategory.EXTRA
        )
        set_user(router, "OLD22222", comment="ours now, says the neighbour")
        router.hotspot_login("OLD11111", "OLD11111", "02:00:00:00:00:01")
        ticked = [found["OLD11111"].pk, found["OLD22222"].pk, found["tetangga"].pk]
        done = services.drift_repair(location, row_ids=ticked, now=real_now(), actor=None)
        assert (done.sent, done.removed, done.adopted) == (0, 2, 0)
        RouterState.objects.update(polled_at=real_now() + timedelta(hours=1))
        assert [pk for pk, _failures in locations_due(real_now())] == [location.pk]
        location_run(location.pk)
        users = hotspot_users(router)
        assert sorted(users) == ["AAAA2222", "OLD22222", "OLD33333", "tetangga"]
        assert on_router(router, "/ip/hotspot/active") == []
        removed = DriftRow.objects.exclude(removed_at=None)
        assert sorted(removed.values_list("name", flat=True)) == ["OLD11111", "OLD22222"]
        assert locations_due(real_now()) == []


def test_repairing_everything_neither_removes_nor_takes_over() -> None:
    with emulated() as router:
        location = asking(router)
        (_account, other) = put(location, "AAAA2222", "BBBB2222")
        location_run(location.pk)
        remove_user(router, "AAAA2222")
        set_user(router, "BBBB2222", comment="mine")
        by_hand(router, "/ip/hotspot/user/add", name="OLD1", password="x", comment=f"mb:{installation().tag}:b9")
        compared(location)
        services.drift_repair(location, row_ids=None, now=real_now(), actor=None)
        location_run(location.pk)
        users = hotspot_users(router)
        assert sorted(users) == ["AAAA2222", "BBBB2222", "OLD1"]
        assert users["BBBB2222"]["comment"] == "mine"
        other.refresh_from_db()
        assert other.hold == Hold.CONFLICT

        (row,) = DriftRow.objects.filter(category=DriftCategory.CONFLICT)
        done = services.drift_repair(location, row_ids=[row.pk], now=real_now(), actor=None)
        location_run(location.pk)
        assert done.adopted == 1
        assert hotspot_users(router)["BBBB2222"]["comment"] == f"mb:{installation().tag}:a"


def test_a_list_that_is_out_of_date_changes_nothing() -> None:
    with emulated() as router:
        location = asking(router)
        put(location, "AAAA2222")
        location_run(location.pk)
        remove_user(router, "AAAA2222")
        old = compared(location)["AAAA2222"].pk
        compared(location)
        with pytest.raises(DomainError) as raised:
            services.drift_repair(location, row_ids=[old], now=real_now(), actor=None)
        assert raised.value.code == "drift.outdated"
        assert AccessAccount.objects.get().hold == Hold.DRIFT


def test_daily_repair_waits_for_its_hour_and_makes_up_for_a_missed_one() -> None:
    clock = Clock(datetime.fromisoformat("2026-11-25T10:00:00+07:00"))
    with emulated(clock="manual") as router:

        def at(moment: str) -> None:
            then = datetime.fromisoformat(moment)
            router.advance(int((then - clock.at).total_seconds()))
            clock.at = then
            location_run(location.pk, now=clock)

        location = location_of(router, drift_repair=DriftRepair.DAILY, drift_repair_hour=2, timezone="Asia/Jakarta")
        put(location, "AAAA2222")
        location_run(location.pk, now=clock)
        remove_user(router, "AAAA2222")
        services.location_compare(location, now=clock(), actor=None)
        location_run(location.pk, now=clock)
        assert hotspot_users(router) == {}
        at("2026-11-26T01:59:00+07:00")
        assert hotspot_users(router) == {}
        at("2026-11-26T02:01:00+07:00")
        assert list(hotspot_users(router)) == ["AAAA2222"]
        assert RouterState.objects.get().repaired_at == clock.at


def test_a_reset_router_is_always_repaired() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = asking(router)
        put(location, "AAAA2222", limit_uptime_seconds=3600)
        location_run(location.pk, now=clock)
        router.advance(600)
        clock.at += timedelta(seconds=600)
        location_run(location.pk, now=clock)
        router.factory_reset()
        router.advance(30)
        clock.at += timedelta(seconds=60)
        for _attempt in range(3):
            location_run(location.pk, is_forced=True, now=clock)
        assert list(hotspot_users(router)) == ["AAAA2222"]


@VERSIONS
def test_a_changed_profile_is_held_and_accounts_can_still_be_added(version: str) -> None:
    with emulated(version=version) as router:
        location = asking(router)
        put(location, "AAAA2222")
        location_run(location.pk)
        profile = next(row for row in on_router(router, "/ip/hotspot/user/profile") if row["name"] == "paket")
        by_hand(router, "/ip/hotspot/user/profile/set", **{".id": profile[".id"], "rate-limit": "9M/9M"})
        found = compared(location)
        assert found["paket"].words == [["rate-limit", "2M/4M", "9M/9M"]]
        assert RouterProfile.objects.get().hold == Hold.DRIFT
        put(location, "BBBB2222")
        compared(location)
        assert sorted(hotspot_users(router)) == ["AAAA2222", "BBBB2222"]
        services.drift_repair(location, row_ids=None, now=real_now(), actor=None)
        location_run(location.pk)
        speeds = {row["name"]: row.get("rate-limit") for row in on_router(router, "/ip/hotspot/user/profile")}
        assert speeds["paket"] == "2M/4M"
        assert RouterProfile.objects.get().is_synced


def test_only_what_was_asked_for_is_compared() -> None:
    with emulated() as router:
        location = asking(router)
        one, two = put(location, "AAAA2222", "BBBB2222")
        location_run(location.pk)
        reconciled_at = RouterState.objects.get().reconciled_at
        remove_user(router, "AAAA2222")
        remove_user(router, "BBBB2222")
        assert services.accounts_compare([one], now=real_now(), actor=None) == 1
        RouterState.objects.update(polled_at=real_now() + timedelta(hours=1))
        assert [pk for pk, _failures in locations_due(real_now())] == [location.pk]
        location_run(location.pk)
        one.refresh_from_db()
        two.refresh_from_db()
        assert (one.hold, two.hold) == (Hold.DRIFT, Hold.NONE)
        named = DriftRow.objects.exclude(category=DriftCategory.FOREIGN)
        assert list(named.values_list("name", flat=True)) == ["AAAA2222"]
        state = RouterState.objects.get()
        assert (state.compare_wanted, state.reconciled_at) == (None, reconciled_at)

        services.profiles_compare([one.profile], now=real_now(), actor=None)
        location_run(location.pk)
        assert sorted(named.values_list("name", flat=True)) == ["AAAA2222", "BBBB2222"]


def test_rows_are_bounded_and_counts_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locations.sync.drift.LISTED_ROWS", 3)
    with emulated() as router:
        location = asking(router)
        put(location, *(f"ACCT{n}" for n in range(7)))
        location_run(location.pk)
        for n in range(5):
            remove_user(router, f"ACCT{n}")
        for _again in range(2):
            compared(location)
            missing = DriftRow.objects.filter(category=DriftCategory.MISSING)
            assert (missing.count(), RouterState.objects.get().drift["missing"]) == (3, 5)
        services.drift_repair(location, row_ids=None, now=real_now(), actor=None)
        location_run(location.pk)
        assert len(hotspot_users(router)) == 7


def test_a_wish_made_during_the_comparison_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pays between the reading of the router and the writing down of what drifted."""
    write = reconciling._write_accounts

    def paid_first(changes: list[Any]) -> None:
        services.account_put(
            profile=RouterProfile.objects.get(), name="AAAA2222", password=None, tag="a", limit_uptime_seconds=60
        )
        write(changes)

    with emulated() as router:
        location = asking(router)
        (account,) = put(location, "AAAA2222")
        location_run(location.pk)
        set_user(router, "AAAA2222", profile="default")
        monkeypatch.setattr(reconciling, "_write_accounts", paid_first)
        compared(location)
        account.refresh_from_db()
        assert account.hold == Hold.NONE
        location_run(location.pk)
        user = hotspot_users(router)["AAAA2222"]
        assert (user["profile"], str(user["limit-uptime"])) in {("paket", "1m"), ("paket", "60")}

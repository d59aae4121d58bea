"""A move is never two open doors: the new place opens when the old one is shut, or when a person says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import ActivityLog
from core import events
from core.clock import now as real_now
from core.errors import DomainError
from core.staff_events import StaffActed
from locations import services
from locations.choices import Kind, Presence, Reach
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, RouterProfile, RouterState
from locations.routeros.values import duration_seconds
from locations.selectors import moves_awaited
from locations.sync.batch import Batch
from locations.sync.queue import has_paid_work, has_work
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, hotspot_users, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
MAC = "02:00:00:00:00:01"
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])


@dataclass
class Two:
    one: EmulatedRouter
    two: EmulatedRouter
    here: Location
    there: Location
    here_profile: RouterProfile
    there_profile: RouterProfile
    clock: Clock

    def run(self, *places: Location) -> None:
        for place in places:
            location_run(place.pk, is_forced=True, now=self.clock)

    def switch(self, account: AccessAccount) -> services.Switch:
        return services.location_switch(account, to=self.there, profile=self.there_profile, actor=None)


@contextmanager
def two_routers(version: str = "7.16.1", kind: str = Kind.HOTSPOT) -> Iterator[Two]:
    with emulated(clock="manual", version=version) as one, emulated(clock="manual", version=version) as two:
        here, there = location_of(one, "Pos 1"), location_of(two, "Pos 2")
        profiles = [
            services.profile_put(location=p, kind=kind, name="paket", rate_limit="2M/4M") for p in (here, there)
        ]
        yield Two(one, two, here, there, profiles[0], profiles[1], Clock(real_now()))


def put(profile: RouterProfile, tag: str = "a", **fields: object) -> AccessAccount:
    return services.account_put(profile=profile, name="budi", password=None, tag=tag, **fields)  # type: ignore[arg-type]


@VERSIONS
@pytest.mark.parametrize("tag", ["a", "b7"])
def test_the_new_place_opens_after_the_old_one_is_shut_with_the_time_that_is_left(version: str, tag: str) -> None:
    with two_routers(version) as w:
        account = put(w.here_profile, tag, limit_uptime_seconds=3600, mac_address=MAC)
        w.run(w.here, w.there)
        w.one.hotspot_login("budi", "budi", MAC)
        w.one.advance(600)
        w.clock.at += timedelta(seconds=600)
        w.run(w.here)

        switch = w.switch(account)
        assert (switch.waits_for, switch.offline) == (["Pos 1"], [])
        for _attempt in range(2):
            w.run(w.there)
            assert hotspot_users(w.two) == {}
            assert len(on_router(w.one, "/ip/hotspot/active")) == 1
        assert moves_awaited([switch.account.pk]) == {switch.account.pk: "Pos 1"}
        assert not has_work(w.there.pk)
        assert not has_paid_work(w.there.pk)

        w.run(w.here)
        assert hotspot_users(w.one) == {}
        assert on_router(w.one, "/ip/hotspot/active") == []
        w.run(w.there)
        (row,) = AccessAccount.objects.all()
        user = hotspot_users(w.two)["budi"]
        assert duration_seconds(str(user["limit-uptime"])) == 3000
        assert user["mac-address"] == MAC
        assert (row.pk, row.location_id, row.used_uptime_seconds, row.is_synced) == (
            switch.account.pk, w.there.pk, 600, True,
        )  # fmt: skip
        assert row.first_login_at is not None


def test_while_the_old_router_is_away_a_person_may_open_and_the_old_place_is_shut_later() -> None:
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=3600)
        w.run(w.here, w.there)
        with pytest.raises(DomainError) as early:
            services.account_open_now(w.switch(account).account, actor=None)
        assert early.value.code == "account.old_router_answers"
        new = AccessAccount.objects.get(location=w.there)
        RouterState.objects.filter(pk=w.here.pk).update(reach=Reach.OFFLINE)
        assert services.switch_of(new).offline == ["Pos 1"]
        w.run(w.there)
        assert hotspot_users(w.two) == {}

        services.account_open_now(new, actor=None)
        w.run(w.there)
        assert list(hotspot_users(w.two)) == ["budi"]
        assert list(hotspot_users(w.one)) == ["budi"]
        w.run(w.here)
        assert hotspot_users(w.one) == {}
        assert AccessAccount.objects.count() == 1
        with pytest.raises(DomainError) as nothing:
            services.account_open_now(new, actor=None)
        assert nothing.value.code == "account.not_waiting"


def test_opening_early_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[StaffActed] = []
    only = [events.Subscription(StaffActed, seen.append, is_critical=True, order=1)]
    monkeypatch.setattr(events, "_subscriptions", only)
    with two_routers() as w:
        account = put(w.here_profile)
        w.run(w.here, w.there)
        RouterState.objects.filter(pk=w.here.pk).update(reach=Reach.OFFLINE)
        new = w.switch(account).account
        services.account_open_now(new, actor=None)
    assert [event.action for event in seen] == ["account.switched", "account.opened_early"]
    assert seen[1].details == {"account": new.pk, "name": "budi", "not_confirmed_by": ["Pos 1"]}
    assert ActivityLog.objects.count() == 0


def test_what_was_used_at_the_old_place_after_opening_early_counts_too() -> None:
    with two_routers() as w:
        account = put(w.here_profile, limit_uptime_seconds=3600)
        w.run(w.here, w.there)
        RouterState.objects.filter(pk=w.here.pk).update(reach=Reach.OFFLINE)
        services.account_open_now(w.switch(account).account, actor=None)
        w.run(w.there)
        AccessAccount.objects.filter(location=w.here).update(epoch_uptime_seconds=1200)
        w.run(w.here)
        w.run(w.there)
        (row,) = AccessAccount.objects.all()
        assert (row.used_uptime_seconds, row.is_synced) == (1200, True)
        assert duration_seconds(str(hotspot_users(w.two)["budi"]["limit-uptime"])) == 2400


def test_going_back_before_anything_happened_waits_for_nobody() -> None:
    with two_routers() as w:
        account = put(w.here_profile)
        w.run(w.here)
        new = w.switch(account).account
        back = services.location_switch(new, to=w.here, profile=w.here_profile, actor=None)
        assert (back.account.pk, back.waits_for) == (account.pk, [])
        w.run(w.here)
        assert list(hotspot_users(w.one)) == ["budi"]
        w.run(w.there)
        assert hotspot_users(w.two) == {}
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.moved_to_id, row.presence, row.is_synced) == (
            w.here.pk,
            None,
            Presence.PRESENT,
            True,
        )


def test_isolation_and_switching_off_go_with_it() -> None:
    with two_routers(kind=Kind.PPP) as w:
        account = put(w.here_profile, is_disabled=True)
        services.accounts_isolate([account.pk])
        w.run(w.here, w.there)
        new = w.switch(account).account
        assert (new.is_isolated, new.is_disabled) == (True, True)
        w.run(w.here, w.there)
        (secret,) = on_router(w.two, "/ppp/secret")
        assert (secret["name"], secret["disabled"], secret["profile"]) == ("budi", True, "mb-isolated")


def test_a_waiting_account_does_not_wake_its_router_again_and_again() -> None:
    with two_routers() as w:
        account = put(w.here_profile)
        w.run(w.here, w.there)
        w.switch(account)
        RouterState.objects.update(polled_at=real_now() + timedelta(hours=1))
        assert [pk for pk, _failures in locations_due(real_now())] == [w.here.pk]


def test_moves_that_make_no_sense_change_nothing() -> None:
    with two_routers() as w:
        account = put(w.here_profile)
        refused = []
        for to, profile in ((w.here, w.here_profile), (w.there, w.here_profile)):
            with pytest.raises(DomainError) as raised:
                services.location_switch(account, to=to, profile=profile, actor=None)
            refused.append(raised.value.code)
        services.accounts_remove(AccessAccount.objects.all())
        with pytest.raises(DomainError) as raised:
            w.switch(account)
        assert [*refused, raised.value.code] == ["account.same_place", "account.profile", "account.leaving"]
        assert AccessAccount.objects.count() == 1


def used_here(w: Two, seconds: int) -> AccessAccount:
    """Somebody with an hour who used so much of it at the first place, and was read there."""
    account = put(w.here_profile, "b7", limit_uptime_seconds=3600)
    w.run(w.here, w.there)
    w.one.hotspot_login("budi", "budi", MAC, returns=False)
    w.one.advance(seconds)
    w.clock.at += timedelta(seconds=seconds)
    w.run(w.here)
    return account


def test_who_comes_back_after_a_removal_that_nobody_heard_of_keeps_what_he_used(settings: Any) -> None:
    """The old router shut the door, its answer was lost, and he is moved back: its entry is a new one, with no counter."""
    settings.ROUTER_TIMEOUT_SECONDS = 0.5
    with two_routers() as w:
        new = w.switch(used_here(w, 600)).account
        w.one.set_fault("stall", pattern="hotspot/user/remove$", when="after")
        w.run(w.here)
        assert hotspot_users(w.one) == {}
        w.one.clear_fault()
        w.one.hotspot_logout(MAC)
        services.location_switch(new, to=w.here, profile=w.here_profile, actor=None)
        w.run(w.here, w.there)
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.past_uptime_seconds, row.epoch_uptime_seconds) == (w.here.pk, 600, 0)
        assert duration_seconds(str(hotspot_users(w.one)["budi"]["limit-uptime"])) == 3000
        w.one.hotspot_login("budi", "budi", MAC)
        w.one.advance(60)
        w.clock.at += timedelta(seconds=60)
        w.run(w.here)
        row.refresh_from_db()
        assert row.used_uptime_seconds == 660


def test_who_comes_back_in_the_moment_of_his_removal_keeps_what_he_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish to have him here again is written while the router confirms that he is gone."""
    with two_routers() as w:
        new = w.switch(used_here(w, 600)).account
        ended = Batch.kick

        def kick(batch: Batch, kind: str, names: set[str]) -> Any:
            shown = ended(batch, kind, names)
            if AccessAccount.objects.get(location=w.here).presence == Presence.ABSENT:
                services.location_switch(new, to=w.here, profile=w.here_profile, actor=None)
            return shown

        monkeypatch.setattr(Batch, "kick", kick)
        w.run(w.here, w.there)
        (row,) = AccessAccount.objects.all()
        assert (row.location_id, row.past_uptime_seconds, row.epoch_uptime_seconds) == (w.here.pk, 600, 0)
        assert duration_seconds(str(hotspot_users(w.one)["budi"]["limit-uptime"])) == 3000


def test_who_is_online_while_his_entry_is_made_anew_pays_for_his_session_once() -> None:
    """Somebody took his entry off by hand: his session goes on, and counts where it counted."""
    with two_routers() as w:
        account = used_here(w, 600)
        (user,) = w.one.rows("/ip/hotspot/user", name="budi")
        w.one.command("/ip/hotspot/user/remove", {".id": user[".id"]})
        services.account_change(account, is_mac_locked=True)
        w.run(w.here)
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (0, 600)
        assert duration_seconds(str(hotspot_users(w.one)["budi"]["limit-uptime"])) == 3600
        w.one.advance(60)
        w.clock.at += timedelta(seconds=60)
        w.run(w.here)
        account.refresh_from_db()
        assert account.used_uptime_seconds == 660


def test_the_comparison_that_finds_an_entry_gone_does_not_take_a_running_session_twice() -> None:
    with two_routers() as w:
        account = used_here(w, 300)
        w.one.hotspot_logout(MAC)
        w.one.hotspot_login("budi", "budi", MAC, returns=False)
        w.one.advance(600)
        w.clock.at += timedelta(seconds=600)
        w.run(w.here)
        account.refresh_from_db()
        assert account.epoch_uptime_seconds == 900
        (user,) = w.one.rows("/ip/hotspot/user", name="budi")
        w.one.command("/ip/hotspot/user/remove", {".id": user[".id"]})
        RouterState.objects.filter(pk=w.here.pk).update(reconcile_due_at=w.clock.at, is_repair_due=True)
        w.run(w.here)
        account.refresh_from_db()
        assert (account.past_uptime_seconds, account.epoch_uptime_seconds) == (300, 600)
        assert duration_seconds(str(hotspot_users(w.one)["budi"]["limit-uptime"])) == 3300
        w.one.advance(60)
        w.clock.at += timedelta(seconds=60)
        w.run(w.here)
        account.refresh_from_db()
        assert account.used_uptime_seconds == 960

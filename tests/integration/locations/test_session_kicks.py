"""Ending sessions: what the router has afterwards is asked from the router, not from our tables."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import ActivityLog
from core.clock import now
from core.errors import DomainError
from locations import services
from locations.choices import Kind, SessionEnd
from locations.models import AccessAccount, RouterSession, SessionKick, SessionRecord
from locations.sync.sweep import locations_due
from tests.integration.locations.test_session_history import MAC, VERSIONS, World, account_at
from tests.routers import emulated, on_router

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "02:00:00:00:00:02"


@pytest.mark.parametrize("version", VERSIONS)
def test_one_session_of_two_is_ended_with_its_cookie_and_read_back(version: str) -> None:
    with emulated(clock="manual", version=version) as router:
        world = World(router)
        account_at(world.location)
        services.profile_put(
            location=world.location, kind=Kind.HOTSPOT, name="hotspot-paket", rate_limit="2M/4M", shared_users=2
        )
        world.run()
        router.hotspot_login("sari", "rahasia", MAC)
        router.hotspot_login("sari", "rahasia", OTHER)
        world.run(60)
        assert len(on_router(router, "/ip/hotspot/cookie")) == 2
        session = RouterSession.objects.get(mac_address=MAC)
        assert services.sessions_kick([session], actor=None, now=world.clock.at) == 1
        assert services.sessions_kick([session], actor=None, now=world.clock.at) == 0
        assert locations_due(world.clock.at)[0][0] == world.location.pk
        assert len(on_router(router, "/ip/hotspot/active")) == 2  # asked, not ended
        world.clock.at += timedelta(seconds=5)
        world.run()
        assert [row["mac-address"] for row in on_router(router, "/ip/hotspot/active")] == [OTHER]
        assert [row["mac-address"] for row in on_router(router, "/ip/hotspot/cookie")] == [OTHER]
        kick = SessionKick.objects.get()
        assert (kick.ended_at, kick.had_cookie, kick.came_back_at) == (world.clock.at, True, None)
        record = SessionRecord.objects.get()
        assert (record.end, record.mac_address, record.ended_at) == (SessionEnd.KICKED, MAC, world.clock.at)
        assert [row.mac_address for row in RouterSession.objects.all()] == [OTHER]
        assert ActivityLog.objects.filter(action="session.kicked").count() == 1
        world.run(60)
        assert SessionRecord.objects.count() == 1


def test_one_who_dials_again_is_told_as_back() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location, Kind.PPP)
        world.run()
        router.ppp_connect("sari", "rahasia", MAC, redial=True)
        world.run(60)
        first = on_router(router, "/ppp/active")[0][".id"]
        services.sessions_kick(list(RouterSession.objects.all()), actor=None, now=world.clock.at)
        world.run()
        assert on_router(router, "/ppp/active") == []
        world.run(40)
        (back,) = on_router(router, "/ppp/active")
        assert back[".id"] != first
        kick = SessionKick.objects.get()
        assert kick.came_back_at == kick.ended_at + timedelta(seconds=5) if kick.ended_at else False
        account = AccessAccount.objects.get()
        assert account.last_session_end == SessionEnd.KICKED


def test_an_unreachable_router_leaves_the_wish_open_and_says_nothing_ended() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC)
        world.run(60)
        router.set_fault("truncate", rows=0, pattern="^/ip/hotspot/active/print")
        services.sessions_kick(list(RouterSession.objects.all()), actor=None, now=world.clock.at)
        world.run()
        assert (SessionKick.objects.get().ended_at, SessionRecord.objects.count()) == (None, 0)
        router.clear_fault()
        world.run(30)
        assert SessionKick.objects.get().ended_at == world.clock.at
        assert on_router(router, "/ip/hotspot/active") == []


def test_another_ones_session_with_the_same_id_stays() -> None:
    with emulated(clock="manual") as router:
        world = World(router)
        account_at(world.location)
        world.run()
        router.hotspot_login("sari", "rahasia", MAC)
        world.run(60)
        session = RouterSession.objects.get()
        session.name = "budi"  # as after a restart, when ids begin anew
        services.sessions_kick([session], actor=None, now=world.clock.at)
        world.run()
        assert SessionKick.objects.get().ended_at is not None
        assert [row["user"] for row in on_router(router, "/ip/hotspot/active")] == ["sari"]
        assert SessionRecord.objects.count() == 0


def test_a_static_address_has_nothing_to_end() -> None:
    with pytest.raises(DomainError) as refusal:
        services.sessions_kick([RouterSession(kind=Kind.STATIC)], actor=None, now=now())
    assert refusal.value.code == "session.no_login"

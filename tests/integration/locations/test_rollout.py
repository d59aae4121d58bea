"""A changed speed on its way to hundreds of running sessions: paced, counted truly, over restarts, until cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.clock import now as real_now
from core.errors import DomainError, TransitionError
from locations import services
from locations.choices import Kind, RolloutMethod, RolloutMode, RolloutStatus
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, ProfileRollout, RouterProfile, RouterState
from locations.selectors import rollout_progress
from locations.sync import connections
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
SESSIONS = 300


class World:
    """One router with 300 customers online on 10M, whose plan then becomes 20M."""

    def __init__(self, router: EmulatedRouter, *, pace: int = 5):
        self.router, self.clock = router, Clock(real_now())
        self.location: Location = location_of(router, speed_change_pace=pace)
        self.profile = self.speed("5M/10M")
        password = "s3cret-of-client"
        for number in range(SESSIONS):
            services.account_put(profile=self.profile, name=f"client-{number}", password=password, tag="a")
        self.run(0)
        for number in range(SESSIONS):
            mac = f"02:00:00:00:{number // 256:02X}:{number % 256:02X}"
            router.ppp_connect(f"client-{number}", password, mac, redial=True)
        self.run(60)

    def speed(self, rate_limit: str) -> RouterProfile:
        return services.profile_put(location=self.location, kind=Kind.PPP, name="paket", rate_limit=rate_limit)

    def run(self, seconds: float) -> None:
        """So many seconds go by for the router and for us; then the writer has its turn."""
        self.router.advance(seconds)
        self.clock.at += timedelta(seconds=seconds)
        location_run(self.location.pk, is_forced=True, now=self.clock)

    def start(self, mode: str = RolloutMode.NOW) -> ProfileRollout:
        self.profile = self.speed("10M/20M")
        return services.profile_rollout_start(self.profile, mode=mode, now=self.clock.at)

    def slow(self) -> int:
        """Running sessions whose queue still has the old speed, as the router has it."""
        return sum(row["max-limit"] == "5000000/10000000" for row in self.router.rows("/queue/simple"))

    def known(self) -> int:
        self.profile.refresh_from_db()
        return rollout_progress(self.profile).sessions_on_old_speed


@pytest.fixture
def world() -> object:
    with emulated(clock="manual", model="CHR") as router:
        yield World(router)


def test_sessions_are_ended_at_the_pace_and_the_progress_is_the_routers_truth(world: World) -> None:
    rollout = world.start()
    progress = rollout_progress(world.profile)
    assert (progress.is_confirmed, progress.sessions_total, progress.sessions_on_old_speed) == (False, 300, 300)
    assert (progress.method, progress.eta_seconds) == (RolloutMethod.KICK, None)
    world.run(1)  # the profile is confirmed; nobody was ended yet
    assert world.slow() == 300
    world.profile.refresh_from_db()
    assert rollout_progress(world.profile).is_confirmed

    world.run(10)
    assert world.slow() == 250
    assert world.known() == 250
    assert rollout_progress(world.profile).eta_seconds == 50
    world.run(10)
    assert (world.slow(), world.known()) == (200, 200)
    world.run(1000)  # a long pause is not made up for at once
    assert (world.slow(), world.known()) == (50, 50)
    world.run(30)
    world.run(30)
    assert (world.slow(), world.known()) == (0, 0)
    rollout.refresh_from_db()
    assert (rollout.status, rollout.total, rollout.ended) == (RolloutStatus.DONE, 300, 300)
    assert rollout.finished_at == world.clock.at
    assert len(on_router(world.router, "/ppp/active")) == 300  # all dialled again
    before = world.router.write_count()
    world.run(60)
    assert world.router.write_count() == before


def test_it_goes_on_after_a_restart_of_ours_and_can_be_cancelled(world: World) -> None:
    rollout = world.start()
    world.run(1)
    world.run(10)
    connections.close_all()  # our process is gone
    assert [pk for pk, _failures in locations_due(due_at(world))] == [world.location.pk]
    world.run(10)
    assert world.slow() == 200
    services.profile_rollout_cancel(rollout, now=world.clock.at)
    world.run(30)
    assert world.slow() == 200
    world.profile.refresh_from_db()
    progress = rollout_progress(world.profile)
    assert (progress.status, progress.sessions_on_old_speed, progress.eta_seconds) == (
        RolloutStatus.CANCELLED,
        200,
        None,
    )
    with pytest.raises(TransitionError):
        services.profile_rollout_cancel(rollout, now=world.clock.at)


def due_at(world: World) -> datetime:
    RouterState.objects.update(polled_at=real_now())
    return real_now()


def test_isolated_customers_and_other_plans_keep_their_sessions(world: World) -> None:
    other = services.profile_put(location=world.location, kind=Kind.PPP, name="other", rate_limit="5M/10M")
    moved = AccessAccount.objects.filter(name__in=[f"client-{n}" for n in range(100)])
    services.accounts_set_profile(moved, other, is_kick_due=False)
    world.start()
    world.run(1)
    for _step in range(8):
        world.run(30)
    assert world.slow() == 100
    assert ProfileRollout.objects.get().status == RolloutStatus.DONE


def test_next_login_ends_nobody_and_is_done_when_all_came_back(world: World) -> None:
    rollout = world.start(RolloutMode.NEXT_LOGIN)
    world.run(1)
    world.run(60)
    assert (world.slow(), world.known()) == (300, 300)
    assert rollout_progress(world.profile).method == RolloutMethod.NEXT_LOGIN
    for number in range(SESSIONS):
        world.router.ppp_disconnect(f"client-{number}")
    world.run(60)
    assert (world.slow(), world.known()) == (0, 0)
    world.run(60)
    rollout.refresh_from_db()
    assert rollout.status == RolloutStatus.DONE


def test_a_router_that_is_down_delays_and_a_second_change_starts_anew(world: World) -> None:
    first = world.start()
    world.router.set_fault("down")
    world.run(30)
    assert world.slow() == 300
    world.router.clear_fault()
    world.profile = world.speed("20M/40M")
    second = services.profile_rollout_start(world.profile, mode=RolloutMode.NOW, now=world.clock.at)
    first.refresh_from_db()
    assert first.status == RolloutStatus.CANCELLED
    world.run(1)
    for _step in range(3):
        world.run(30)
    second.refresh_from_db()
    assert (second.status, world.slow()) == (RolloutStatus.DONE, 0)
    speeds = {row["max-limit"] for row in world.router.rows("/queue/simple")}
    assert speeds == {"20000000/40000000"}


def test_only_known_modes() -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    profile = services.profile_put(location=location, kind=Kind.PPP, name="paket")
    with pytest.raises(DomainError):
        services.profile_rollout_start(profile, mode="soon", now=real_now())

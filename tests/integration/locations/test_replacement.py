"""A new router as a guided step: confirmed, filled, compared, done; and one that forgets what is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import now as real_now
from locations import services
from locations.choices import DriftRepair, Kind, Reach, ReplacementStatus
from locations.models import Location, RouterReplacement, RouterState
from locations.selectors import replacement_progress
from locations.sync.replacement import replacement_step
from locations.sync.writer import location_run
from locations.words import replacement_words
from tests.routers import Clock, emulated, hotspot_users, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)


def put(location: Location, count: int) -> None:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
    for n in range(count):
        services.account_put(profile=profile, name=f"ACCT{n}", password=None, tag="a")


@pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
def test_everything_is_on_the_new_router_and_that_was_looked_at(version: str) -> None:
    clock = Clock(real_now())
    with emulated(serial="OLD0001", version=version) as old, emulated(serial="NEW0001", version=version) as new:
        location = location_of(old, drift_repair=DriftRepair.ASK)
        put(location, 5)
        location_run(location.pk, now=clock)
        assert replacement_progress(location) is None
        Location.objects.update(port=new.port)
        clock.at += timedelta(seconds=60)
        for _attempt in range(2):
            location_run(location.pk, is_forced=True, now=clock)
        assert RouterState.objects.get().reach == Reach.WRONG_ROUTER
        assert hotspot_users(new) == {}

        services.location_accept_router(location, actor=None)
        progress = replacement_progress(location)
        assert progress is not None
        assert (progress.old_serial, progress.new_serial, progress.status) == ("OLD0001", "NEW0001", "pushing")
        assert (progress.confirmed, progress.total) == (0, 6)
        clock.at = real_now() + timedelta(seconds=1)
        for _attempt in range(3):
            location_run(location.pk, is_forced=True, now=clock)

        assert sorted(hotspot_users(new)) == [f"ACCT{n}" for n in range(5)]
        assert "paket" in {row["name"] for row in on_router(new, "/ip/hotspot/user/profile")}
        progress = replacement_progress(location)
        assert progress is not None
        assert (progress.status, progress.confirmed, progress.total, progress.held) == ("done", 6, 6, 0)
        assert progress.finished_at is not None
        steps = replacement_words(progress.status, confirmed=6, total=6, held=0)
        assert [step.text for step in steps] == [
            "1. The new router is confirmed", "2. 6 of 6 are on it", "3. Compared: the router has everything. Done.",
        ]  # fmt: skip


def test_a_router_that_forgets_is_not_called_done() -> None:
    at = real_now()
    with emulated() as router:
        location = location_of(router)
        row = RouterReplacement.objects.create(location=location, started_at=at)
        state = RouterState.objects.filter(pk=location.pk)
        seen = []
        for round_ in range(1, 7):
            moment = at + timedelta(seconds=round_)
            state.update(reconciled_at=moment, drift={"missing": 1})
            replacement_step(location.pk, moment)
            row.refresh_from_db()
            seen.append((row.status, row.rounds))
        assert seen == [
            ("verifying", 0), ("pushing", 1), ("verifying", 1), ("pushing", 2), ("verifying", 2), ("failed", 2),
        ]  # fmt: skip
        assert replacement_step(location.pk, at + timedelta(hours=1)) is False


def test_yet_another_router_starts_anew() -> None:
    with emulated() as router:
        location = location_of(router)
        for serial in ("NEW1", "NEW2"):
            RouterState.objects.update(reach=Reach.WRONG_ROUTER, other_serial=serial)
            services.location_accept_router(location, actor=None)
        rows = list(RouterReplacement.objects.order_by("pk").values_list("new_serial", "status"))
        assert rows == [("NEW1", ReplacementStatus.ABANDONED), ("NEW2", ReplacementStatus.PUSHING)]

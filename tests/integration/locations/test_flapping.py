"""Down and up are told once per outage, however often the link comes and goes; a licence near its end is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import events
from core.clock import now as real_now
from locations.choices import Kind, Reach
from locations.events import LocationDown, LocationUp
from locations.models import RouterSession, RouterState
from locations.monitoring import licence_use, licences_check
from locations.routeros.errors import RouterTimeout
from locations.sync.failure import failure_record
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, location_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_flapping_link_is_one_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[events.Event] = []
    listeners = [
        events.Subscription(kind, told.append, is_critical=True, order=1) for kind in (LocationDown, LocationUp)
    ]
    monkeypatch.setattr(events, "_subscriptions", listeners)
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)

        def online(seconds: int) -> None:
            clock.at += timedelta(seconds=seconds)
            router.advance(seconds)
            assert location_run(location.pk, is_forced=True, now=clock).problem == ""
            assert RouterState.objects.get().reach == Reach.ONLINE

        def failed() -> None:
            clock.at += timedelta(seconds=5)
            router.advance(5)
            failure_record(location.pk, RouterTimeout("no answer"), clock())

        online(40)
        failed()
        assert told == []
        for _flap in range(3):
            failed()
            failed()
            assert RouterState.objects.get().reach == Reach.OFFLINE
            online(5)
            online(50)
        assert told == [LocationDown([location.pk])]
        online(10)
        assert told == [LocationDown([location.pk]), LocationUp([location.pk])]
        online(40)
        assert len(told) == 2


def test_a_licence_near_its_end_is_said() -> None:
    with emulated() as router:
        location = location_of(router)
        RouterState.objects.update(licence_limit=10)
        at = real_now()

        def log_in(n: int, kind: str = Kind.HOTSPOT) -> None:
            RouterSession.objects.create(
                location=location, kind=kind, router_id=f"*{n}", name=f"u{n}", started_at=at, seen_at=at
            )

        for n in range(7):
            log_in(n)
        log_in(99, Kind.PPP)
        assert (licences_check().is_ok, licence_use()) == (True, 0.7)
        log_in(8)
        found = licences_check()
        assert (found.is_ok, found.sentence) == (
            False, "Near the limit of their licence: Pos 1 (8/10). Upgrade it or move people.",
        )  # fmt: skip

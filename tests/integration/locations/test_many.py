"""Many locations, some of them dead: nobody waits for anybody, and no database transaction waits for a router."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections

from core.clock import now as real_now
from locations import services
from locations.choices import Kind, Reach
from locations.models import AccessAccount, Location, RouterState
from locations.sync.sweep import locations_due, queue_of
from locations.sync.writer import location_run
from tests.processes import wait_until
from tests.routers import BOTH, VERSIONS, emulated, hotspot_users, location_of

pytestmark = pytest.mark.django_db(transaction=True)


def account_at(location: Location, name: str) -> AccessAccount:
    profile = services.profile_put(location=location, kind=Kind.HOTSPOT, name="paket", rate_limit="2M/4M")
    return services.account_put(profile=profile, name=name, password=None, tag="a")


def run_closing(location_id: int) -> str:
    try:
        return location_run(location_id).problem
    finally:
        connections.close_all()


def test_a_hundred_locations_ten_of_them_dead() -> None:
    """T2: 626 changes stuck on ten dead routers stand in nobody's way. Both versions are among the dead and the living."""
    with ExitStack() as stack:
        versions = [VERSIONS[(number // 10 + number) % 2] for number in range(100)]
        routers = [stack.enter_context(emulated(version=version)) for version in versions]
        locations = [location_of(router, f"Pos {number:03}") for number, router in enumerate(routers)]
        dead = locations[::10]
        for router in routers[::10]:
            router.set_fault("down")
        for number in range(626):
            account_at(dead[number % 10], f"STUCK{number:04}")
        living = [location for location in locations if location not in dead]
        for location in living:
            account_at(location, "ABCD2345")

        queues: dict[str, list[int]] = defaultdict(list)
        RouterState.objects.filter(location__in=dead).update(failures=7)
        for location_id, failures in locations_due(real_now()):
            queues[queue_of(failures)].append(location_id)
        assert sorted(queues["routers_slow"]) == sorted(location.pk for location in dead)
        assert len(queues["routers"]) == 90

        with ThreadPoolExecutor(8) as pool:
            problems = list(pool.map(run_closing, queues["routers"]))
        assert problems == [""] * 90
        assert AccessAccount.objects.filter(applied_revision=1, name="ABCD2345").count() == 90
        assert set(versions[1::32]) == set(versions[::50]) == set(VERSIONS)
        assert [list(hotspot_users(router)) for router in routers[1::32]] == [["ABCD2345"]] * 4

        with ThreadPoolExecutor(4) as pool:
            problems = list(pool.map(run_closing, queues["routers_slow"]))
        assert problems == ["refused"] * 10
        assert RouterState.objects.filter(reach=Reach.OFFLINE).count() == 10
        soon = {location_id for location_id, _failures in locations_due(real_now() + timedelta(seconds=1))}
        assert not soon & {location.pk for location in dead}  # they back off

        for router in routers[::10]:
            router.clear_fault()
        later = {location_id for location_id, _failures in locations_due(real_now() + timedelta(seconds=601))}
        assert later >= {location.pk for location in dead}
        for location in dead:
            location_run(location.pk, is_forced=True)
        assert AccessAccount.objects.exclude(applied_revision=1).count() == 0
        for number in (0, 50):
            stuck = [f"STUCK{n:04}" for n in range(number // 10, 626, 10)]
            assert sorted(hotspot_users(routers[number])) == stuck


def open_transactions() -> list[str]:
    """Queries of sessions of the application that sit in an open transaction, asked by a connection of its own."""
    database = settings.DATABASES["default"]
    with psycopg.connect(
        dbname=connection.settings_dict["NAME"], user=database["USER"], password=database["PASSWORD"],
        host=database["HOST"], port=database["PORT"] or None,
    ) as watcher:  # fmt: skip
        rows = watcher.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
            "AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("pattern", ["^/ip/hotspot/user/add", "^/ip/hotspot/active/print", "^/system/resource/print"])
@BOTH
def test_no_transaction_is_open_while_a_router_makes_us_wait(pattern: str, version: str) -> None:
    """T17."""
    with emulated(version=version) as router:
        location = location_of(router)
        account_at(location, "ABCD2345")
        router.set_fault("stall", pattern=pattern, count=1)
        thread = threading.Thread(target=run_closing, args=[location.pk])
        thread.start()
        wait_until(router.held)
        assert open_transactions() == []
        router.clear_fault()
        thread.join(30)
        assert list(hotspot_users(router)) == ["ABCD2345"]

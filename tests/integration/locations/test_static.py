"""Subscribers with a static address: queue, list entry and IP binding, asked from the router."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.clock import now as real_now
from core.errors import DomainError
from core.installation import installation
from locations import services
from locations.choices import Hold, IsolationMethod, Kind, Priority, RolloutMethod, RolloutMode, RolloutStatus
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, Location, ProfileRollout, RouterEntry, RouterProfile, RouterState
from locations.selectors import rollout_progress
from locations.sync.writer import location_run
from tests.routers import Clock, emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
QUEUES, LIST, BINDINGS = "/queue/simple", "/ip/firewall/address-list", "/ip/hotspot/ip-binding"


def plan_at(location: Location, rate_limit: str = "5M/20M") -> RouterProfile:
    return services.profile_put(location=location, kind=Kind.STATIC, name="kantor", rate_limit=rate_limit)


def subscriber(
    profile: RouterProfile, name: str = "pak-budi", address: str = "10.5.0.7", **fields: Any
) -> AccessAccount:
    return services.account_put(profile=profile, name=name, password=None, tag="a", static_address=address, **fields)


def fresh(account: AccessAccount) -> AccessAccount:
    account.refresh_from_db()
    return account


def queue(router: EmulatedRouter, name: str = "pak-budi") -> dict[str, Any]:
    return {row["name"]: row for row in on_router(router, QUEUES)}[name]


def listed(router: EmulatedRouter) -> list[tuple[str, str]]:
    return sorted((row["list"], row["address"]) for row in on_router(router, LIST))


@VERSIONS
def test_he_gets_a_queue_of_his_speed_and_his_counters_survive_a_change(version: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router)
        profile = plan_at(location, "5M/20M 10M/40M 4M/16M 8s 5 1M/2M")
        assert profile.is_synced  # nothing of it is on the router
        account = subscriber(profile)
        result = location_run(location.pk)
        assert (result.problem, result.more) == ("", False)
        row = queue(router)
        assert (row["target"], row["max-limit"]) == ("10.5.0.7/32", "5000000/20000000")
        assert (row["burst-limit"], row["burst-threshold"]) == ("10000000/40000000", "4000000/16000000")
        assert (row["burst-time"], row["priority"], row["limit-at"]) == ("8s/8s", "5/5", "1000000/2000000")
        assert (row["comment"], row["disabled"]) == (f"mb:{installation().tag}:a", False)
        assert (on_router(router, LIST), on_router(router, BINDINGS)) == ([], [])
        assert (fresh(account).is_synced, account.router_id) == (True, row[".id"])

        router.queue_use("pak-budi", 1000, 5000)
        plan_at(location, "10M/40M")
        assert not fresh(account).is_synced
        location_run(location.pk)
        assert (queue(router)["max-limit"], queue(router)["bytes"]) == ("10000000/40000000", "1000/5000")

        RouterState.objects.update(reconciled_at=None)
        before = router.write_count()
        location_run(location.pk)
        assert router.write_count() == before
        router.command(f"{QUEUES}/set", {"numbers": "pak-budi", "max-limit": "99M/99M"})
        RouterState.objects.update(reconciled_at=None)
        location_run(location.pk)
        assert queue(router)["max-limit"] == "10000000/40000000"


@VERSIONS
@pytest.mark.parametrize(
    ("method", "speed", "binding", "list_name"),
    [
        (IsolationMethod.PROFILE, "64000/64000", "bypassed", "mb-isolated"),
        (IsolationMethod.ADDRESS_LIST, "5000000/20000000", "bypassed", "mb-isolated"),
        (IsolationMethod.DISABLE, "64000/64000", "blocked", "mb-off"),
    ],
)
def test_isolation_by_each_method_and_back(version: str, method: str, speed: str, binding: str, list_name: str) -> None:
    with emulated(version=version) as router:
        location = location_of(router, isolation_method=method)
        services.profile_put(location=location, kind=Kind.HOTSPOT, name="voucher", rate_limit="1M/1M")
        account = subscriber(plan_at(location), mac_address="02:00:00:00:00:07")
        location_run(location.pk)
        (row,) = on_router(router, BINDINGS)
        assert (row["address"], row["mac-address"], row["type"]) == ("10.5.0.7", "02:00:00:00:00:07", "bypassed")

        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert (queue(router)["max-limit"], queue(router)["disabled"]) == (speed, False)
        assert listed(router) == [(list_name, "10.5.0.7")]
        assert [row["type"] for row in on_router(router, BINDINGS)] == [binding]
        assert fresh(account).is_synced

        for row in on_router(router, LIST):  # somebody lets him out by hand
            router.command(f"{LIST}/remove", {".id": row[".id"]})
        RouterState.objects.update(reconciled_at=None)
        location_run(location.pk)
        assert len(on_router(router, LIST)) == 1

        services.accounts_reopen([account.pk])
        location_run(location.pk)
        assert queue(router)["max-limit"] == "5000000/20000000"
        assert on_router(router, LIST) == []
        assert [row["type"] for row in on_router(router, BINDINGS)] == ["bypassed"]


def test_switched_off_by_a_person_is_never_a_disabled_queue() -> None:
    """A disabled queue is no limit at all."""
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        services.account_disable(account, actor=None)
        location_run(location.pk)
        assert (queue(router)["disabled"], queue(router)["max-limit"]) == (False, "64000/64000")
        assert listed(router) == [("mb-off", "10.5.0.7")]


def test_another_address_moves_everything_with_him_and_removal_leaves_nothing() -> None:
    """Removed as a login, not ended as a service: that shuts the address (`test_shut_addresses`)."""
    with emulated() as router:
        location = location_of(router)
        services.profile_put(location=location, kind=Kind.HOTSPOT, name="voucher", rate_limit="1M/1M")
        account = subscriber(plan_at(location), mac_address="02:00:00:00:00:07")
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        ids = {menu: on_router(router, menu)[0][".id"] for menu in (LIST, BINDINGS)} | {QUEUES: queue(router)[".id"]}
        services.account_change(account, static_address="10.5.0.9", name="pak-budi-2", mac_address="")
        location_run(location.pk)
        row = queue(router, "pak-budi-2")
        assert (row[".id"], row["target"]) == (ids[QUEUES], "10.5.0.9/32")
        (entry,) = [row for row in on_router(router, LIST) if row["list"] == "mb-isolated"]
        assert (entry[".id"], entry["address"]) == (ids[LIST], "10.5.0.9")
        assert listed(router) == [("mb-isolated", "10.5.0.9"), ("mb-off", "10.5.0.7")]  # no way out by the old one
        (binding,) = on_router(router, BINDINGS)
        assert (binding["address"], binding.get("mac-address", "")) == ("10.5.0.9", "")

        services.address_release(RouterEntry.objects.get(tag="off"), actor=None)
        services.accounts_remove(AccessAccount.objects.filter(pk=account.pk))
        location_run(location.pk)
        assert (on_router(router, QUEUES), on_router(router, LIST), on_router(router, BINDINGS)) == ([], [], [])
        assert not AccessAccount.objects.filter(kind=Kind.STATIC).exists()


def test_somebody_elses_list_entry_is_a_conflict_not_a_success() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        router.command(f"{LIST}/add", {"list": "mb-isolated", "address": "10.5.0.7", "comment": "by hand"})
        services.accounts_isolate([account.pk])
        location_run(location.pk)
        assert (fresh(account).hold, account.is_synced) == (Hold.CONFLICT, False)
        services.conflict_adopt(account, actor=None)
        location_run(location.pk)
        assert (fresh(account).hold, account.is_synced) == (Hold.NONE, True)
        services.accounts_reopen([account.pk])
        location_run(location.pk)
        assert on_router(router, LIST) == []


def test_a_broken_link_between_queue_and_list_is_not_done() -> None:
    with emulated() as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk)
        services.accounts_isolate([account.pk])
        router.set_fault("truncate", rows=0, pattern=f"^{LIST}/print")
        assert location_run(location.pk, is_forced=True).problem != ""
        assert not fresh(account).is_synced
        router.clear_fault()
        location_run(location.pk, is_forced=True)
        assert fresh(account).is_synced
        assert len(on_router(router, LIST)) == 1


def test_bytes_of_his_queue_show_that_he_was_there() -> None:
    clock = Clock(real_now())
    with emulated(clock="manual") as router:
        location = location_of(router)
        account = subscriber(plan_at(location))
        location_run(location.pk, now=clock)
        assert fresh(account).last_seen_at is None
        router.queue_use("pak-budi", 1000, 5000)
        clock.at += timedelta(minutes=11)
        router.advance(660)
        location_run(location.pk, now=clock)
        assert (fresh(account).last_seen_at, account.used_bytes) == (clock.at, 6000)
        seen = clock.at
        clock.at += timedelta(minutes=11)
        router.advance(660)
        location_run(location.pk, now=clock)
        assert fresh(account).last_seen_at == seen


def test_addresses_are_needed_and_nobody_elses() -> None:
    location = Location.objects.create(name="Pos 1", host="192.0.2.1", username="billing")
    profile = plan_at(location)
    account = subscriber(profile)
    for address, code in ((None, "account.no_address"), ("10.5.0.7", "account.address_taken")):
        with pytest.raises(DomainError) as refusal:
            services.account_put(profile=profile, name="bu-sri", password=None, tag="a", static_address=address)
        assert refusal.value.code == code
    with pytest.raises(DomainError):
        services.account_change(account, static_address=None)
    with pytest.raises(DomainError) as refusal:
        plan_at(location, "fast")
    assert refusal.value.code == "profile.rate_limit"
    services.accounts_remove(AccessAccount.objects.all())
    assert subscriber(profile, "bu-sri").static_address == "10.5.0.7"


def test_a_speed_change_is_live_and_its_progress_true() -> None:
    clock = Clock(real_now())
    with emulated() as router:
        location = location_of(router)
        profile = plan_at(location)
        for number in range(1, 31):
            subscriber(profile, f"kantor-{number}", f"10.5.0.{number}", priority=Priority.BULK)
        location_run(location.pk, now=clock)
        profile = plan_at(location, "10M/40M")
        services.profile_rollout_start(profile, mode=RolloutMode.NOW, now=clock.at)
        progress = rollout_progress(profile)
        assert (progress.method, progress.sessions_total, progress.sessions_on_old_speed) == (
            RolloutMethod.LIVE,
            30,
            30,
        )
        location_run(location.pk, now=clock)
        location_run(location.pk, now=clock)
        assert {row["max-limit"] for row in on_router(router, QUEUES)} == {"10000000/40000000"}
        assert rollout_progress(profile).sessions_on_old_speed == 0
        assert ProfileRollout.objects.get().status == RolloutStatus.DONE

"""A hotspot or PPPoE server as a reviewed plan: applied only when confirmed, step by step, undone exactly."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from core.clock import now as real_now
from core.errors import DomainError
from locations import services
from locations.choices_configs import BackupReason, BackupStatus
from locations.choices_servers import PlanStatus, ServerKind
from locations.emulator.exporting import export_text
from locations.emulator.router import EmulatedRouter
from locations.models import ConfigBackup, ConfigVersion, Location, ServerPlan
from locations.server_plans import Answers
from locations.sync.sweep import locations_due
from locations.sync.writer import location_run
from tests.integration.locations.test_drift import by_hand
from tests.routers import emulated, location_of, on_router

pytestmark = pytest.mark.django_db(transaction=True)
POLICIES = ("read", "write", "api", "test", "ftp", "sensitive")
VERSIONS = pytest.mark.parametrize("version", ["6.49.17", "7.16.1"])
HOTSPOT = Answers(
    kind=ServerKind.HOTSPOT, interface="bridge-guests", name="guests", network="10.20.0.0/24", gateway="10.20.0.1",
    first="10.20.0.10", last="10.20.0.250", dns_name="login.guests.example", login_by="http-chap,cookie",
)  # fmt: skip
PPPOE = Answers(
    kind=ServerKind.PPPOE, interface="bridge-guests", name="homes", network="10.30.0.0/16", gateway="10.30.0.1",
    first="10.30.1.1", last="10.30.255.250", service_name="homes",
)  # fmt: skip


def router_with_bridge(**options: Any) -> Any:
    return emulated(**{"policies": POLICIES, **options})


def prepared(router: EmulatedRouter) -> Location:
    by_hand(router, "/interface/bridge/add", name="bridge-guests")
    location = location_of(router)
    location_run(location.pk)
    return location


def exported(router: EmulatedRouter) -> list[str]:
    """The router's own export without its heading, straight from the emulator's tables."""
    text = export_text(router._core.device, secrets=True)
    return [line for line in text.split("\r\n") if not line.startswith("#")]


def planned(location: Location, answers: Answers = HOTSPOT) -> ServerPlan:
    return services.server_plan_make(location, answers, now=real_now(), actor=None)


def confirmed(plan: ServerPlan, *, needs_backup: bool = True) -> ServerPlan:
    services.server_plan_confirm(plan, needs_backup=needs_backup, now=real_now(), actor=None)
    location_run(plan.location_id, is_forced=True)
    plan.refresh_from_db()
    return plan


def undone(plan: ServerPlan) -> ServerPlan:
    services.server_plan_undo(plan, actor=None)
    location_run(plan.location_id, is_forced=True)
    plan.refresh_from_db()
    return plan


@VERSIONS
def test_a_hotspot_is_planned_confirmed_applied_and_undone_exactly(version: str) -> None:
    with router_with_bridge(version=version) as router:
        location = prepared(router)
        before, writes = exported(router), router.write_count()
        plan = planned(location)
        location_run(location.pk, is_forced=True)
        assert router.write_count() == writes  # a plan alone changes nothing
        plan = confirmed(plan)
        assert (plan.status, plan.router_words) == (PlanStatus.DONE, "")
        (server,) = [row for row in on_router(router, "/ip/hotspot") if row["name"] == "guests"]
        assert (server["interface"], server["profile"], server["disabled"]) == ("bridge-guests", "guests", False)
        (profile,) = [row for row in on_router(router, "/ip/hotspot/profile") if row["name"] == "guests"]
        assert (profile["hotspot-address"], profile["dns-name"]) == ("10.20.0.1", "login.guests.example")
        (dhcp,) = on_router(router, "/ip/dhcp-server")
        assert (dhcp["address-pool"], dhcp["disabled"]) == ("guests", False)
        assert [row["src-address"] for row in on_router(router, "/ip/firewall/nat")] == ["10.20.0.0/24"]
        first = ConfigBackup.objects.order_by("pk")[0]
        assert (first.reason, first.status) == (BackupReason.WIZARD, BackupStatus.TAKEN)
        assert not any("guests.example" in line for line in ConfigVersion.objects.get(number=1).lines)
        location_run(location.pk, is_forced=True)
        assert not ConfigVersion.objects.filter(is_unexpected=True).exists()  # our own change is no alarm
        assert ConfigVersion.objects.count() == 2
        plan = undone(plan)
        assert (plan.status, exported(router)) == (PlanStatus.UNDONE, before)


@VERSIONS
def test_a_pppoe_server_likewise(version: str) -> None:
    with router_with_bridge(version=version) as router:
        location = prepared(router)
        before = exported(router)
        plan = confirmed(planned(location, PPPOE))
        assert plan.status == PlanStatus.DONE
        (server,) = [r for r in on_router(router, "/interface/pppoe-server/server") if r["service-name"] == "homes"]
        assert (server["default-profile"], server["disabled"], server["interface"]) == ("homes", False, "bridge-guests")
        (profile,) = [row for row in on_router(router, "/ppp/profile") if row["name"] == "homes"]
        assert (profile["local-address"], profile["remote-address"]) == ("10.30.0.1", "homes")
        assert undone(plan).status == PlanStatus.UNDONE
        assert exported(router) == before


def test_the_plan_is_refused_for_what_the_router_has_already() -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        by_hand(router, "/interface/bridge/port/add", bridge="bridge-guests", interface="ether3")
        cases = {
            "network": {
                "network": "10.5.50.0/25",
                "gateway": "10.5.50.126",
                "first": "10.5.50.10",
                "last": "10.5.50.20",
            },
            "interface": {"interface": "ether3"},
            "name": {"name": "hs-pool"},
            "gateway": {"gateway": "10.20.0.11"},
            "last": {"last": "10.20.0.9"},
            "first": {"first": "10.21.0.9"},
        }
        for field, change in cases.items():
            with pytest.raises(DomainError) as refused:
                planned(location, dataclasses.replace(HOTSPOT, **change))
            assert set(refused.value.fields) == {field}
        with pytest.raises(DomainError) as refused:
            planned(location, dataclasses.replace(HOTSPOT, interface="bridge"))
        assert set(refused.value.fields) == {"interface"}
        with pytest.raises(DomainError) as refused:
            planned(location, dataclasses.replace(HOTSPOT, network="8.8.8.0/24"))
        assert set(refused.value.fields) == {"network"}
        assert not ServerPlan.objects.exists()


def test_a_router_that_changed_since_the_review_is_not_touched() -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        plan = planned(location)
        by_hand(router, "/ip/pool/add", name="lain", ranges="10.40.0.2-10.40.0.9")
        before = exported(router)
        assert confirmed(plan).status == PlanStatus.STALE
        assert exported(router) == before


def test_without_a_backup_it_stops_before_the_first_command_unless_a_person_said_so() -> None:
    with router_with_bridge(policies=("read", "write", "api", "test")) as router:
        location = prepared(router)
        before = exported(router)
        plan = confirmed(planned(location))
        assert (plan.status, plan.router_words, exported(router)) == (PlanStatus.FAILED, "=no_backup", before)
        assert confirmed(planned(location), needs_backup=False).status == PlanStatus.DONE


def test_it_stops_at_the_first_refusal_with_the_routers_words_and_what_was_done_is_undone_exactly() -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        before = exported(router)
        plan = planned(location, PPPOE)
        steps = plan.steps
        steps[1]["words"]["no-such-word"] = "1"
        ServerPlan.objects.filter(pk=plan.pk).update(steps=steps)
        plan = confirmed(plan)
        assert plan.status == PlanStatus.FAILED
        assert "unknown parameter no-such-word" in plan.router_words
        assert [bool(step["router_id"]) for step in plan.steps] == [True, False, False]
        assert "homes" not in {row["service-name"] for row in on_router(router, "/interface/pppoe-server/server")}
        assert undone(plan).status == PlanStatus.UNDONE
        assert exported(router) == before


@pytest.mark.parametrize("executes", [True, False])
@pytest.mark.parametrize("after", [12, 14, 16, 18, 20, 22])
def test_a_link_that_breaks_in_the_middle_is_gone_on_with_and_nothing_is_doubled(after: int, executes: bool) -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        before = exported(router)
        plan = planned(location)
        services.server_plan_confirm(plan, needs_backup=False, now=real_now(), actor=None)
        ConfigBackup.objects.update(status=BackupStatus.FAILED, finished_at=real_now())
        router.set_fault("drop_after", sentences=after, execute_last=executes)
        for _turn in range(4):
            location_run(location.pk, is_forced=True)
            router.clear_fault()
        plan.refresh_from_db()
        assert (plan.status, plan.router_words) == (PlanStatus.DONE, "")
        assert len([row for row in on_router(router, "/ip/pool") if row["name"] == "guests"]) == 1
        assert undone(plan).status == PlanStatus.UNDONE
        assert exported(router) == before


def test_what_somebody_changed_meanwhile_is_not_removed() -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        plan = confirmed(planned(location))
        (server,) = [row for row in on_router(router, "/ip/hotspot") if row["name"] == "guests"]
        by_hand(router, "/ip/hotspot/set", **{".id": server[".id"]}, disabled="yes")
        plan = undone(plan)
        assert (plan.status, plan.router_words) == (PlanStatus.FAILED, "=changed")
        assert "guests" in {row["name"] for row in on_router(router, "/ip/hotspot")}


def test_one_plan_at_a_time_and_the_sweep_finds_it() -> None:
    with router_with_bridge() as router:
        location = prepared(router)
        one, two = planned(location), planned(location, PPPOE)
        services.server_plan_confirm(one, needs_backup=True, now=real_now(), actor=None)
        with pytest.raises(DomainError) as refused:
            services.server_plan_confirm(two, needs_backup=True, now=real_now(), actor=None)
        assert refused.value.code == "server.busy"
        assert locations_due(real_now()) == [(location.pk, 0)]
        with pytest.raises(DomainError):
            services.server_plan_discard(one, now=real_now(), actor=None)

"""What stands on a router, in a browser: backups of its configuration, what differs, servers as reviewed plans, drift.

With a router behind it and names as long as they may be: nothing wider than the screen, no violation of WCAG 2.1 AA.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from core.clock import now
from locations import services
from locations.choices import DriftRepair
from locations.choices_configs import BackupProblem, BackupReason, BackupStatus
from locations.choices_servers import PlanStatus
from locations.emulator.router import EmulatedRouter
from locations.models import ConfigBackup, ConfigVersion, Location, ServerPlan
from locations.sync.writer import location_run
from tests.e2e.conftest import Open
from tests.e2e.test_screens import MISSING_TARGETS, judge
from tests.integration.admin.world import LONG_NAME, World
from tests.integration.locations.test_drift import by_hand, put, set_user
from tests.integration.locations.test_servers import HOTSPOT, POLICIES, PPPOE
from tests.routers import emulated, location_of, on_router

pytestmark = pytest.mark.browser
BRIDGE = "bridge-tamu-warung-kopi-bu-sumarni-simpang-lima"
OTHER = LONG_NAME.replace("Warung", "Toko")
LOGIN = "warung-kopi-bu-sumarni-simpang-lima@karangpandan"


@pytest.fixture
def router() -> Iterator[EmulatedRouter]:
    with emulated(policies=POLICIES) as router:
        by_hand(router, "/interface/bridge/add", name=BRIDGE)
        by_hand(router, "/interface/bridge/add", name="bridge-guests")
        yield router


def configured(router: EmulatedRouter) -> Location:
    """Three versions, the last one changed by others, and a backup that failed."""
    location = location_of(router, OTHER, drift_repair=DriftRepair.ASK)
    for number in range(3):
        words = f'/tool fetch url="http://gateway.example/{"x" * 120}/{number}" password=rahasia'
        router.command("/system/script/add", {"name": f"{LOGIN}-{number}", "source": words})
        if number:
            by_hand(router, "/ppp/secret/add", name=f"{LOGIN}-{number}", password=f"kata-rahasia-{number}")
        services.config_backup_wanted(location, BackupReason.IMPORT, now=now())
        location_run(location.pk, is_forced=True)
    ConfigBackup.objects.create(
        location=location, reason=BackupReason.NIGHTLY, status=BackupStatus.FAILED, requested_at=now(),
        finished_at=now(), problem=BackupProblem.POLICY, words="ftp, sensitive",
    )  # fmt: skip
    return location


def drifted(router: EmulatedRouter, location: Location) -> None:
    """Missing, different, in conflict, and the router's own."""
    by_hand(router, "/ip/hotspot/user/add", name=f"tamu-{LOGIN}")
    by_hand(router, "/ip/hotspot/user/add", name="conflict", profile="default", comment=LONG_NAME)
    put(location, LOGIN, "gone", "conflict")
    location_run(location.pk, is_forced=True)
    set_user(router, LOGIN, **{"limit-uptime": "1h", "comment": f"x{LONG_NAME}"})
    row = next(one for one in on_router(router, "/ip/hotspot/user") if one["name"] == "gone")
    by_hand(router, "/ip/hotspot/user/remove", **{".id": row[".id"]})
    services.location_compare(location, now=now(), actor=None)
    location_run(location.pk, is_forced=True)


def planned(router: EmulatedRouter, location: Location) -> dict[str, ServerPlan]:
    """One to review, one that is done, one that the router refused."""
    done = services.server_plan_make(location, HOTSPOT, now=now(), actor=None)
    services.server_plan_confirm(done, needs_backup=True, now=now(), actor=None)
    location_run(location.pk, is_forced=True)
    refused = services.server_plan_make(location, PPPOE, now=now(), actor=None)
    words = "failure: server with such interface and service name already exists, and some more words of the router"
    ServerPlan.objects.filter(pk=refused.pk).update(
        status=PlanStatus.FAILED, confirmed_at=now(), finished_at=now(), router_words=words
    )
    review = services.server_plan_make(location, PPPOE, now=now(), actor=None)
    return {"done": done, "stopped": refused, "review": review}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("en", "dark"), ("id", "light"), ("id", "dark")])
def test_pages_about_the_settings_of_a_router_fit(
    world: World, router: EmulatedRouter, opened: Open, live_server: LiveServer, axe_source: str, language: str,
    scheme: str,
) -> None:  # fmt: skip
    location = configured(router)
    drifted(router, location)
    plans = planned(router, location)
    configuration, server, drift = (
        reverse(f"admin:locations_location_{name}", args=[location.pk]) for name in ("configuration", "server", "drift")
    )
    pages = {
        "configurations": configuration, "differences": f"{configuration}?version=3&with=1",
        "first version": f"{configuration}?version=1", "servers": server, "hotspot asked": f"{server}?kind=hotspot",
        "pppoe asked": f"{server}?kind=pppoe", "drift": drift,
        **{f"plan {name}": f"{server}?plan={plan.pk}" for name, plan in plans.items()},
    }  # fmt: skip
    page, wrong = opened(world.boss, 320, scheme, language, has_touch=True).new_page(), []
    for name, url in pages.items():
        page.set_viewport_size({"width": 320, "height": 900})
        page.goto(live_server.url + url)
        page.wait_for_load_state("load")
        for details in page.locator("#content details").all():
            details.evaluate("element => { element.open = true }")
        assert "rahasia" not in page.locator("#content").inner_text()
        wrong += judge(page, name, axe_source)
        page.set_viewport_size({"width": 360, "height": 900})
        wrong += [f"{name}: {target}" for target in page.evaluate(MISSING_TARGETS)]
    assert wrong == []


def test_a_server_is_planned_reviewed_sent_and_taken_back_without_javascript(
    world: World, router: EmulatedRouter, opened: Open, live_server: LiveServer
) -> None:
    location = location_of(router, OTHER)
    location_run(location.pk, is_forced=True)
    page = opened(world.boss, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("admin:locations_location_server", args=[location.pk]))
    page.get_by_role("link", name="Hotspot").click()
    page.select_option("[name=interface]", BRIDGE)
    answers = {
        "name": "tamu", "network": "10.20.0.0/24", "gateway": "10.21.0.1", "first": "10.20.0.10", "last": "10.20.0.250",
    }  # fmt: skip
    for field, text in answers.items():
        page.fill(f"[name={field}]", text)
    page.get_by_role("button", name="Show the commands").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)  # that address is not in that network
    page.fill("[name=gateway]", "10.20.0.1")
    page.get_by_role("button", name="Show the commands").click()
    expect(page.get_by_text(f"interface={BRIDGE}").first).to_be_visible()
    assert not any(row["name"] == "tamu" for row in on_router(router, "/ip/hotspot"))
    page.get_by_role("button", name="Send these commands to the router").click()
    location_run(location.pk, is_forced=True)
    page.reload()
    assert any(row["name"] == "tamu" for row in on_router(router, "/ip/hotspot"))
    page.get_by_role("button", name="Take back what was done").click()
    location_run(location.pk, is_forced=True)
    assert not any(row["name"] == "tamu" for row in on_router(router, "/ip/hotspot"))
    assert ServerPlan.objects.get().status == PlanStatus.UNDONE
    assert ConfigVersion.objects.filter(location=location, is_unexpected=True).count() == 0

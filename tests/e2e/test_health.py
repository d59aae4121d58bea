"""How a router fares, its log and a ping, with a router behind them: fit, accessible, and drawn without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from core.clock import now
from locations.choices import TlsMode
from locations.models import RouterAlert, RouterState
from locations.sync.health import sample_add
from tests.e2e.conftest import Open
from tests.e2e.test_screens import judge
from tests.integration.admin.world import World
from tests.routers import emulated

pytestmark = pytest.mark.browser


def fill(world: World) -> None:
    """A day of polls with an outage and an hour when nobody asked."""
    for minutes in range(5, 24 * 60, 5):
        at = now() - timedelta(minutes=minutes)
        if 120 < minutes < 200:
            sample_add(world.near.pk, at, failed=1)
        elif not 300 < minutes < 400:
            sample_add(world.near.pk, at, answered=1, latency_ms=minutes, cpu_load=minutes % 90, free_memory=2**26)
    for kind in ("licence", "clock", "flash"):
        RouterAlert.objects.create(location=world.near, kind=kind, value=88, since=now(), told_at=now())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_pages_about_a_router_fit(
    world: World, opened: Open, live_server: LiveServer, axe_source: str, language: str, scheme: str
) -> None:
    fill(world)
    with emulated() as router:
        world.near.host, world.near.port, world.near.password = "127.0.0.1", router.port, router.password
        world.near.tls_mode = TlsMode.NONE
        world.near.save()
        RouterState.objects.filter(pk=world.near.pk).update(serial="")
        for number in range(30):
            router.command("/log/warning", {"message": f"{number} a-very-long-word-without-a-space-" * 6})
        page = opened(world.boss, 320, scheme, language).new_page()
        wrong = []
        for name in ("health", "log", "ping"):
            page.set_viewport_size({"width": 320, "height": 900})
            page.goto(live_server.url + reverse(f"admin:locations_location_{name}", args=[world.near.pk]))
            page.wait_for_load_state("load")
            if name == "health":
                assert page.locator(".mb-strip rect").count() >= 5
                for summary in page.locator("details > summary").all():
                    summary.click()
            if name == "log":
                assert page.get_by_text("a-very-long-word").count() == 30
            wrong += judge(page, name, axe_source)
        page.fill("input[name=address]", "10.0.0.9")
        page.fill("input[name=count]", "1")
        page.click("#content form .mb-primary")
        page.get_by_text("1.6 ms").first.wait_for()  # the router answers while the page loads
        wrong += judge(page, "ping answered", axe_source)
        page.goto(live_server.url + reverse("admin:router_health"))
        wrong += judge(page, "all routers", axe_source)
        assert wrong == []

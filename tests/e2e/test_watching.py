"""Traffic as it is now, with a router behind the page: it goes on by itself while it is open, under the page's policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from core.clock import now
from locations import services
from locations.choices import Kind
from locations.emulator.router import EmulatedRouter
from locations.models import AccessAccount, InterfaceTraffic, Location
from locations.services import watching
from locations.sync.writer import location_run
from tests.e2e.conftest import Open
from tests.e2e.test_dashboard import SMALL_TARGETS
from tests.e2e.test_screens import judge
from tests.integration.admin.world import LONG_NAME, World
from tests.processes import wait_until
from tests.routers import emulated, location_of

pytestmark = pytest.mark.browser
LOGIN = "warung-kopi-bu-sumarni-simpang-lima@karangpandan"


@pytest.fixture
def router() -> Iterator[EmulatedRouter]:
    with emulated() as router:
        yield router


def busy(router: EmulatedRouter) -> tuple[Location, AccessAccount]:
    cache.clear()
    location = location_of(router, LONG_NAME.replace("Warung", "Toko"))
    profile = services.profile_put(location=location, kind=Kind.PPP, name="rumah", rate_limit="5M/10M")
    account = services.account_put(profile=profile, name=LOGIN, password="pw-123456", tag="a")
    location_run(location.pk, is_forced=True)
    router.ppp_connect(LOGIN, "pw-123456", "02:00:00:00:00:02", up_rate=40_000, down_rate=900_000)
    for name in ("ether1", "ether2", "ether3"):
        InterfaceTraffic.objects.update_or_create(location=location, name=name, defaults={"seen_at": now()})
    return location, account


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("id", "dark")])
def test_the_pages_fit(
    world: World, router: EmulatedRouter, opened: Open, live_server: LiveServer, axe_source: str, language: str,
    scheme: str,
) -> None:  # fmt: skip
    location, account = busy(router)
    page = opened(world.boss, 360, scheme, language, bypass_csp=True, has_touch=True).new_page()
    wrong = []
    for name, args in (("interface_now", location.pk), ("account_now", account.pk)):
        page.goto(live_server.url + reverse(f"dashboard:{name}", args=[args]))
        expect(page.locator("#watch-rows tbody tr").nth(1)).to_be_attached()
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        assert page.evaluate(SMALL_TARGETS) == []
        wrong += judge(page, name, axe_source)
    assert wrong == []


def test_it_goes_on_while_open_keeps_what_is_read_and_stops_when_closed(
    world: World, router: EmulatedRouter, opened: Open, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "KEPT", 5.0)
    _location, account = busy(router)
    page = opened(world.boss, 1440).new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(live_server.url + reverse("dashboard:account_now", args=[account.pk]))
    expect(page.get_by_text("Read once.")).to_be_visible()
    expect(page.locator("#watch-rows tbody tr").nth(0)).to_be_attached()
    page.locator("#watch-rows summary").click()
    expect(page.locator("#watch-rows tbody tr").nth(2)).to_be_visible()  # more came, and the list is still open
    expect(page.locator("#watch polygon").first).to_be_attached()
    page.close()
    wait_until(lambda: router.connections_open() == 1)  # the writer's own one is left
    assert problems == []


def test_without_javascript_a_button_reads_again(
    world: World, router: EmulatedRouter, opened: Open, live_server: LiveServer
) -> None:
    location, _account = busy(router)
    page = opened(world.boss, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("dashboard:interface_now", args=[location.pk]) + "?interface=ether1")
    expect(page.get_by_text("Highest of the last 3 minutes")).to_be_visible()
    page.get_by_role("link", name="Read again").click()
    expect(page.get_by_text("Highest of the last 3 minutes")).to_be_visible()
    page.locator("summary", has_text="Other interfaces").click()
    page.get_by_role("link", name="ether2").click()
    expect(page.get_by_role("heading", name="Traffic of ether2 now")).to_be_visible()

"""Our own pages for staff: nothing wider than the screen, no violation of WCAG 2.1 AA, fingers find their targets, and
everything works without JavaScript. Nothing is fetched from another machine (`opened` asserts that)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Promise
from core import clock
from customers.models import Contact
from locations.models import AccessAccount, InterfaceDay, InterfaceTraffic, RouterSession, RouterState, SessionKick
from locations.services import sessions_kick
from locations.sync.sessions import record_of, records_write
from locations.sync.usage import Growth, usage_add
from tests.e2e.conftest import Open
from tests.e2e.test_screens import judge
from tests.integration.dashboard.world import World, add_bill, add_service, build_world, go_online, move, pay

pytestmark = pytest.mark.browser

LONG = "Warung Kopi Bu Sumarni Simpang Lima Kecamatan Karangpandan Karanganyar"
# links inside a sentence are let off: their lines stand where the text puts them (WCAG 2.5.8, "inline")
SMALL_TARGETS = """
() => [...document.querySelectorAll("a, button, input, summary")]
  .filter(e => e.offsetParent !== null && !e.closest(".d-checks, .d-facts dd a:not(.d-tel), .d-skip, .d-sub, .d-timeline"))
  .filter(e => !e.matches(".d-skip") && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 140))
"""


@pytest.fixture
def house(transactional_db: None) -> World:
    """A customer with everything a page can show: one line isolated, one online, one behind a dead router."""
    now = clock.now()
    today = now.date()
    world = build_world(now, name=LONG)
    cut = add_service(world, "warung-kopi-bu-sumarni-simpang-lima@karangpandan", status="isolated", now=now)
    move(cut, "active", "grace", now - timedelta(days=4))
    move(cut, "grace", "isolated", now - timedelta(hours=1), reason="invoice overdue", actor=world.boss)
    for days in (70, 40, 12):
        day = today - timedelta(days=days)
        add_bill(cut, day, day + timedelta(days=2), now=now - timedelta(days=days))
    pay(world, 200_000, now=now - timedelta(days=3))
    live = add_service(
        world, "toko", now=now, expiry_date=today + timedelta(days=9), note="Second floor, behind the stairs"
    )
    session = go_online(live, now)
    RouterSession.objects.update(rate_in=1_250_000, rate_out=48_000_000)
    for days in (0, 1, 3, 29):
        usage_add(world.near.pk, [Growth("ppp", "toko", 10**9, 9 * 10**9, 40_000)], now - timedelta(days=days))
    InterfaceTraffic.objects.create(
        location=world.near, name="ether1-uplink-to-the-provider", is_running=True, rx_rate=90_000_000, seen_at=now
    )
    InterfaceDay.objects.create(
        location=world.near, name="ether1-uplink-to-the-provider", day=today, rx=[10**9] * 96, tx=[10**8] * 96
    )
    records_write([record_of(session, now, "ended")])
    other = go_online(add_service(world, "warnet", now=now), now)
    sessions_kick([other], actor=world.boss, now=now)
    SessionKick.objects.update(ended_at=now, had_cookie=True, came_back_at=now)
    add_service(world, "gudang", location=world.far, now=now)
    RouterState.objects.filter(location=world.far).update(
        reach="offline", reach_since=now - timedelta(hours=3), clock_skew_seconds=900
    )
    AccessAccount.objects.filter(location=world.far).update(revision=7)
    add_service(world, "rumah", now=now)
    add_service(
        world,
        "liburan",
        status="paused",
        now=now,
        paused_on=today - timedelta(days=5),
        resume_on=today + timedelta(days=9),
    )
    Promise.objects.create(
        subscription=cut, until_on=today - timedelta(days=2), at=now - timedelta(days=9), status="broken",
        ended_at=now - timedelta(days=1), note="after the harvest",
    )  # fmt: skip
    for number in range(30):
        at = now - timedelta(days=20, hours=number)
        move(live, "active", "active", at, reason=f"note {number}", kind="changed")
    Contact.objects.create(customer=world.customer, name="Pak Budi", role="technical", phone="+6281234567891")
    return world


def screens(world: World) -> dict[str, str]:
    pk = world.customer.pk
    return {
        "today": reverse("dashboard:home"),
        "customers": reverse("dashboard:customers"),
        "nobody": reverse("dashboard:customers") + "?q=nobody",
        "customer": reverse("dashboard:customer", args=[pk]),
        "timeline": reverse("dashboard:timeline", args=[pk]),
        "online": reverse("dashboard:sessions"),
        "nobody online": reverse("dashboard:sessions") + "?q=nobody-at-all",
        "traffic": reverse("dashboard:traffic", args=[world.near.pk]),
        "talkers now": reverse("dashboard:talkers"),
        "talkers this month": reverse("dashboard:talkers") + "?period=month",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_pages_fit_and_are_accessible(
    house: World, opened: Open, live_server: LiveServer, axe_source: str, language: str, scheme: str
) -> None:
    # axe is put into the page by the test; the policy of the page would rightly refuse that
    page = opened(house.boss, 320, scheme, language, bypass_csp=True).new_page()
    wrong = []
    for name, url in screens(house).items():
        page.set_viewport_size({"width": 320, "height": 900})
        page.goto(live_server.url + url)
        page.wait_for_load_state("load")
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true }")
        assert page.evaluate("document.documentElement.lang") == language
        wrong += judge(page, name, axe_source)
    assert wrong == []


def test_fingers_find_their_targets(house: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(house.boss, 360, has_touch=True, is_mobile=True, bypass_csp=True).new_page()
    for name, url in screens(house).items():
        page.goto(live_server.url + url)
        assert page.evaluate(SMALL_TARGETS) == [], name


def test_without_javascript(house: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(house.operator, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("dashboard:home"))
    page.get_by_role("searchbox").fill("sumarni")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=LONG).click()
    expect(page.get_by_text("Take a payment or write a promise.")).to_be_visible()
    page.locator("summary").first.click()
    expect(page.get_by_text("Router “Pos 2” is online").first).to_be_visible()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("note 10")).to_be_visible()
    page.get_by_role("link", name="Back to the customer").click()
    expect(page.get_by_role("heading", name=LONG)).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Log in again").or_(page.get_by_label("Username")).first).to_be_visible()


def test_ending_a_session_asks_first_and_says_what_is_true_without_javascript(
    house: World, opened: Open, live_server: LiveServer
) -> None:
    page = opened(house.boss, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("dashboard:sessions") + "?q=toko")
    page.get_by_label("Choose toko").check()
    page.get_by_role("button", name="End the chosen sessions").click()
    expect(page.get_by_role("heading", name="End 1 session?")).to_be_visible()
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_text("The end of 1 session is asked for.")).to_be_visible()
    expect(page.get_by_text("waiting for router “Pos 2”")).to_be_visible()
    assert SessionKick.objects.get(name="toko").ended_at is None


def test_live_parts_follow_the_router_and_keep_what_is_open(
    house: World, opened: Open, live_server: LiveServer
) -> None:
    """Under the page's own policy: a refused script or style would be an error in the console."""
    page = opened(house.boss, 1440).new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(live_server.url + reverse("dashboard:customer", args=[house.customer.pk]))
    checks = page.locator("details").last
    checks.locator("summary").click()
    page.evaluate("document.activeElement.blur()")
    row = house.customer.subscriptions.get(username="rumah")
    go_online(row, clock.now())
    tick(page)
    expect(page.locator(f"#service-{row.pk}").get_by_text("Online for 3 h 20 min")).to_be_visible()
    assert checks.evaluate("element => element.open") is True
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("note 10")).to_be_visible()
    assert page.url.endswith(f"/{house.customer.pk}/")
    assert problems == []


def tick(page: Any) -> None:
    """What the page does by itself every 20 s."""
    page.wait_for_function("() => window.htmx !== undefined")
    page.evaluate("() => window.htmx.trigger(document.body, 'mb:tick')")

"""Connecting a router in a browser: pages fit every screen, copying needs no network, nothing needs JavaScript."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from core.settings_registry import setting_change
from locations.choices import Reach, TlsMode, TunnelKind
from locations.models import Location, RouterState
from locations.services import tunnel_issue
from locations.tunnel_settings import ENDPOINT
from tests.e2e.conftest import Open
from tests.e2e.test_screens import judge
from tests.integration.admin.world import World

pytestmark = pytest.mark.browser


def prepared(world: World) -> dict[str, str]:
    """A location whose certificate changed and whose tunnel was printed."""
    setting_change(ENDPOINT, "vpn.example.net")
    Location.objects.filter(pk=world.near.pk).update(tls_mode=TlsMode.PINNED, tls_fingerprint="ab" * 32)
    RouterState.objects.filter(pk=world.near.pk).update(reach=Reach.CERTIFICATE, other_fingerprint="cd" * 32)
    tunnel_issue(world.near, kind=TunnelKind.WIREGUARD, actor=None)
    named = {name: f"admin:locations_location_{name}" for name in ("change", "certificate", "access", "tunnel")}
    pages = {name: reverse(url, args=[world.near.pk]) for name, url in named.items()}
    return {**pages, "connect": reverse("admin:router_connect"), "index": reverse("admin:index")}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("id", "dark")])
def test_pages_fit_and_are_accessible(
    world: World, opened: Open, live_server: LiveServer, axe_source: str, language: str, scheme: str
) -> None:
    pages, wrong = prepared(world), []
    page = opened(world.boss, 320, scheme, language).new_page()
    for name, url in pages.items():
        page.goto(live_server.url + url)
        wrong += judge(page, name, axe_source)
    for name, button in (("access", "script"), ("tunnel", "issue")):
        page.goto(live_server.url + pages[name])
        page.click(f"button[value={button}]")
        page.wait_for_selector("#mb-script")
        wrong += judge(page, f"{name} with its script", axe_source)
    assert wrong == []


def test_commands_are_copied_without_a_network(world: World, opened: Open, live_server: LiveServer) -> None:
    context = opened(world.boss, 1024)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(live_server.url + prepared(world)["tunnel"])
    page.click("button[value=issue]")
    page.wait_for_selector("#mb-script")
    page.wait_for_load_state("load")  # a page cut off before its scripts came copies nothing
    context.set_offline(True)
    button = page.locator("[data-mb-copy=mb-script]")
    button.click()
    page.wait_for_function("document.querySelector('[data-mb-copy]').textContent.includes('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[-1] == ":put [/interface wireguard get [find name=mb-vpn] public-key]"
    assert copied == page.locator("#mb-script").text_content()


def test_without_javascript_everything_is_there(world: World, opened: Open, live_server: LiveServer) -> None:
    pages = prepared(world)
    page = opened(world.boss, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + pages["access"])
    page.click("button[value=script]")
    assert "/user group set" in page.inner_text("#mb-script")
    page.wait_for_load_state("load")  # the style sheet hides the button
    assert not page.is_visible("[data-mb-copy]")
    page.goto(live_server.url + pages["certificate"])
    with page.expect_navigation():
        page.click("form:has(input[type=hidden][name=fingerprint]) button[value=trust]")
    assert Location.objects.get(pk=world.near.pk).tls_fingerprint == "cd" * 32

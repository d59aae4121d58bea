"""A real browser (Debian's Chromium) on the live server. Nothing it asks for may leave this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.integration.admin.world import World, build_world

# Playwright's synchronous API runs its own event loop; Django would refuse database calls beside it
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
CHROMIUM = os.environ.get("TEST_CHROMIUM", "/usr/bin/chromium")
AXE = Path(__file__).with_name("axe") / "axe.min.js"

PATIENCE_MS = 240_000  # how long a busy machine may take; nothing is measured here
Open = Callable[..., Any]


@pytest.fixture(scope="package")  # its event loop must not run on under the tests of other rooms
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)

    if not Path(CHROMIUM).exists():
        pytest.fail(f"no Chromium at {CHROMIUM}: install Debian's chromium or set TEST_CHROMIUM")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


@pytest.fixture
def opened(browser: Any, live_server: LiveServer) -> Iterator[Open]:
    """`opened(user, width, scheme, language)` is a browser context that is logged in; foreign requests fail the test."""
    contexts: list[Any] = []
    foreign: list[str] = []

    def guard(route: Any) -> None:
        if route.request.url.startswith(live_server.url):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    def make(
        user: User | None = None, width: int = 1440, scheme: str = "light", language: str = "en", **options: Any
    ) -> Any:
        locale = {"en": "en-US", "id": "id-ID"}[language]
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale=locale, **options
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", guard)
        cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}]
        if user is not None:
            User.objects.filter(pk=user.pk).update(language=language)
            client = Client()
            client.force_login(user)
            key = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url})
        context.add_cookies(cookies)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert foreign == [], "the page asked another machine"


@pytest.fixture(scope="session")
def axe_source() -> str:
    return AXE.read_text()

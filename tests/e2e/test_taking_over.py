"""The pages of taking over a router: nothing wider than the screen, no violation of WCAG 2.1 AA."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from tests.e2e.conftest import Open
from tests.e2e.test_screens import judge
from tests.integration.imports.moved import Moved
from tests.routers import emulated

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("scheme", "language"), [("light", "id"), ("dark", "en")])
def test_the_wizard_fits_and_is_accessible(
    opened: Open, live_server: LiveServer, axe_source: str, scheme: str, language: str
) -> None:
    with emulated(version="7.16.1") as router:
        moved = Moved(router, "7.16.1")
        run = moved.run()
    page = opened(moved.boss, 320, scheme, language).new_page()
    wrong = []
    for name in ("change", "choose", "rows", "apply"):
        page.set_viewport_size({"width": 320, "height": 900})
        page.goto(live_server.url + reverse(f"admin:imports_routerimport_{name}", args=[run.pk]))
        page.wait_for_load_state("load")
        wrong += judge(page, name, axe_source)
    assert not wrong, "\n".join(wrong)

"""The screens of the issue with long names: nothing wider than the screen, no violation of WCAG 2.1 AA, nothing fetched
from another machine (`opened` asserts that)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from tests.e2e.conftest import Open
from tests.integration.admin.world import World

pytestmark = pytest.mark.browser

WIDTHS = (320, 360, 768, 1024, 1440)
SHOT_WIDTHS = (360, 768, 1440)
LOOK = "() => [matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light', document.documentElement.lang]"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
AXE_RUN = """
tags => axe.run({runOnly: tags}).then(result => result.violations.map(
  rule => rule.id + ": " + rule.nodes.map(node => node.target.join(" ")).join(" | ")))
"""
OVERFLOWING = """
width => [...document.querySelectorAll("body *")].filter(
  element => element.getBoundingClientRect().right > width + 1).slice(0, 5).map(element => element.outerHTML.slice(0, 160))
"""
MISSING_TARGETS = """
() => [...document.querySelectorAll("#content a.mb-button, #content button.mb-button, #content .mb-chip, .mb-icon-button")]
  .filter(e => e.offsetParent !== null && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120))
"""


def screens(world: World) -> dict[str, str]:
    return {
        "index": reverse("admin:index"),
        "batch": reverse("admin:vouchers_voucherbatch_change", args=[world.waiting.pk]),
        "batch list": reverse("admin:vouchers_voucherbatch_changelist"),
        "batch form": reverse("admin:vouchers_voucherbatch_add"),
        "voucher list": reverse("admin:vouchers_voucher_changelist"),
        "voucher": reverse("admin:vouchers_voucher_change", args=[world.voucher.pk]),
        "location": reverse("admin:locations_location_change", args=[world.near.pk]),
        "routers' health": reverse("admin:router_health"),
        "router's health": reverse("admin:locations_location_health", args=[world.near.pk]),
        "ping": reverse("admin:locations_location_ping", args=[world.near.pk]),
        "restart": reverse("admin:locations_location_reboot", args=[world.near.pk]),
        "location list": reverse("admin:locations_location_changelist"),
        "plan": reverse("admin:billing_plan_change", args=[world.plan.pk]),
        "income": reverse("admin:report_income"),
        "income by plan": reverse("admin:report_income") + "?by=plan",
        "profit": reverse("admin:report_profit") + "?from=2026-01-01",
        "receivables": reverse("admin:report_receivables"),
        "trial balance": reverse("admin:report_trial_balance"),
        "journal": reverse("admin:billing_journalentry_changelist"),
        "postings": reverse("admin:billing_posting_changelist") + "?account=income:voucher",
        "ledger check": reverse("admin:ledger_check"),
    }


def judge(page: Any, name: str, axe_source: str) -> list[str]:
    """Everything that is wrong with the page at every width; pictures of it in the folder SHOTS, to look at them."""
    page.wait_for_load_state("load")  # before its styles have come every page is too wide
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        # the constant, never innerWidth: that one grows with the overflow on phones
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{name} at {width} px is wider: {page.evaluate(OVERFLOWING, width)}")
        page.evaluate(axe_source)
        wrong += [f"{name} at {width} px: {violation}" for violation in page.evaluate(AXE_RUN, TAGS)]
        if (folder := os.environ.get("SHOTS")) and width in SHOT_WIDTHS:
            theme, language = page.evaluate(LOOK)
            file = f"{name.replace(' ', '-')}-{width}-{theme}-{language}.png"
            page.screenshot(path=Path(folder) / file, full_page=True)
    return wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_screens_fit_and_are_accessible(
    world: World, opened: Open, live_server: LiveServer, axe_source: str, language: str, scheme: str
) -> None:
    login = opened(None, 320, scheme, language).new_page()
    login.goto(live_server.url + reverse("admin:login"))
    wrong = judge(login, "login", axe_source)
    page = opened(world.boss, 320, scheme, language).new_page()
    for name, url in screens(world).items():
        page.set_viewport_size({"width": 320, "height": 900})
        page.goto(live_server.url + url)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.classList.contains('dark')") == (scheme == "dark")
        wrong += judge(page, name, axe_source)
    assert wrong == []


def test_fingers_find_their_targets(world: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(world.boss, 360, has_touch=True, is_mobile=True).new_page()
    for name, url in screens(world).items():
        page.goto(live_server.url + url)
        assert page.evaluate(MISSING_TARGETS) == [], name
        sizes = "[...document.querySelectorAll('#content input:not([type=hidden]):not([type=checkbox])')]"
        assert page.evaluate(f"{sizes}.every(e => parseFloat(getComputedStyle(e).fontSize) >= 16)"), name

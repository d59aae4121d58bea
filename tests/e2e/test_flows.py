"""One walk through what staff do, with the browser's own clicks; and the same pages without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing.services import plan_create, plan_publish
from tests.e2e.conftest import Open
from tests.integration.admin.world import PASSWORD, World
from vouchers.models import Voucher, VoucherBatch, VoucherSale
from vouchers.services import batch_generate

pytestmark = pytest.mark.browser


def test_log_in_order_a_batch_find_a_code_sell_it_and_undo(world: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(None, 1440).new_page()
    page.goto(live_server.url + reverse("admin:vouchers_voucherbatch_add"))
    page.get_by_label("Username").fill(world.operator.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    # the form: a plain list of plans with what they cost, checkboxes for locations
    offer = f"{world.plan.name} · IDR 5,000 · 1 day from first login · 2 devices"
    page.get_by_role("combobox", name="Plan").select_option(label=offer)
    page.get_by_label("Pos 2").check()
    page.get_by_label("Quantity").fill("3")
    page.get_by_label("Prefix").fill("ZZ-")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    batch = VoucherBatch.objects.get(prefix="ZZ-")
    batch_generate(batch.pk)
    # nobody reloads: the poll brings the news
    expect(page.get_by_role("link", name="Print A4")).to_be_visible()

    # filters and search
    page.locator("#content").get_by_role("link", name="Vouchers", exact=True).click()
    page.get_by_role("navigation", name="Status").get_by_role("link", name="New").click()
    expect(page).to_have_url(re.compile("status__exact=new"))
    code = Voucher.objects.filter(batch=batch).order_by("pk")[0].code
    page.get_by_role("searchbox").fill(code.lower())
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile("status__exact=new"))
    page.get_by_role("link", name=code).click()

    # the sale, asked first, and its undoing
    page.get_by_role("link", name="Sell").click()
    expect(page.get_by_text(f"Sell voucher {code}?")).to_be_visible()
    page.get_by_role("button", name="Sell").click()
    expect(page.get_by_text("You can undo this for 60 seconds.")).to_be_visible()
    assert VoucherSale.objects.filter(voucher__code=code).count() == 1
    page.get_by_role("button", name="Undo sale").click()
    expect(page.get_by_text("is undone; the voucher is new again.")).to_be_visible()
    assert Voucher.objects.get(code=code).status == "new"


def test_list_actions_and_the_filter_by_batch(world: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(world.boss, 1440).new_page()
    page.goto(live_server.url + reverse("admin:vouchers_voucher_changelist"))
    page.locator(".mb-chip-form .select2-selection").click()
    page.locator(".select2-search__field").fill(str(world.batch.pk))
    page.locator(".select2-results__option", has_text="Kios depan pasar").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".mb-count")).to_have_text("40 vouchers")
    boxes = page.locator("input.action-select[name=_selected_action]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_label("Select action to run").select_option("sell_chosen")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Sell 2 vouchers for IDR 10,000?")).to_be_visible()
    page.get_by_role("button", name="Sell").click()
    expect(page.get_by_text("2 vouchers sold for IDR 10,000.")).to_be_visible()


def open_menu(page: Any) -> None:
    """The button works once Alpine, loaded deferred, has taken the page over; a click before that does nothing."""
    page.wait_for_function("() => document.querySelector('[x-data]')?._x_dataStack !== undefined")
    page.get_by_role("button", name="Menu").click()


def test_the_menu_on_a_phone_the_theme_and_the_language(world: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(world.boss, 360).new_page()
    page.goto(live_server.url + reverse("admin:index"))
    open_menu(page)
    page.get_by_role("button", name="kepala").or_(page.locator(".mb-user")).first.click()
    page.get_by_role("button", name="Bahasa Indonesia").click()
    expect(page.get_by_role("heading", name="Ringkasan")).to_be_visible()
    assert User.objects.get(pk=world.boss.pk).language == "id"
    open_menu(page)
    page.get_by_role("link", name="Lokasi", exact=True).click()
    expect(page.get_by_role("link", name="Pos 2", exact=True)).to_be_visible()


def test_a_lost_connection_is_said(world: World, opened: Open, live_server: LiveServer) -> None:
    context = opened(world.boss, 1440)
    page = context.new_page()
    page.goto(live_server.url + reverse("admin:vouchers_voucherbatch_change", args=[world.waiting.pk]))
    expect(page.locator("#mb-offline")).to_be_hidden()
    context.set_offline(True)
    expect(page.locator("#mb-offline")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("#mb-offline")).to_be_hidden()


def test_without_javascript(world: World, opened: Open, live_server: LiveServer) -> None:
    page = opened(world.boss, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("admin:index"))
    expect(page.get_by_text("New vouchers")).to_be_visible()
    expect(page.get_by_role("navigation", name="All pages")).to_be_visible()
    page.get_by_role("navigation", name="All pages").get_by_role("link", name="Vouchers", exact=True).click()
    page.get_by_role("searchbox").fill("POS2")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".mb-count")).to_have_text("40 vouchers")
    new = Voucher.objects.filter(batch=world.batch, status="new").order_by("-pk")[0]
    page.get_by_role("link", name=new.code).click()
    page.get_by_role("link", name="Sell").click()
    page.get_by_role("button", name="Sell").click()
    expect(page.get_by_text("You can undo this for 60 seconds.")).to_be_visible()
    page.goto(live_server.url + reverse("admin:locations_location_change", args=[world.near.pk]))
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()
    expect(page.get_by_text("Needs a decision").first).to_be_visible()
    page.get_by_label("Address", exact=False).first.fill("192.0.2.77")
    page.get_by_role("button", name="Save", exact=True).click()
    world.near.refresh_from_db()
    assert world.near.host == "192.0.2.77"
    page.goto(live_server.url + reverse("admin:locations_location_change", args=[world.near.pk]))
    page.get_by_role("link", name="Add staff").click()
    page.get_by_label("admin-siang").check()
    page.get_by_role("button", name="Add staff").click()
    expect(page.get_by_text("1 person more works here now.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Log in again").or_(page.get_by_label("Username")).first).to_be_visible()


def test_a_batch_is_ordered_and_found_without_javascript(world: World, opened: Open, live_server: LiveServer) -> None:
    weekly = plan_create(actor=world.boss, name="Mingguan", price_sell=20_000, price_cost=1, duration_seconds=604_800)
    plan_publish(weekly, [world.near], actor=world.boss)
    page = opened(world.operator, 360, java_script_enabled=False).new_page()
    page.goto(live_server.url + reverse("admin:vouchers_voucherbatch_add"))
    page.get_by_role("combobox", name="Plan").select_option(label="Mingguan · IDR 20,000 · 7 days from first login")
    page.get_by_label("Pos 2").check()
    page.get_by_label("Quantity").fill("3")
    page.get_by_label("Prefix").fill("NJ-")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    batch = VoucherBatch.objects.get(prefix="NJ-")
    assert (batch.plan_id, batch.quantity, batch.price) == (weekly.pk, 3, 20_000)
    batch_generate(batch.pk)
    page.reload()
    expect(page.get_by_role("link", name="Print A4")).to_be_visible()

    # the list of batches by plan: a plain list
    page.goto(live_server.url + reverse("admin:vouchers_voucherbatch_changelist"))
    page.get_by_role("combobox", name="Plan").select_option(label="Mingguan")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(f"plan__id__exact={weekly.pk}"))
    expect(page.locator(".mb-count")).to_have_text("1 voucher batch")
    expect(page.get_by_role("link", name=batch.name, exact=True)).to_be_visible()

    # the list of vouchers by batch: its number
    page.goto(live_server.url + reverse("admin:vouchers_voucher_changelist"))
    expect(page.locator(".select2-selection")).to_have_count(0)
    page.get_by_placeholder("Number of the batch").fill(str(batch.pk))
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".mb-count")).to_have_text("3 vouchers")
    for code in Voucher.objects.filter(batch=batch).values_list("code", flat=True):
        expect(page.get_by_role("link", name=code, exact=True)).to_be_visible()
    page.get_by_role("link", name="Stop filtering by").click()
    expect(page.locator(".mb-count")).to_have_text("73 vouchers")

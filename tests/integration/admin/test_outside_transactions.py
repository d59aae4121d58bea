"""What must hold without a surrounding transaction: network calls find none open, and events find one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from core.models import Setting
from locations import services
from locations.admin import location as location_admin
from locations.models import Location
from tests.integration.admin.world import World, build_world
from vouchers.models import Voucher

Login = Callable[[User], Client]


@pytest.fixture
def world(transactional_db: None) -> World:
    return build_world()


def test_the_connection_test_runs_outside_a_transaction_and_says_what_it_found(
    world: World, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tested(location: Location) -> services.TestResult:
        assert not transaction.get_connection().in_atomic_block
        return services.TestResult(
            False, "login", "The router refused user name or password.", version="7.16.1", fingerprint=""
        )

    monkeypatch.setattr(location_admin, "location_test", tested)
    url = reverse("admin:locations_location_test_connection", args=[world.near.pk])
    page = login(world.admin).post(url)
    assert b"The router refused user name or password." in page.content
    assert b"7.16.1" in page.content
    assert login(world.operator).post(url).status_code == 403


def test_generic_changes_and_actions_write_their_activity(world: World, login: Login) -> None:
    client = login(world.boss)
    client.get(reverse("admin:core_setting_changelist"))
    assert Setting.objects.filter(pk="company.name").exists()
    client.post(reverse("admin:core_setting_change", args=["company.name"]), {"value": "Desa Net"})
    assert ActivityLog.objects.filter(action="setting.changed").count() == 1
    row = Voucher.objects.filter(batch=world.batch, status="new").order_by("pk")[0]
    url = reverse("admin:vouchers_voucher_sell", args=[row.pk])
    assert client.post(url, {"amount": "5000", "request_key": "t"}).status_code == 302
    assert ActivityLog.objects.filter(action="voucher.sold", details__code=row.code).count() == 1


def test_a_refused_form_rolls_everything_back(world: World, login: Login) -> None:
    before = ActivityLog.objects.count()
    data = {
        "name": "Pos 2", "host": "0.0.0.0", "port": "8728", "username": "x", "password": "y", "tls_mode": "none",
        "timezone": "Asia/Jakarta", "is_active": "on", "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0",
    }  # fmt: skip
    response = login(world.boss).post(reverse("admin:locations_location_add"), data)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert (Location.objects.count(), ActivityLog.objects.count()) == (2, before)

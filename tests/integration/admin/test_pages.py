"""Every page of the admin opens, for every role, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.models import ErrorRecord, JobRun, Setting, SlowQuery
from tests.integration.admin.world import World
from vouchers.forms import BatchForm

Login = Callable[[User], Client]


def every_changelist() -> list[str]:
    return [f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist" for m in admin.site._registry]


@pytest.mark.parametrize("language", ["en", "id"])
def test_all_lists_open_for_a_super_admin(world: World, login: Login, language: str) -> None:
    User.objects.filter(pk=world.boss.pk).update(language=language)
    client = login(world.boss)
    for name in [*every_changelist(), "admin:index", "admin:live", "admin:health"]:
        assert client.get(reverse(name)).status_code == 200, name


def test_all_detail_and_add_pages_open(world: World, login: Login) -> None:
    client = login(world.boss)
    rows = [
        world.boss, world.near, world.far, world.plan, world.batch, world.waiting, world.voucher,
        Setting.objects.get(pk="company.name") if Setting.objects.filter(pk="company.name").exists() else world.boss,
        ErrorRecord.objects.get(), SlowQuery.objects.get(), *JobRun.objects.all(), *world.voucher.sales.all(),
    ]  # fmt: skip
    for row in rows:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        assert client.get(url).status_code == 200, url
    for name in ("accounts_user", "locations_location", "billing_plan", "vouchers_voucherbatch"):
        assert client.get(reverse(f"admin:{name}_add")).status_code == 200, name


def test_live_parts_answer_alone(world: World, login: Login) -> None:
    client = login(world.boss)
    for row in (world.near, world.batch, world.waiting, world.voucher, world.plan):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_live", args=[row.pk])
        response = client.get(url)
        assert response.status_code == 200
        assert b"<html" not in response.content
        assert b'hx-get="' in response.content


def test_a_form_opened_often_stays_as_fast(world: World, login: Login) -> None:
    """A declared field's label is capitalised once, not once more by every visitor."""
    client, url = login(world.boss), reverse("admin:vouchers_voucherbatch_add")
    client.get(url)
    label = BatchForm.base_fields["name"].label
    client.get(url)
    assert BatchForm.base_fields["name"].label is label

"""Print sheets and CSV of a batch through the admin."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from tests.integration.admin.world import World
from vouchers.admin import printing
from vouchers.models import Voucher

Login = Callable[[User], Client]


@pytest.mark.parametrize("size", ["a4", "58mm"])
def test_a_sheet_holds_every_living_code_once(world: World, login: Login, size: str) -> None:
    url = reverse("admin:vouchers_voucherbatch_print", args=[world.batch.pk, size])
    page = login(world.operator).get(url).content.decode()
    for row in Voucher.objects.filter(batch=world.batch).exclude(status__in=["expired", "void"]):
        assert page.count(f">{row.code}</p>") == 1
    assert ActivityLog.objects.filter(action=f"batch.printed_{size}", user=world.operator).count() == 1


def test_a_large_batch_prints_in_parts(world: World, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "PER_SHEET", 15)
    client, url = login(world.boss), reverse("admin:vouchers_voucherbatch_print", args=[world.waiting.pk, "a4"])
    first = client.get(url)
    second = client.get(url, {"after": first.context["more"]})
    codes = [ticket.code for page in (first, second) for ticket in page.context["tickets"]]
    wanted = Voucher.objects.filter(batch=world.waiting).order_by("pk").values_list("code", flat=True)
    assert codes == list(wanted)
    assert second.context["more"] is None


def test_the_csv_holds_the_whole_batch(world: World, login: Login) -> None:
    response = login(world.boss).get(reverse("admin:vouchers_voucherbatch_csv", args=[world.batch.pk]))
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[attr-defined]
    codes = [line[0] for line in csv.reader(io.StringIO(text))][1:]
    assert codes == list(Voucher.objects.filter(batch=world.batch).order_by("pk").values_list("code", flat=True))


def test_printing_needs_its_permission_and_a_visible_batch(world: World, login: Login) -> None:
    Group.objects.get(name="operator").permissions.remove(Permission.objects.get(codename="print_voucher"))
    for name, args in (("print", [world.batch.pk, "a4"]), ("csv", [world.batch.pk])):
        url = reverse(f"admin:vouchers_voucherbatch_{name}", args=args)
        assert login(world.operator).get(url).status_code == 403
    assert (
        login(world.boss).get(reverse("admin:vouchers_voucherbatch_print", args=[world.batch.pk, "a5"])).status_code
        == 404
    )

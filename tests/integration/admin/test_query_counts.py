"""The number of SQL statements of every list and of the index is fixed: a query per row cannot creep in unseen.

After a wanted change: `UPDATE_QUERY_COUNTS=1 python -m pytest tests/integration/admin/test_query_counts.py`, and say in
the commit why the number grew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.integration.admin.world import World

BASELINE = Path(__file__).with_name("query_counts.json")
Login = Callable[[User], Client]


def pages(world: World) -> dict[str, str]:
    found = {
        f"{m._meta.app_label}.{m._meta.model_name} list": reverse(
            f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist"
        )
        for m in admin.site._registry
    }
    found |= {
        "vouchers.voucher search": reverse("admin:vouchers_voucher_changelist") + "?q=POS2",
        "vouchers.voucher deep page": reverse("admin:vouchers_voucher_changelist") + "?before=40",
        "vouchers.voucher page": reverse("admin:vouchers_voucher_change", args=[world.voucher.pk]),
        "vouchers.voucherbatch page": reverse("admin:vouchers_voucherbatch_change", args=[world.waiting.pk]),
        "locations.location page": reverse("admin:locations_location_change", args=[world.near.pk]),
        "index": reverse("admin:index"),
        "index poll": reverse("admin:live"),
    }
    return found


def measure(client: Client, url: str) -> int:
    client.get(url)  # content types and other once-per-process reads
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_number_of_queries_is_the_recorded_one(world: World, login: Login) -> None:
    measured = {
        f"{who}: {name}": measure(login(user), url)
        for who, user in (("super admin", world.boss), ("operator", world.operator))
        for name, url in pages(world).items()
        if who == "super admin" or name.split(" ")[0] in {"vouchers.voucher", "index", "locations.location"}
    }
    if os.environ.get("UPDATE_QUERY_COUNTS"):
        BASELINE.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    assert measured == json.loads(BASELINE.read_text())


def test_more_rows_do_not_mean_more_queries(world: World, login: Login) -> None:
    from vouchers.models import Voucher

    client, url = login(world.boss), reverse("admin:vouchers_voucher_changelist")
    many = measure(client, url)
    few = measure(client, f"{url}?q={Voucher.objects.filter(batch=world.batch)[0].code}")
    assert abs(many - few) <= 1

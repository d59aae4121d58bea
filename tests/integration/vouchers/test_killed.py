"""kill -9 of the worker in the middle of an expiry: what it began is undone, what is due is done by the next one, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import now as real_now
from locations.models import AccessAccount
from locations.sync.writer import location_run
from tests.integration.vouchers.world import make_batch, make_plan, vouchers_of
from tests.processes import kill, spawn
from tests.routers import emulated, hotspot_users, location_of
from vouchers.models import Voucher, VoucherEvent
from vouchers.services import vouchers_activate, vouchers_expire

pytestmark = pytest.mark.django_db(transaction=True)

STOPPED_BEFORE_COMMIT = """
from vouchers.services import expiry
real, chunks = expiry.accounts_remove, []
expiry.CHUNK = 10
def second_chunk_stops(*args, **kwargs):
    result = real(*args, **kwargs)
    chunks.append(result)
    if len(chunks) == 2:
        print("in the second chunk", flush=True)
        sys.stdin.readline()
    return result
expiry.accounts_remove = second_chunk_stops
expiry.vouchers_expire()
"""


def test_a_worker_killed_mid_expiry_leaves_whole_chunks_and_the_next_one_finishes() -> None:
    with emulated() as router:
        place = location_of(router)
        batch = make_batch(make_plan("Satu jam", place, duration_seconds=3600), place, quantity=25)
        location_run(place.pk)
        began = real_now() - timedelta(hours=2)
        vouchers_activate([(pk, began) for pk in AccessAccount.objects.values_list("pk", flat=True)])
        child = spawn(STOPPED_BEFORE_COMMIT)
        assert child.stdout is not None
        assert child.stdout.readline() == "in the second chunk\n"
        kill(child)
        assert Voucher.objects.filter(status="expired").count() == 10
        assert VoucherEvent.objects.filter(kind="expired").count() == 10

        assert vouchers_expire() == 15
        assert {voucher.status for voucher in vouchers_of(batch)} == {"expired"}
        assert VoucherEvent.objects.filter(kind="expired").count() == 25
        location_run(place.pk, is_forced=True)
        assert hotspot_users(router) == {}
        assert AccessAccount.objects.count() == 0

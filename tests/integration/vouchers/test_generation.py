from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, connections

from accounts.choices import Role
from accounts.models import ActivityLog
from core import clock
from core.errors import DomainError, TransitionError
from locations.choices import Presence, Priority
from locations.models import AccessAccount
from tests.integration.vouchers.world import make_batch, make_location, make_plan, make_user, vouchers_of
from vouchers.models import Voucher, VoucherBatch
from vouchers.selectors import batch_progress
from vouchers.services import (
    batch_cancel,
    batch_create,
    batch_generate,
    batch_warnings,
    batches_resume,
    generation,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


def test_a_batch_becomes_vouchers_and_accounts_at_all_its_locations() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one, two, data_limit_bytes=10**9, is_mac_locked=True)
    batch = make_batch(plan, one, two, quantity=50, prefix="ab-", length=6)

    assert (batch.status, batch.progress, batch.heartbeat_at, batch.error) == ("ready", 50, None, "")
    assert (batch.price, batch.price_cost) == (Decimal(5000), Decimal(3500))
    vouchers = vouchers_of(batch)
    assert len(vouchers) == 50
    assert {(v.status, v.password, v.valid_until, v.code[:3], len(v.code)) for v in vouchers} == {
        ("new", None, None, "AB-", 9)
    }
    accounts = AccessAccount.objects.filter(tag=batch.tag)
    assert {a.name for a in accounts.filter(location=one)} == {v.code for v in vouchers}
    assert {a.name for a in accounts.filter(location=two)} == {v.code for v in vouchers}
    assert {(a.kind, a.presence, a.priority, a.secret == a.name) for a in accounts} == {
        ("hotspot", Presence.PRESENT, Priority.BULK, True)
    }
    assert {(a.limit_uptime_seconds, a.limit_bytes, a.is_mac_locked, a.valid_until) for a in accounts} == {
        (86400, 10**9, True, None)
    }
    progress = batch_progress(batch)
    assert (progress.generated, progress.quantity, progress.wanted, progress.confirmed, progress.waiting) == (
        50, 50, 100, 0, 100,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"duration_seconds": 86400, "uptime_limit_seconds": 3600}, 3600),
        ({"duration_seconds": 3600, "uptime_limit_seconds": 7200}, 3600),
        ({"duration_seconds": 3600, "shared_users": 3}, 10800),
        ({"duration_seconds": 3600, "shared_users": 3, "uptime_limit_seconds": 7200}, 7200),
        ({"duration_seconds": None, "uptime_limit_seconds": 7200, "shared_users": 3}, 7200),
        ({"duration_seconds": None}, None),
    ],
)
def test_the_router_alone_can_end_a_voucher_nobody_saw_start(
    fields: dict[str, int | None], seconds: int | None
) -> None:
    place = make_location()
    batch = make_batch(make_plan("Paket", place, **fields), place, quantity=1)
    assert [a.limit_uptime_seconds for a in AccessAccount.objects.filter(tag=batch.tag)] == [seconds]


def test_put_on_the_router_at_sale_means_no_account_before() -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian", place), place, push_at="sale")
    assert len(vouchers_of(batch)) == 3
    assert AccessAccount.objects.count() == 0


def test_separate_passwords_are_stored_encrypted_and_equal_on_voucher_and_account() -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian", place), place, mode="separate", quantity=20)
    passwords = {v.code: v.password for v in vouchers_of(batch)}
    assert all(word and len(word) == 6 and word != code for code, word in passwords.items())
    assert len(set(passwords.values())) > 15
    assert {a.name: a.secret for a in AccessAccount.objects.all()} == passwords
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM vouchers_voucher")
        assert all(row[0].startswith("v1:gAAAA") for row in cursor.fetchall())


def test_price_and_terms_are_frozen_when_the_batch_is_made() -> None:
    from billing.services import plan_change

    place = make_location()
    plan = make_plan("Harian", place)
    batch = make_batch(plan, place)
    plan_change(plan, actor=None, price_sell=9000, duration_seconds=3600)
    batch.refresh_from_db()
    assert (batch.price, batch.duration_seconds) == (Decimal(5000), 86400)


def test_the_same_request_makes_one_batch() -> None:
    place = make_location()
    plan, boss = make_plan("Harian", place), make_user()
    first = batch_create(plan=plan, locations=[place], quantity=5, actor=boss, request_key="k1")
    again = batch_create(plan=plan, locations=[place], quantity=5, actor=boss, request_key="k1")
    assert first.pk == again.pk
    assert VoucherBatch.objects.count() == 1
    with pytest.raises(DomainError, match="someone else"):
        batch_create(plan=plan, locations=[place], quantity=5, actor=make_user("other"), request_key="k1")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 100_001}, "quantity"),
        ({"prefix": "a b"}, "prefix"),
        ({"prefix": "ABCDEFGHIJK"}, "prefix"),
        ({"length": 3}, "length"),
        ({"length": 21}, "length"),
        ({"charset": "emoji"}, "charset"),
        ({"mode": "none"}, "mode"),
        ({"push_at": "never"}, "push_at"),
        ({"price": "-1"}, "price"),
        ({"price": "abc"}, "price"),
        ({"price_cost": "NaN"}, "price_cost"),
        ({"length": 4, "charset": "digits", "quantity": 1001}, "length"),
    ],
)
def test_bad_orders_name_the_field_and_store_nothing(fields: dict[str, object], field: str) -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    with pytest.raises(DomainError) as refused:
        batch_create(**{"plan": plan, "locations": [place], "quantity": 5, "actor": None} | fields)  # type: ignore[arg-type]
    assert list(refused.value.fields) == [field]
    assert VoucherBatch.objects.count() == 0


def test_orders_for_plans_and_places_that_do_not_fit_are_refused() -> None:
    one, two = make_location("Pos 1"), make_location("Pos 2")
    plan = make_plan("Harian", one)
    home = make_plan("Rumah", one, type="pppoe")
    operator = make_user("op", Role.OPERATOR, two)
    with pytest.raises(DomainError, match="not published at Pos 2"):
        batch_create(plan=plan, locations=[one, two], quantity=5, actor=None)
    with pytest.raises(DomainError, match="some values") as refused:
        batch_create(plan=home, locations=[one], quantity=5, actor=None)
    assert list(refused.value.fields) == ["plan"]
    with pytest.raises(DomainError, match="own locations"):
        batch_create(plan=plan, locations=[one], quantity=5, actor=operator)
    with pytest.raises(DomainError, match="at least one location"):
        batch_create(plan=plan, locations=[], quantity=5, actor=None)
    assert VoucherBatch.objects.count() == 0


def test_codes_that_exist_count_against_the_room() -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    make_batch(plan, place, quantity=600, length=4, charset="digits", push_at="sale")
    with pytest.raises(DomainError, match="Use at least 5 characters"):
        batch_create(plan=plan, locations=[place], quantity=401, length=4, charset="digits", actor=None)
    batch = make_batch(plan, place, quantity=400, length=4, charset="digits", push_at="sale")
    assert len({v.code for v in Voucher.objects.all()}) == 1000
    assert batch.progress == 400


def test_a_name_somebody_has_on_the_router_is_not_given_out() -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    make_batch(plan, place, quantity=1)
    profile = AccessAccount.objects.get().profile
    AccessAccount.objects.bulk_create(
        AccessAccount(location=place, kind="hotspot", name=f"{number:04d}", profile=profile) for number in range(9500)
    )
    batch = make_batch(plan, place, quantity=300, length=4, charset="digits")
    assert min(v.code for v in vouchers_of(batch)) >= "9500"


def test_a_code_taken_between_look_and_copy_costs_an_attempt_not_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    taken = vouchers_of(make_batch(plan, place, quantity=1))[0].code
    real, answers = generation._fresh_codes, [[taken, "ZZZZZZZ2"]]
    monkeypatch.setattr(generation, "_fresh_codes", lambda *args: answers.pop() if answers else real(*args))
    batch = make_batch(plan, place, quantity=2)
    assert answers == []
    assert taken not in {v.code for v in vouchers_of(batch)}
    assert AccessAccount.objects.filter(tag=batch.tag).count() == 2


def test_attempts_are_bounded_and_the_reason_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_location()
    plan = make_plan("Harian", place)
    taken = vouchers_of(make_batch(plan, place, quantity=1))[0].code
    monkeypatch.setattr(generation, "_fresh_codes", lambda *args: [taken])
    batch = batch_create(plan=plan, locations=[place], quantity=1, actor=None)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.progress) == ("failed", 0)
    assert batch.error.startswith("5 attempts met codes that already exist")
    assert vouchers_of(batch) == []


def test_an_unexpected_error_fails_the_batch_with_a_reason_and_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.models import ErrorRecord

    def explode(*args: object, **kwargs: object) -> int:
        raise ZeroDivisionError("boom")

    place = make_location()
    monkeypatch.setattr(generation, "accounts_copy", explode)
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=9, actor=None)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.error) == ("failed", "An unexpected problem: ZeroDivisionError.")
    assert Voucher.objects.count() == AccessAccount.objects.count() == 0
    assert ErrorRecord.objects.get().source == "vouchers.batch_generate"


def test_cancel_before_the_start() -> None:
    place, boss = make_location(), make_user()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=9, actor=boss)
    assert batch_cancel(batch, actor=boss).status == "cancelled"
    batch_generate(batch.pk)
    assert Voucher.objects.count() == 0
    assert list(ActivityLog.objects.order_by("pk").values_list("action", flat=True))[-2:] in (
        [], ["batch.created", "batch.cancelled"],
    )  # fmt: skip
    with pytest.raises(TransitionError):
        batch_cancel(batch, actor=boss)


def test_cancel_in_the_middle_leaves_nothing_and_progress_was_visible_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cancel comes from another connection after the COPY of vouchers went through, before the accounts."""
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=2_000, actor=None)
    seen: list[tuple[str, int, int]] = []
    went_on: list[int] = []
    real = generation.accounts_copy

    def outside() -> None:
        row = VoucherBatch.objects.get(pk=batch.pk)
        seen.append((row.status, row.progress, Voucher.objects.count()))
        batch_cancel(row, actor=None)
        connections.close_all()

    def copy_after_cancel(**kwargs: object) -> int:
        monkeypatch.setattr(generation, "TICK_SECONDS", 0)
        person = threading.Thread(target=outside)
        person.start()
        person.join(20)
        went_on.append(real(**kwargs))  # type: ignore[arg-type]
        return went_on[0]

    monkeypatch.setattr(generation, "TICK_SECONDS", 0)
    monkeypatch.setattr(generation, "accounts_copy", copy_after_cancel)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert seen[0][0] == "generating"
    assert 0 < seen[0][1] < 2_000
    assert seen[0][2] == 0
    assert went_on == []  # heard while copying, not only at the end
    assert (batch.status, batch.progress) == ("cancelled", 0)
    assert batch.finished_at is not None
    assert Voucher.objects.count() == AccessAccount.objects.count() == 0


def test_a_cancel_after_the_last_look_still_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=5, actor=None)
    real = generation._conclude

    def late(row: VoucherBatch, lease: object) -> None:
        def outside() -> None:
            batch_cancel(row, actor=None)
            connections.close_all()

        person = threading.Thread(target=outside)
        person.start()
        person.join(20)
        real(row, lease)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "_conclude", late)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert batch.status == "cancelled"
    assert Voucher.objects.count() == 0


def test_a_ready_batch_is_neither_cancelled_nor_made_again() -> None:
    place = make_location()
    batch = make_batch(make_plan("Harian", place), place)
    before = vouchers_of(batch)
    batch_generate(batch.pk)
    assert vouchers_of(batch) == before
    with pytest.raises(TransitionError, match="finished already"):
        batch_cancel(batch, actor=None)


def test_two_workers_on_one_batch_only_one_wins() -> None:
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=3_000, actor=None)
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait(20)
        batch_generate(batch.pk)
        connections.close_all()

    workers = [threading.Thread(target=work) for _i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    batch.refresh_from_db()
    assert batch.status == "ready"
    assert Voucher.objects.filter(batch=batch).count() == 3_000
    assert AccessAccount.objects.filter(tag=batch.tag).count() == 3_000


def test_a_stalled_worker_that_lost_its_lease_rolls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it stalled another one took over and finished: the batch must not be doubled."""
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=100, actor=None)
    real, stalls = generation.accounts_copy, ["once"]

    def takeover() -> None:
        batch_generate(batch.pk, now=clock.now() + timedelta(seconds=61))
        connections.close_all()

    def stalled(**kwargs: object) -> int:
        if stalls:
            stalls.clear()
            other = threading.Thread(target=takeover)
            other.start()
            other.join(30)
        return real(**kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "accounts_copy", stalled)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert batch.status == "ready"
    assert Voucher.objects.filter(batch=batch).count() == 100


def test_a_worker_overtaken_at_the_very_end_rolls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one claimed the batch after our last sign of life and is still at work: ours must not become a second set."""
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=5, actor=None)
    real = generation._conclude
    later = clock.now() + timedelta(seconds=61)

    def overtaken(row: VoucherBatch, lease: object) -> None:
        def claim() -> None:
            assert generation._claim(row.pk, later) is not None
            connections.close_all()

        other = threading.Thread(target=claim)
        other.start()
        other.join(20)
        real(row, lease)  # type: ignore[arg-type]

    monkeypatch.setattr(generation, "_conclude", overtaken)
    batch_generate(batch.pk)
    batch.refresh_from_db()
    assert batch.status == "generating"
    assert Voucher.objects.count() == AccessAccount.objects.count() == 0
    monkeypatch.setattr(generation, "_conclude", real)
    batch_generate(batch.pk, now=later + timedelta(seconds=61))
    assert Voucher.objects.count() == 5


@pytest.mark.parametrize(
    ("status", "age", "is_cancel_requested", "started", "after"),
    [
        ("queued", 5, False, 0, "queued"),
        ("queued", 30, False, 1, "queued"),
        ("generating", 30, False, 0, "generating"),
        ("generating", 61, False, 1, "generating"),
        ("generating", 61, True, 0, "cancelled"),
        ("failed", 900, False, 0, "failed"),
        ("cancelled", 900, False, 0, "cancelled"),
    ],
)
def test_resume_starts_only_what_nobody_works_on(
    status: str, age: int, is_cancel_requested: bool, started: int, after: str
) -> None:
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=5, actor=None)
    now = clock.now() + timedelta(days=1)
    VoucherBatch.objects.filter(pk=batch.pk).update(
        status=status, heartbeat_at=now - timedelta(seconds=age), is_cancel_requested=is_cancel_requested,
        created_at=now - timedelta(seconds=age),
    )  # fmt: skip
    assert batches_resume(now=now) == started
    batch.refresh_from_db()
    assert batch.status == after


CHILD = """
import sys, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from vouchers.services import generation
{extra}
generation.batch_generate(int(sys.argv[2]))
"""
PAUSE = """
real = generation.accounts_copy
def paused(**kwargs):
    print("vouchers copied", flush=True)
    sys.stdin.read()
    return real(**kwargs)
generation.accounts_copy = paused
"""


def _child(batch_id: int, extra: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(extra=extra), str(connection.settings_dict["NAME"]), str(batch_id)],
        cwd=ROOT, env=dict(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_worker_killed_in_the_middle_is_healed() -> None:
    place = make_location()
    batch = batch_create(plan=make_plan("Harian", place), locations=[place], quantity=500, actor=None)
    child = _child(batch.pk, PAUSE)
    assert child.stdout is not None
    assert child.stdout.readline() == "vouchers copied\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait(20)
    batch.refresh_from_db()
    assert batch.status == "generating"
    assert Voucher.objects.count() == 0

    later = clock.now() + timedelta(seconds=61)
    assert batches_resume(now=clock.now()) == 0
    assert batches_resume(now=later) == 1
    batch_generate(batch.pk, now=later)
    batch.refresh_from_db()
    assert (batch.status, batch.progress) == ("ready", 500)
    assert Voucher.objects.count() == AccessAccount.objects.count() == 500


def test_eight_processes_make_100_000_codes_at_once() -> None:
    """A tight code space, so that they do collide: no duplicate, no dead-lock, every batch complete."""
    place = make_location()
    plan = make_plan("Harian", place)
    batches = [
        batch_create(plan=plan, locations=[place], quantity=12_500, length=6, charset="digits", actor=None)
        for _i in range(8)
    ]
    children = [_child(batch.pk) for batch in batches]
    assert [child.wait(240) for child in children] == [0] * 8
    for child in children:
        child.communicate()
    assert sorted(VoucherBatch.objects.values_list("status", "error", "progress")) == [("ready", "", 12_500)] * 8
    assert Voucher.objects.values("code").distinct().count() == 100_000
    assert AccessAccount.objects.count() == 100_000


@pytest.mark.parametrize(
    ("model", "entries", "quantity", "push_at", "code"),
    [
        ("hAP lite", 0, 2_001, "creation", "small_router"),
        ("hAP lite", 1_500, 501, "creation", "small_router"),
        ("hAP lite", 1_500, 500, "creation", None),
        ("RB750Gr3", 0, 5_000, "creation", "small_router"),
        ("RB951Ui-2HnD", 0, 5_000, "creation", "small_router"),
        ("hEX S", 0, 5_000, "creation", "small_router"),
        ("hAP lite", 0, 50_000, "sale", None),
        ("CCR2004-16G-2S+", 0, 20_000, "creation", None),
        ("CCR2004-16G-2S+", 0, 20_001, "creation", "many_entries"),
        ("", 0, 5_000, "creation", None),
    ],
)
def test_small_routers_are_warned_about(
    model: str, entries: int, quantity: int, push_at: str, code: str | None
) -> None:
    place = make_location("Warung Bu Sri", model=model, entry_count=entries)
    warnings = batch_warnings(locations=[place], quantity=quantity, push_at=push_at)
    assert [warning.code for warning in warnings] == ([code] if code else [])
    if code:
        assert "Warung Bu Sri" in warnings[0].sentence
        assert "when they are sold" in warnings[0].sentence


def test_what_is_on_its_way_to_a_router_counts_too() -> None:
    """A router that was never asked, or not since the last order, has not got room for the same codes twice."""
    place = make_location("Pos 1", model="hAP lite")
    plan = make_plan("Harian", place)
    batch = batch_create(plan=plan, locations=[place], quantity=1_900, actor=None)
    asked = {"locations": [place], "push_at": "creation"}
    assert batch_warnings(quantity=1_900, made=batch, **asked) == []
    assert [w.code for w in batch_warnings(quantity=101, **asked)] == ["small_router"]
    assert batch_warnings(quantity=100, **asked) == []
    assert [w.code for w in batch_warnings(quantity=101, **asked)] == ["small_router"]
    batch_generate(batch.pk)
    assert batch_warnings(quantity=100, **asked) == []
    assert [w.code for w in batch_warnings(quantity=101, **asked)] == ["small_router"]
    assert "2,001" in batch_warnings(quantity=101, **asked)[0].sentence

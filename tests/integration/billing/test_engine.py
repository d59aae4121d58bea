"""Nights: once per location and local day, whatever is missed, repeated, killed or turned back; and what a preview says."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction

from billing.choices import BillingMode
from billing.models import BillingRun, Coupon, CouponUse, Invoice, Subscription, SubscriptionEvent
from billing.monitoring import nights_state
from billing.services.engine import night as night_module
from billing.services.engine import nights
from billing.services.engine.preview import engine_preview
from billing.services.subscriptions_access import subscription_move
from billing.services.subscriptions_pausing import subscription_pause
from billing.services.subscriptions_plans import subscription_change_plan
from billing.services.subscriptions_promises import promise_to_pay
from core.db.numbers import numbers_take
from core.errors import DomainError, TransitionError
from core.settings_registry import setting_change
from customers.models import Customer
from locations.models import AccessAccount
from tests.integration.billing.service_world import (
    at,
    bills,
    customer,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    spans,
    state,
)
from tests.processes import kill, spawn

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)
DAY = timedelta(days=1)


def test_a_night_that_runs_twice_bills_once() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    assert night(pos, date(2026, 12, 22))["bills"] == 1
    assert night(pos, date(2026, 12, 22)) == {}
    assert [bill[0] for bill in bills(row)] == ["2026-11-22", "2026-12-22"]


def test_missed_nights_are_billed_with_the_days_they_should_have_had() -> None:
    pos = place()
    row = service(pos, plan(pos, due_days=10), NOV_22)
    assert night(pos, date(2027, 2, 25))["bills"] == 3
    # what should have been due before we came back is due today: nobody is late through our fault
    assert bills(row)[1:] == [
        ("2026-12-22", "2027-02-25", 150_000, "open"),
        ("2027-01-22", "2027-02-25", 150_000, "open"),
        ("2027-02-22", "2027-03-04", 150_000, "open"),
    ]
    assert [span[:2] for span in spans(row)] == [
        ("2026-11-22", "2026-12-22"), ("2026-12-22", "2027-01-22"), ("2027-01-22", "2027-02-22"),
        ("2027-02-22", "2027-03-22"),
    ]  # fmt: skip
    sound()


def test_bills_come_so_many_days_ahead() -> None:
    setting_change("billing.lead_days", "7")
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    assert bills(row) == [("2026-11-22", "2026-11-22", 150_000, "open")]
    assert night(pos, date(2026, 12, 14)) == {"isolated": 1}
    night(pos, date(2026, 12, 15))
    assert bills(row)[1:] == [("2026-12-15", "2026-12-22", 150_000, "open")]


def test_a_clock_that_jumps_back_or_forward_bills_every_day_exactly_once() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    for day in (date(2027, 3, 1), date(2026, 12, 22), date(2026, 11, 1), date(2027, 3, 22), date(2027, 3, 1)):
        night(pos, day)
    covered = [span[:2] for span in spans(row)]
    assert covered[0][0] == "2026-11-22"
    assert covered[-1][1] == "2027-04-22"
    assert all(before[1] == after[0] for before, after in pairwise(covered))
    assert len(bills(row)) == len(covered) == 5


def test_the_balance_pays_and_who_does_not_want_that_is_left_alone() -> None:
    pos = place()
    offer = plan(pos)
    auto, manual = service(pos, offer, NOV_22), service(pos, offer, NOV_22, is_auto_renewed=False)
    for row in (auto, manual):
        pay(row, 350_000, NOV_22)
    night(pos, date(2026, 12, 22))
    assert (money(auto), money(manual)) == ((50_000, 0), (200_000, 150_000))
    night(pos, date(2027, 1, 22))
    assert money(auto) == (0, 100_000)
    sound()


def test_a_late_fee_comes_once_per_bill() -> None:
    pos = place()
    row = service(pos, plan(pos, late_fee=10_000, late_fee_days=7), NOV_22)
    found = [night(pos, NOV_22 + n * DAY).get("late_fees", 0) for n in range(5, 12)]
    assert found == [0, 0, 0, 1, 0, 0, 0]
    assert [bill[2] for bill in bills(row)] == [150_000, 10_000]
    assert money(row) == (0, 160_000)


def test_the_end_of_months_keeps_the_31st() -> None:
    pos = place()
    row = service(pos, plan(pos), date(2026, 10, 31))
    for n in range(1, 200):
        night(pos, date(2026, 10, 31) + n * DAY)
    assert [bill[0] for bill in bills(row)] == [
        "2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30",
    ]  # fmt: skip


# --- when a night is run -------------------------------------------------------------------------------------------------


def orders() -> list[tuple[str, str]]:
    rows = BillingRun.objects.order_by("pk").select_related("location")
    return [(str(run.location), str(run.day)) for run in rows]


def test_each_location_has_its_own_night_once() -> None:
    west, east = place("Barat"), place("Timur", timezone="Asia/Jayapura")
    place("Kosong")  # nobody is served there
    offer = plan(west, east)
    for where in (west, east):
        service(where, offer, NOV_22)
    before = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 22:59 in Jakarta, 0:59 of the 24th in Jayapura
    assert nights.nights_start(now=before) == 1
    assert orders() == [("Barat", "2026-11-23")]
    assert nights.nights_start(now=before + timedelta(minutes=1)) == 1
    assert orders()[1:] == [("Timur", "2026-11-24")]
    assert nights.nights_start(now=before + timedelta(minutes=30)) == 0
    assert (
        nights.nights_start(now=before - timedelta(days=0, hours=3)) == 1
    )  # the clock was turned back: that day is done too
    assert orders()[2:] == [("Timur", "2026-11-23")]


def test_the_hour_that_does_not_exist_is_no_excuse() -> None:
    """In Berlin 2:00 to 3:00 is missing on 28 March 2027; the night is run at 3:00."""
    setting_change("billing.run_hour", "2")
    where = place("Berlin", timezone="Europe/Berlin")
    service(where, plan(where), NOV_22)
    assert nights.nights_start(now=datetime(2027, 3, 28, 0, 59, tzinfo=UTC)) == 0
    assert nights.nights_start(now=datetime(2027, 3, 28, 1, 0, tzinfo=UTC)) == 1
    # and the one that comes twice in October runs one night
    assert nights.nights_start(now=datetime(2027, 10, 31, 0, 30, tzinfo=UTC)) == 1
    assert nights.nights_start(now=datetime(2027, 10, 31, 1, 30, tzinfo=UTC)) == 0


def ordered(pos: Any, day: date) -> BillingRun:
    with transaction.atomic():
        return nights.night_order(pos, day)[0]


def test_a_run_says_what_it_did_and_is_done_once() -> None:
    pos = place()
    for _n in range(3):
        service(pos, plan_of(pos), NOV_22)
    run = nights.run_do(ordered(pos, date(2026, 12, 22)).pk, now=at(date(2026, 12, 22)))
    assert (run.status, run.done, run.total) == ("done", 3, 3)
    assert run.outcome == {"bills": 3, "isolated": 3, "billed": "450000"}
    again = nights.run_do(run.pk, now=at(date(2026, 12, 22), 9))
    assert (again.finished_at, Invoice.objects.count()) == (run.finished_at, 6)


def plan_of(pos: Any) -> Any:
    from billing.models import Plan

    return Plan.objects.first() or plan(pos)


def test_a_run_is_stopped_and_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night_module, "CHUNK", 2)
    pos = place()
    for _n in range(5):
        service(pos, plan_of(pos), NOV_22)
    run = ordered(pos, date(2026, 12, 22))
    BillingRun.objects.filter(pk=run.pk).update(is_cancel_requested=True)
    assert nights.run_do(run.pk, now=at(date(2026, 12, 22))).status == "cancelled"
    assert Invoice.objects.filter(issued_on=date(2026, 12, 22)).count() == 2
    with pytest.raises(TransitionError):
        nights.run_cancel(run, actor=None)
    nights.run_again(run, actor=None)
    run = nights.run_do(run.pk, now=at(date(2026, 12, 22)))
    assert (run.status, run.outcome["bills"], run.outcome["billed"]) == ("done", 5, "750000")
    assert Invoice.objects.filter(issued_on=date(2026, 12, 22)).count() == 5


def test_a_run_that_fails_says_so_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pos = place()
    service(pos, plan(pos), NOV_22)
    run = ordered(pos, date(2026, 12, 22))

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(night_module, "bills_due", broken)
        with pytest.raises(RuntimeError):
            nights.run_do(run.pk, now=at(date(2026, 12, 22)))
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "RuntimeError")
    nights.run_again(run, actor=None)
    assert nights.run_do(run.pk, now=at(date(2026, 12, 22))).status == "done"


def test_a_night_that_failed_is_ordered_again_and_said_on_the_health_page() -> None:
    pos = place()
    service(pos, plan(pos), NOV_22)
    day = date(2026, 12, 22)
    run = ordered(pos, day)
    BillingRun.objects.filter(pk=run.pk).update(status="failed", error="OperationalError", finished_at=at(day))
    found = nights_state()
    assert (found.is_ok, "Pos 1" in found.sentence, "OperationalError" in found.sentence) == (False, True, True)
    assert nights.nights_start(now=at(day, 3)) == 1
    run.refresh_from_db()
    assert (run.status, run.error, run.finished_at) == ("queued", "", None)
    assert nights.run_do(run.pk, now=at(day, 3)).status == "done"
    assert nights.nights_start(now=at(day, 4)) == 0
    assert nights_state().is_ok


@pytest.mark.parametrize("status", ["done", "cancelled"])
def test_a_night_that_is_done_or_was_stopped_by_a_person_is_left_alone(status: str) -> None:
    pos = place()
    service(pos, plan(pos), NOV_22)
    day = date(2026, 12, 22)
    run = ordered(pos, day)
    BillingRun.objects.filter(pk=run.pk).update(status=status, finished_at=at(day))
    assert nights.nights_start(now=at(day, 3)) == 0
    run.refresh_from_db()
    assert run.status == status


def test_one_service_that_cannot_be_billed_does_not_keep_its_location_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pos = place()
    offer = plan(pos)
    rows = [service(pos, offer, NOV_22) for _n in range(7)]
    second = service(pos, offer, NOV_22, Customer.objects.get(pk=rows[3].customer_id))
    real = night_module.bills_write

    def refuses_one(drafts: Any, **kwargs: Any) -> Any:
        if any(row.subscription.pk == rows[3].pk for row in drafts):
            raise DomainError("invoice.amount", "Amounts are whole units.")
        return real(drafts, **kwargs)

    day = date(2026, 12, 22)
    with monkeypatch.context() as patch:
        patch.setattr(night_module, "bills_write", refuses_one)
        run = nights.run_do(ordered(pos, day).pk, now=at(day))
    assert (run.status, run.outcome["bills"], run.outcome["refused"]) == ("done", 6, 2)
    assert run.outcome["left_out"] == [[row.pk, "Amounts are whole units."] for row in (rows[3], second)]
    assert [len(bills(row)) for row in (*rows, second)] == [2, 2, 2, 1, 2, 2, 2, 1]
    found = nights_state()
    assert (found.is_ok, "2" in found.sentence) == (False, True)
    sound()
    run = nights.run_do(ordered(pos, day + DAY).pk, now=at(day + DAY))
    assert (run.outcome["bills"], "refused" in run.outcome, nights_state().is_ok) == (2, False, True)
    assert [len(bills(row)) for row in (rows[3], second)] == [2, 2]


def test_a_coupon_of_half_a_rupiah_is_refused_and_stops_no_night() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22)
    coupon = Coupon(code="SETENGAH", kind="amount", value="1000.50")
    with pytest.raises(ValidationError, match="without decimals"):
        coupon.full_clean()
    coupon.save()  # as one that was kept before that was checked
    CouponUse.objects.create(coupon=coupon, subscription=row, bills_left=1, at=at(NOV_22))
    night(pos, date(2026, 12, 22))
    assert [bill[2] for bill in bills(row)] == [150_000, 148_999]


def test_a_late_fee_also_falls_due_after_the_service_moved() -> None:
    pos, other = place(), place("Pos 2")
    row = service(pos, plan(pos, other, late_fee=10_000, late_fee_days=7), NOV_22)
    subscription_move(row, location=other, actor=None, now=at(NOV_22))
    found = [night(other, NOV_22 + n * DAY).get("late_fees", 0) for n in range(5, 12)]
    assert (sum(found), [bill[2] for bill in bills(row)]) == (1, [150_000, 10_000])


KILLED = """
from datetime import UTC, datetime
from billing.services.engine import night, nights
night.CHUNK = 4
real, chunks = night.services_reconsider, []
def third_chunk_stops(*args, **kwargs):
    result = real(*args, **kwargs)
    chunks.append(result)
    if len(chunks) == 3:
        print("in the third chunk", flush=True)
        sys.stdin.readline()
    return result
night.services_reconsider = third_chunk_stops
nights.run_do(int(sys.argv[2]), now=datetime(2026, 12, 21, 19, tzinfo=UTC))
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_night_is_finished_by_the_next_worker_without_a_second_bill() -> None:
    pos = place()
    rows = [service(pos, plan_of(pos), NOV_22) for _n in range(14)]
    run = ordered(pos, date(2026, 12, 22))
    child = spawn(KILLED, run.pk)
    assert child.stdout is not None
    assert child.stdout.readline() == "in the third chunk\n"
    kill(child)
    run.refresh_from_db()
    assert (run.status, run.done, run.total) == ("running", 8, 14)
    assert Invoice.objects.filter(issued_on=date(2026, 12, 22)).count() == 8
    assert run.heartbeat_at is not None
    heard = at(date(2026, 12, 22))
    BillingRun.objects.filter(pk=run.pk).update(heartbeat_at=heard)
    assert nights.runs_resume(now=heard + timedelta(minutes=1)) == 0  # it may still live
    assert nights.run_do(run.pk, now=heard).status == "running"
    assert nights.runs_resume(now=heard + timedelta(minutes=6)) == 1
    run = nights.run_do(run.pk, now=heard + timedelta(minutes=6))
    assert (run.status, run.done, run.total) == ("done", 14, 14)
    assert run.outcome == {"bills": 14, "isolated": 14, "billed": "2100000"}
    assert [len(bills(row)) for row in rows] == [2] * 14
    assert SubscriptionEvent.objects.filter(kind="isolated").count() == 14
    assert AccessAccount.objects.filter(is_isolated=True).count() == 14
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    assert len(set(numbers)) == 28
    with transaction.atomic():
        assert numbers_take("unrelated")[0] == 1
    sound()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_bill_each_period_once() -> None:
    pos = place()
    rows = [service(pos, plan_of(pos), NOV_22) for _n in range(6)]
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(20)
        night(pos, date(2026, 12, 22))
        connections.close_all()

    threads = [threading.Thread(target=work) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [len(bills(row)) for row in rows] == [2] * 6
    sound()


# --- the preview ---------------------------------------------------------------------------------------------------------


def test_a_preview_says_exactly_what_then_happens_and_leaves_nothing() -> None:
    pos = place()
    offer = plan(pos, late_fee=5_000, late_fee_days=20, grace_days=25)
    big = plan(pos, name="Paket 20M", price=300_000)
    postpaid = plan(pos, name="Pasca", billing_mode=BillingMode.POSTPAID)
    rows = [service(pos, offer, NOV_22) for _n in range(6)]
    service(pos, postpaid, NOV_22)
    pay(rows[0], 150_000, NOV_22)
    pay(rows[1], 500_000, NOV_22)
    subscription_change_plan(rows[1], plan=big, is_at_once=False, actor=None, now=at(NOV_22))
    subscription_pause(rows[0], resume_on=date(2026, 12, 22), actor=None, now=at(date(2026, 12, 1)))
    night(pos, date(2026, 11, 23))
    promise_to_pay(rows[2], until_on=date(2026, 12, 7), actor=None, now=at(date(2026, 11, 23)))
    day = date(2026, 12, 22)
    before = _everything()
    shown = engine_preview(pos, day, now=at(day - DAY, 20))
    assert _everything() == before
    assert shown.is_whole
    report = night_module.NightReport()
    night_module.night_do(pos, day, now=at(day), report=report, with_rows=True)
    assert shown.report.counts == report.counts
    assert shown.report.billed == report.billed
    assert shown.report.rows == report.rows
    assert [row.amount for row in report.rows if row.what == "late_fee"] == [5_000] * 4
    assert report.counts == {
        "bills": 7, "plan_changes": 1, "resumed": 1, "isolated": 4, "promises_broken": 1, "late_fees": 4,
    }  # fmt: skip


def _everything() -> list[Any]:
    models = [Invoice, Subscription, SubscriptionEvent, AccessAccount, BillingRun]
    return [sorted(map(str, model._default_manager.values_list())) for model in models]


def test_a_customer_of_two_services_is_one_chunk() -> None:
    assert list(night_module.night_chunks([(1, 1), (1, 2), (2, 3), (3, 4), (3, 5), (4, 6)], size=2)) == [
        [1, 2], [3, 4, 5], [6],
    ]  # fmt: skip
    assert list(night_module.night_chunks([], size=2)) == []


def test_nobody_is_billed_who_is_paused_or_ended() -> None:
    pos = place()
    row = service(pos, plan(pos), NOV_22, customer("Diam"))
    subscription_pause(row, actor=None, now=at(NOV_22))
    assert night(pos, date(2027, 5, 1)) == {}
    assert state(row)[0] == "paused"

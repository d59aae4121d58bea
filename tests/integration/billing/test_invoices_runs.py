"""One bill for many: every service once, through chunks, a cancel, a killed worker and a request that came twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.choices import Role
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.models import BillingRun, Invoice, Subscription
from billing.services import invoices_runs
from billing.services.invoices import BulkOrder, bills_run, bills_run_cancel, bills_runs_resume, bulk_count, bulk_order
from billing.services.invoices_issuing import invoices_issue
from billing.services.settling import money_receive
from core.errors import DomainError, TransitionError
from customers.models import Customer
from locations.models import Location
from tests.integration.billing.invoice_world import DAY, NOW, make_customer, make_service
from tests.integration.vouchers.world import make_user
from tests.processes import kill, spawn

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = BulkOrder("New router", 20_000, DAY)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoices_runs, "CHUNK", 4)


@pytest.fixture
def services() -> list[Subscription]:
    return [make_service(make_customer(f"C{i}", f"Customer {i}")) for i in range(10)]


def ordered(order: BulkOrder = ORDER, key: str = "k", **extra: Any) -> BillingRun:
    return bulk_order(order, request_key=key, now=NOW, **({"actor": None} | extra))


def state(run: BillingRun) -> tuple[str, int, int]:
    run.refresh_from_db()
    return run.status, run.done, Invoice.objects.count()


def test_every_running_service_gets_its_bill(services: list[Subscription]) -> None:
    Subscription.objects.filter(pk=services[0].pk).update(status="ended", ended_on=DAY)
    rich = services[1].customer
    money_receive(
        customer_id=rich.pk, amount=50_000, into_account=chart.cash(7), kind=EntryKind.PAYMENT, source="p", now=NOW
    )
    run = ordered()
    assert (run.status, run.total) == ("queued", 9)
    bills_run(run.pk, now=NOW)
    assert state(run) == ("done", 9, 9)
    assert run.outcome == {"issued": 9}
    numbers = sorted(str(number) for number in Invoice.objects.values_list("number", flat=True))
    assert numbers == [f"INV/2026/{i:06}" for i in range(1, 10)]
    assert Invoice.objects.get(customer=rich).status == "paid"
    assert ledger_check().is_right
    bills_run(run.pk, now=NOW)
    assert state(run) == ("done", 9, 9)


def test_the_same_request_is_one_run(services: list[Subscription]) -> None:
    assert ordered().pk == ordered().pk
    with pytest.raises(DomainError) as refused:
        ordered(actor=make_user())
    assert (refused.value.code, BillingRun.objects.count()) == ("run.request_key", 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": " "}, "text"),
        ({"amount": 0}, "amount"),
        ({"due_on": DAY - timedelta(days=1)}, "due_on"),
        ({"tax_mode": "x"}, "tax_mode"),
        ({"plan_id": 999}, "location"),
    ],
)
def test_a_wrong_order_names_the_field(services: list[Subscription], change: dict[str, Any], field: str) -> None:
    good: dict[str, Any] = {"text": "x", "amount": 5, "due_on": DAY}
    with pytest.raises(DomainError) as refused:
        ordered(BulkOrder(**(good | change)))
    assert list(refused.value.fields) == [field]
    assert not BillingRun.objects.exists()


def test_an_operator_bills_his_own_places_only(services: list[Subscription]) -> None:
    mine = Location.objects.create(name="Mine", host="127.0.0.9", username="api")
    make_service(make_customer("M1"), mine)
    operator = make_user("op", Role.OPERATOR, mine)
    assert (bulk_count(ORDER, operator), bulk_count(ORDER, make_user())) == (1, 11)
    run = ordered(actor=operator)
    bills_run(run.pk, now=NOW)
    assert state(run) == ("done", 1, 1)
    with pytest.raises(DomainError) as refused:
        ordered(BulkOrder("x", 5, DAY, location_id=services[0].location_id), key="other", actor=operator)
    assert list(refused.value.fields) == ["location"]


def test_a_cancel_stops_behind_the_last_whole_chunk(
    services: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered()
    calls = []

    def cancel_in_the_second(*args: Any, **kwargs: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            with ThreadPoolExecutor(1) as somebody_else:
                somebody_else.submit(cancel).result()
        return invoices_issue(*args, **kwargs)

    def cancel() -> None:
        try:
            bills_run_cancel(run, actor=None)
        finally:
            connection.close()

    monkeypatch.setattr(invoices_runs, "invoices_issue", cancel_in_the_second)
    bills_run(run.pk, now=NOW)
    assert state(run) == ("cancelled", 4, 4)


def test_a_waiting_run_is_cancelled_at_once(services: list[Subscription]) -> None:
    run = ordered()
    assert bills_run_cancel(run, actor=None).status == "cancelled"
    bills_run(run.pk, now=NOW)
    assert state(run) == ("cancelled", 0, 0)
    with pytest.raises(TransitionError):
        bills_run_cancel(run, actor=None)


def test_a_worker_that_lost_its_lease_writes_nothing(
    services: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered()

    def stolen(*args: Any, **kwargs: Any) -> int:
        BillingRun.objects.filter(pk=run.pk).update(heartbeat_at=NOW)
        return invoices_issue(*args, **kwargs)

    monkeypatch.setattr(invoices_runs, "invoices_issue", stolen)
    bills_run(run.pk, now=NOW)
    assert state(run) == ("running", 0, 0)


def test_a_problem_is_told_and_what_was_issued_stays(
    services: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered()
    calls = []

    def breaks(*args: Any, **kwargs: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise DomainError("x", "The sky fell.")
        return invoices_issue(*args, **kwargs)

    monkeypatch.setattr(invoices_runs, "invoices_issue", breaks)
    bills_run(run.pk, now=NOW)
    assert (state(run), run.error) == (("failed", 4, 4), "The sky fell.")


KILLED = """
from billing.services import invoices_runs
invoices_runs.CHUNK = 4
real, chunks = invoices_runs.invoices_issue, []
def second_chunk_stops(*args, **kwargs):
    result = real(*args, **kwargs)
    chunks.append(result)
    if len(chunks) == 2:
        print("in the second chunk", flush=True)
        sys.stdin.readline()
    return result
invoices_runs.invoices_issue = second_chunk_stops
from billing.models import BillingRun
invoices_runs.bills_run(BillingRun.objects.get().pk)
"""


def test_a_worker_killed_in_a_chunk_is_followed_by_another(
    services: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    kicks: list[tuple[Any, ...]] = []
    monkeypatch.setattr(invoices_runs, "kick", lambda *args, **kwargs: kicks.append(args))
    run = ordered()
    child = spawn(KILLED)
    assert child.stdout is not None
    assert child.stdout.readline() == "in the second chunk\n"
    kill(child)
    assert state(run) == ("running", 4, 4)
    assert run.heartbeat_at is not None
    assert bills_runs_resume(now=run.heartbeat_at + timedelta(seconds=60)) == 0
    later = run.heartbeat_at + timedelta(seconds=121)
    assert bills_runs_resume(now=later) == 1
    assert kicks[-1] == (invoices_runs.TASK, run.pk)
    bills_run(run.pk, now=later)
    assert state(run) == ("done", 10, 10)
    numbers = sorted(str(number) for number in Invoice.objects.values_list("number", flat=True))
    assert [number[-2:] for number in numbers] == [f"{i:02}" for i in range(1, 11)]
    assert {row.debt for row in Customer.objects.all()} == {Decimal(20_000)}

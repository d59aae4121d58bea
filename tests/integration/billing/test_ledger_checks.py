"""The ledger check as a job: once a night, at once when asked, and told on the health page in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.models import ActivityLog, User
from accounts.services import roles_sync, user_create
from billing import monitoring
from billing.choices import EntryKind
from billing.ledger import chart
from billing.ledger.findings import EXPLAINED, OTHER, explained
from billing.ledger.posting import Line, entry_post
from billing.models import LedgerCheck
from billing.services.ledger_checks import ledger_check_request, ledger_checks_run, night_of
from customers.models import Customer

EVENING = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 22.00 in Jakarta
NIGHT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # 03.00 of the 23rd


@pytest.fixture
def boss(db: None) -> User:
    roles_sync()
    return user_create(username="kepala", password="correct-horse-9", role=Role.SUPER_ADMIN, actor=None)


def bend() -> Customer:
    """A debt without a bill: what the check calls `receivable`."""
    customer = Customer.objects.create(number="C1", name="Bu Sri")
    lines = [Line(chart.RECEIVABLE, Decimal(10), customer.pk), Line(chart.INCOME_OTHER, Decimal(-10))]
    entry_post(kind=EntryKind.INVOICE, source="x:1", lines=lines, occurred_at=EVENING)
    return customer


@pytest.mark.django_db
def test_a_night_is_checked_once_and_a_missed_one_is_caught_up() -> None:
    assert (night_of(EVENING), night_of(NIGHT)) == (date(2026, 11, 22), date(2026, 11, 23))
    assert ledger_checks_run(now=EVENING) == "right"
    assert ledger_checks_run(now=EVENING + timedelta(minutes=5)) is None
    assert ledger_checks_run(now=NIGHT) == "right"
    assert (
        ledger_checks_run(now=NIGHT + timedelta(days=3)) == "right"
    )  # three nights were missed: one check makes up for them
    assert list(LedgerCheck.objects.order_by("pk").values_list("night", "status")) == [
        (date(2026, 11, 22), "done"), (date(2026, 11, 23), "done"), (date(2026, 11, 26), "done"),
    ]  # fmt: skip


def test_a_check_by_hand_waits_once_and_is_written_down(boss: User) -> None:
    first = ledger_check_request(now=EVENING, actor=boss)
    assert ledger_check_request(now=EVENING, actor=boss) == (first[0], False)
    assert ActivityLog.objects.filter(action="ledger.check_requested").count() == 1
    assert ledger_checks_run(now=EVENING) == "right"
    first[0].refresh_from_db()
    assert (first[0].status, first[0].requested_by, first[0].counts) == ("done", boss, {})
    assert ledger_checks_run(now=EVENING) == "right"  # the night's own, which had to wait
    assert LedgerCheck.objects.filter(night=date(2026, 11, 22), status="done").count() == 1


def test_what_is_wrong_is_kept_and_told(boss: User) -> None:
    customer = bend()
    with time_machine.travel(NIGHT, tick=False):
        assert ledger_checks_run(now=NIGHT) == "receivable: 1"
        state = monitoring.ledger_check_state()
        assert (state.is_ok, monitoring.wrong_rows(), monitoring.check_age()) == (False, 1.0, 0.0)
        assert "1 row does not add up" in state.sentence
        client = Client(headers={"accept-language": "en"})
        client.force_login(boss)
        page = client.get(reverse("admin:ledger_check")).content.decode()
    row = LedgerCheck.objects.get()
    assert (row.counts, row.findings) == ({"receivable": 1}, {"receivable": [customer.pk]})
    assert "Customers whose debt is not the sum of their open bills." in page
    assert "Do not change anything by hand." in page


def test_the_health_page_says_when_it_was_checked_and_links_to_it(boss: User) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(boss)
    with time_machine.travel(NIGHT, tick=False):
        assert "the first check runs tonight" in client.get(reverse("admin:health")).content.decode()
        ledger_checks_run(now=NIGHT)
        html = client.get(reverse("admin:health")).content.decode()
        assert "every amount adds up" in html
        assert reverse("admin:ledger_check") in html
    with time_machine.travel(NIGHT + timedelta(hours=31), tick=False):
        state = monitoring.ledger_check_state()
        assert (state.is_ok, "Does the worker for long work run?" in state.sentence) == (False, True)


@pytest.mark.django_db
def test_a_check_that_breaks_is_bad_until_one_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> Any:
        raise RuntimeError("no database")

    with monkeypatch.context() as patch:
        patch.setattr("billing.services.ledger_checks.ledger_check", breaks)
        with time_machine.travel(EVENING, tick=False), pytest.raises(RuntimeError):
            ledger_checks_run(now=EVENING)
    with time_machine.travel(NIGHT, tick=False):
        assert "could not be finished (RuntimeError)" in monitoring.ledger_check_state().sentence
        ledger_checks_run(now=NIGHT)
        assert monitoring.ledger_check_state().is_ok


@pytest.mark.django_db
def test_a_check_whose_worker_died_is_given_up_and_another_is_made() -> None:
    began = NIGHT - timedelta(hours=5)
    LedgerCheck.objects.create(status="running", requested_at=began, started_at=began)
    assert ledger_checks_run(now=NIGHT - timedelta(hours=4)) is None  # it may still be at work
    assert ledger_checks_run(now=NIGHT) == "right"
    assert list(LedgerCheck.objects.order_by("pk").values_list("status", "error")) == [
        ("failed", "abandoned"),
        ("done", ""),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["waiting", "running"])
def test_two_checks_never_wait_or_run_side_by_side(status: str) -> None:
    LedgerCheck.objects.create(status=status, requested_at=NIGHT)
    with pytest.raises(IntegrityError, match="billing_check_one"):
        LedgerCheck.objects.create(status=status, requested_at=NIGHT)


def test_only_a_super_admin_opens_the_page_and_orders_a_check(boss: User) -> None:
    admin = user_create(username="ani", password="correct-horse-9", role=Role.ADMIN, actor=None)
    client = Client()
    client.force_login(admin)
    url = reverse("admin:ledger_check")
    assert (client.get(url).status_code, client.post(url).status_code) == (403, 403)
    assert not LedgerCheck.objects.exists()
    client.force_login(boss)
    assert client.post(url).status_code == 302
    assert LedgerCheck.objects.get().requested_by == boss


def test_every_finding_has_words() -> None:
    from billing.ledger.checking import _QUESTIONS

    unexplained = [name for name in _QUESTIONS if explained(name) is OTHER and not name.startswith("unposted")]
    assert unexplained == []
    assert {"sum", "triggers"} <= set(EXPLAINED)

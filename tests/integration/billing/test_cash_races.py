"""Money on its way into a drawer while that drawer is counted: what was counted and what is posted are one moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from billing.ledger.checking import ledger_check
from billing.models import CashShift, Expense, ExpenseCategory, JournalEntry
from billing.services.cash import cash_hand_over, shift_count, shift_hand_over, shift_open
from billing.services.drawers import drawer_amount
from billing.services.expenses import expense_reverse, expense_write
from core.errors import DomainError
from core.settings_registry import setting_change
from tests.integration.billing.money import NOW

pytestmark = pytest.mark.django_db(transaction=True)
Job = Callable[[], object]


@pytest.fixture
def siti() -> User:
    return User.objects.create_user("siti")


@pytest.fixture
def andi() -> User:
    """His drawer, with an open shift and 1,000 in it, is the one that is counted."""
    return User.objects.create_user("andi")


@pytest.fixture
def shift(andi: User) -> CashShift:
    setting_change("billing.cash_needs_shift", "yes")
    return shift_open(counted=1_000, from_owner=1_000, now=NOW, actor=andi)


def while_counted(shift: CashShift, job: Job) -> str:
    """Start `job` when the count is done and not yet committed; what became of it: "done", or the code of its refusal."""
    outcome: list[str] = []

    def work() -> None:
        try:
            job()
            outcome.append("done")
        except DomainError as refusal:
            outcome.append(refusal.code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        shift_count(shift, counted=1_000, now=NOW, actor=shift.user)
        thread.start()
        until = time.monotonic() + 30
        while thread.is_alive() and not _somebody_waits():
            assert time.monotonic() < until
            thread.join(0.02)
    thread.join(30)
    return outcome[0]


def _somebody_waits() -> bool:
    """For this very transaction. Not asked from pg_stat_activity: a transaction sees that only as it was when first asked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)) LIMIT 1"
        )
        return cursor.fetchone() is not None


def hand_over(siti: User, andi: User) -> Job:
    mine = shift_open(counted=500, from_owner=500, now=NOW, actor=siti)
    assert mine.status == "open"
    return lambda: cash_hand_over(amount=200, to_user=andi, request_key="h", now=NOW, actor=siti)


def counted_hand_over(siti: User, andi: User) -> Job:
    mine = shift_count(shift_open(counted=500, from_owner=500, now=NOW, actor=siti), counted=500, now=NOW, actor=siti)
    return lambda: shift_hand_over(mine, amount=200, to_user=andi, now=NOW, actor=siti)


@pytest.mark.parametrize("way", [hand_over, counted_hand_over])
def test_nothing_is_handed_into_a_drawer_that_is_counted(
    shift: CashShift, siti: User, andi: User, way: Callable[[User, User], Job]
) -> None:
    assert while_counted(shift, way(siti, andi)) == "cash.no_shift"
    assert (drawer_amount(siti.pk), drawer_amount(andi.pk)) == (500, 1_000)
    assert not JournalEntry.objects.filter(
        kind="cash_handover", postings__account=f"cash:{andi.pk}", source="handover:h"
    ).exists()
    assert ledger_check().findings == {}


def spent(shift: CashShift, andi: User) -> Expense:
    kind = ExpenseCategory.objects.create(code="bensin", name="Bensin")
    return expense_write(
        category=kind, amount=300, spent_on=date(2026, 11, 22), paid_from=f"cash:{andi.pk}", now=NOW, actor=andi,
        request_key="e",
    )  # fmt: skip


def test_an_expense_comes_back_before_or_after_the_count(shift: CashShift, siti: User, andi: User) -> None:
    expense = spent(shift, andi)
    take_back: Job = lambda: expense_reverse(expense, reason="not bought", now=NOW, actor=siti)  # noqa: E731
    assert while_counted(shift, take_back) == "cash.no_shift"
    expense.refresh_from_db()
    assert (expense.reversed_at, drawer_amount(andi.pk)) == (None, 1_000)  # 700 expected, 1,000 counted
    with pytest.raises(DomainError) as refusal:
        take_back()
    assert refusal.value.message == (
        "andi has no open cash shift, so nobody would count this money. Nothing was changed."
    )
    shift_open(counted=1_000, now=NOW, actor=andi)
    take_back()
    assert drawer_amount(andi.pk) == 1_300
    assert ledger_check().findings == {}


def test_his_own_expense_needs_his_own_shift(shift: CashShift, andi: User) -> None:
    expense = spent(shift, andi)
    shift_count(shift, counted=700, now=NOW, actor=andi)
    with pytest.raises(DomainError) as refusal:
        expense_reverse(expense, reason="not bought", now=NOW, actor=andi)
    assert (refusal.value.code, drawer_amount(andi.pk)) == ("cash.no_shift", 700)
    assert refusal.value.message.startswith("Open your cash shift first.")


def test_without_the_setting_nobody_needs_a_shift(shift: CashShift, siti: User, andi: User) -> None:
    job = hand_over(siti, andi)
    setting_change("billing.cash_needs_shift", "no")
    assert while_counted(shift, job) == "done"  # after the count: it is not part of what was expected
    counted = CashShift.objects.get(pk=shift.pk)
    assert (counted.expected_amount, counted.counted_amount, drawer_amount(andi.pk)) == (1_000, 1_000, 1_200)
    assert ledger_check().findings == {}

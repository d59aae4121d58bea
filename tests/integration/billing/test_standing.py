"""The one rule of who is open, and that the router's wish always says the same."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import connections, transaction

from billing.ledger import chart
from billing.models import JournalEntry, Promise
from billing.services.settling import money_receive
from billing.services.standing import services_reconsider
from billing.services.subscriptions import subscription_change
from billing.services.subscriptions_promises import promise_cancel, promise_to_pay, subscription_isolate
from billing.services.unsettling import settlement_reverse
from core.errors import DomainError, TransitionError
from core.events import subscribe, wiring
from tests.integration.billing.service_world import (
    at,
    kinds,
    login,
    money,
    night,
    pay,
    place,
    plan,
    service,
    sound,
    state,
)

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)
DAY = timedelta(days=1)


def on(n: int) -> date:
    return NOV_22 + n * DAY


def test_due_then_grace_then_isolated_then_paid_and_open_at_once() -> None:
    pos = place()
    row = service(pos, plan(pos, due_days=2, grace_days=3), NOV_22)
    seen = []
    for n in range(1, 8):
        night(pos, on(n))
        seen.append(state(row))
    # due on the 24th (n=2); overdue from n=3; grace ends with n=5
    assert seen == [("active", False)] * 2 + [("grace", False)] * 3 + [("isolated", True)] * 2
    assert kinds(row) == ["created", "activated", "overdue", "isolated"]
    row.refresh_from_db()
    assert row.expiry_date == NOV_22 - DAY
    pay(row, 150_000, on(7))
    assert state(row) == ("active", False)
    assert login(row).priority == 0  # first in the writer's queue
    row.refresh_from_db()
    assert row.expiry_date == date(2026, 12, 21)
    last = row.events.latest("pk")
    assert (last.kind, last.from_status, last.to_status) == ("reopened", "isolated", "active")
    sound()


def test_repeated_runs_change_nothing() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    before = (kinds(row), login(row).revision)
    for _n in range(3):
        assert night(pos, on(1)) == {}
        assert services_reconsider([row.pk], now=at(on(1))) == 0
    assert (kinds(row), login(row).revision) == before


@pytest.mark.parametrize("is_isolated", [True, False])
def test_a_wish_that_was_lost_is_wished_again(is_isolated: bool) -> None:
    """Never "already suspended, skipping": the status is right, the router's wish is not."""
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    if not is_isolated:
        pay(row, 150_000, NOV_22)
    night(pos, on(1))
    account = login(row)
    type(account).objects.filter(pk=account.pk).update(is_isolated=not is_isolated)
    night(pos, on(2))
    assert state(row) == ("isolated" if is_isolated else "active", is_isolated)
    assert login(row).revision == account.revision + 1


def test_part_of_the_money_is_not_all_of_it() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    pay(row, 149_999, on(1))
    assert state(row) == ("isolated", True)
    pay(row, 1, on(1))
    assert state(row) == ("active", False)


def test_a_payment_that_is_taken_back_is_not_a_payment() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    pay(row, 150_000, NOV_22, "giro")
    night(pos, on(1))
    assert state(row) == ("active", False)
    settlement_reverse(JournalEntry.objects.get(source="giro"), now=at(on(2)), actor=None, reason="bounced")
    assert state(row) == ("isolated", True)


def test_a_promise_opens_until_its_day_and_then_isolates_again() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    with pytest.raises(TransitionError):
        promise_to_pay(row, until_on=on(3), actor=None, now=at(NOV_22))
    night(pos, on(1))
    promise_to_pay(row, until_on=on(3), note="gajian", actor=None, now=at(on(1)))
    assert state(row) == ("grace", False)
    for n in (2, 3):
        night(pos, on(n))
        assert state(row) == ("grace", False)
    assert night(pos, on(4)) == {"isolated": 1, "promises_broken": 1}
    assert state(row) == ("isolated", True)
    assert Promise.objects.get().status == "broken"
    assert kinds(row)[2:] == ["isolated", "promised", "reopened", "promise_broken", "isolated"]


def test_a_promise_is_kept_by_paying_and_only_one_is_open() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    first = promise_to_pay(row, until_on=on(2), actor=None, now=at(on(1)))
    second = promise_to_pay(row, until_on=on(5), actor=None, now=at(on(1)))
    first.refresh_from_db()
    assert first.status == "cancelled"
    pay(row, 150_000, on(2))
    second.refresh_from_db()
    assert (second.status, state(row)) == ("kept", ("active", False))
    with pytest.raises(TransitionError):
        promise_cancel(second, actor=None, now=at(on(2)))


def test_a_cancelled_promise_holds_back_again() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    promise = promise_to_pay(row, until_on=on(5), actor=None, now=at(on(1)))
    promise_cancel(promise, actor=None, now=at(on(1)))
    assert state(row) == ("isolated", True)


@pytest.mark.parametrize("until", [on(0), on(16)])
def test_a_promise_is_neither_of_yesterday_nor_of_next_year(until: date) -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    with pytest.raises(DomainError) as refused:
        promise_to_pay(row, until_on=until, actor=None, now=at(on(1)))
    assert refused.value.fields.keys() == {"until_on"}


def test_a_person_may_end_the_grace_but_never_cut_off_who_has_paid() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=5), NOV_22)
    with pytest.raises(TransitionError) as refused:
        subscription_isolate(row, reason="nunggak", actor=None, now=at(NOV_22))
    assert refused.value.code == "isolate.paid"
    night(pos, on(1))
    subscription_isolate(row, reason="nunggak", actor=None, now=at(on(1)))
    assert state(row) == ("isolated", True)
    night(pos, on(2))
    assert state(row) == ("isolated", True)
    pay(row, 150_000, on(2))
    assert state(row) == ("active", False)
    row.refresh_from_db()
    assert row.isolated_by_hand_on is None


def test_more_days_of_grace_open_at_once() -> None:
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    night(pos, on(1))
    subscription_change(row, grace_days=10, actor=None, now=at(on(1)))
    assert state(row) == ("grace", False)


def test_each_service_is_judged_by_its_own_bills() -> None:
    pos = place()
    offer = plan(pos, grace_days=0)
    paid, unpaid = service(pos, offer, NOV_22), None
    who = paid.customer
    pay(paid, 150_000, NOV_22)
    unpaid = service(pos, offer, NOV_22, who)
    night(pos, on(1))
    assert (state(paid), state(unpaid)) == (("active", False), ("isolated", True))


def test_today_is_the_locations_day() -> None:
    """22 November 23:30 in Jakarta is 23 November in Jayapura: there the bill is overdue."""
    west, east = place("Barat"), place("Timur", timezone="Asia/Jayapura")
    offer = plan(west, east, grace_days=0)
    rows = [service(where, offer, NOV_22) for where in (west, east)]
    late = at(NOV_22, 23)
    services_reconsider([row.pk for row in rows], now=late)
    assert [state(row) for row in rows] == [("active", False), ("isolated", True)]


# --- races ---------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_payment_first", [True, False])
def test_a_payment_and_the_engine_at_the_same_moment(is_payment_first: bool) -> None:
    """Whoever gets the customer's lock first: in the end the paid customer is open, in status and wish."""
    pos = place()
    row = service(pos, plan(pos, grace_days=0), NOV_22)
    holds, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            (_pay if is_payment_first else _judge)()
            holds.set()
            assert may_end.wait(20)
        connections.close_all()

    def second() -> None:
        (_judge if is_payment_first else _pay)()
        connections.close_all()

    def _pay() -> None:
        money_receive(
            customer_id=row.customer_id, amount=150_000, into_account=chart.cash(1), kind="payment", source="race",
            now=at(on(1)),
        )  # fmt: skip

    def _judge() -> None:
        services_reconsider([row.pk], now=at(on(1)))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert holds.wait(20)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive()  # it waits for the customer
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert state(row) == ("active", False)
    assert ("isolated" in kinds(row)) is not is_payment_first
    assert money(row) == (0, 0)


def test_what_is_told_to_the_rooms_above() -> None:
    from billing.events import SubscriptionsIsolated, SubscriptionsReopened

    heard: list[tuple[str, list[int]]] = []

    def isolated(event: SubscriptionsIsolated) -> None:
        heard.append(("isolated", list(event.subscription_ids)))

    def reopened(event: SubscriptionsReopened) -> None:
        heard.append(("reopened", list(event.subscription_ids)))

    before = wiring()
    subscribe(SubscriptionsIsolated, isolated, is_critical=True)
    subscribe(SubscriptionsReopened, reopened, is_critical=True)
    try:
        pos = place()
        row = service(pos, plan(pos, grace_days=0), NOV_22)
        night(pos, on(1))
        night(pos, on(2))
        pay(row, 150_000, on(2))
    finally:
        from core import events

        events._subscriptions[:] = before
    assert heard == [("isolated", [row.pk]), ("reopened", [row.pk])]

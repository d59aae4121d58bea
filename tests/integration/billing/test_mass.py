"""Many services at once: the count that is shown first is what then happens, and who has paid is never among them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.models import BillingRun, Promise, Subscription
from billing.services.engine import nights
from billing.services.subscriptions_mass import MassCount, MassStep, Selection, mass_count, mass_order
from core.errors import DomainError
from tests.integration.billing.service_world import at, bills, night, pay, place, plan, service, state, user

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)
DAY = timedelta(days=1)


def done(step: MassStep, day: date, key: str = "key-1") -> BillingRun:
    boss = user("boss" + key)
    run = mass_order(step, request_key=key, actor=boss, now=at(day))
    assert mass_order(step, request_key=key, actor=boss, now=at(day)).pk == run.pk
    return nights.run_do(run.pk, now=at(day))


def test_isolate_only_who_is_overdue() -> None:
    pos = place()
    offer = plan(pos, grace_days=10)
    rows = [service(pos, offer, NOV_22) for _n in range(4)]
    pay(rows[0], 150_000, NOV_22)
    night(pos, NOV_22 + DAY)
    step = MassStep("isolate", Selection(location_id=pos.pk), reason="akhir bulan")
    assert mass_count(step, None) == MassCount(4, 3)
    run = done(step, NOV_22 + DAY)
    assert (run.status, run.total, run.done, run.outcome) == ("done", 3, 3, {"isolated": 3})
    assert [state(row) for row in rows] == [("active", False)] + [("isolated", True)] * 3
    assert rows[1].events.latest("pk").reason == "akhir bulan"
    with pytest.raises(DomainError):
        mass_order(step, request_key="key-2", actor=user("b"), now=at(NOV_22 + DAY))


def test_reopen_until_a_day_and_isolated_again_after_it() -> None:
    pos = place()
    rows = [service(pos, plan(pos, name=f"P{n}", grace_days=0), NOV_22) for n in range(3)]
    night(pos, NOV_22 + DAY)
    step = MassStep("reopen", Selection(ids=[row.pk for row in rows[:2]]), reason="banjir", until_on=NOV_22 + 5 * DAY)
    assert done(step, NOV_22 + DAY).outcome == {"reopened": 2}
    assert [state(row)[0] for row in rows] == ["grace", "grace", "isolated"]
    assert Promise.objects.filter(status="open", note="banjir").count() == 2
    night(pos, NOV_22 + 6 * DAY)
    assert {state(row)[0] for row in rows} == {"isolated"}


def test_the_day_of_a_promise_is_the_locations_day() -> None:
    """At three in the morning in Jakarta it is still yesterday in UTC: a promise until yesterday would open nobody."""
    pos = place()
    rows = [service(pos, plan(pos, grace_days=0), NOV_22)]
    today = NOV_22 + 3 * DAY
    night(pos, today)
    with pytest.raises(DomainError):
        mass_order(
            MassStep("reopen", Selection(location_id=pos.pk), reason="banjir", until_on=today - DAY),
            request_key="key-1", actor=user(), now=at(today, 3),
        )  # fmt: skip
    step = MassStep("reopen", Selection(location_id=pos.pk), reason="banjir", until_on=today)
    run = mass_order(step, request_key="key-2", actor=user("b"), now=at(today, 3))
    assert nights.run_do(run.pk, now=at(today, 3)).outcome == {"reopened": 1}
    assert state(rows[0])[0] == "grace"


def test_another_plan_for_many_at_once_or_with_the_period() -> None:
    pos = place()
    offer, big = plan(pos), plan(pos, name="Paket 20M", price=300_000)
    rows = [service(pos, offer, NOV_22) for _n in range(3)]
    later = MassStep("change_plan", Selection(plan_id=offer.pk), plan_id=big.pk)
    assert mass_count(later, None) == MassCount(3, 3)
    assert done(later, NOV_22).outcome == {"plan_changes": 3}
    assert mass_count(later, None) == MassCount(3, 0)
    assert Subscription.objects.filter(plan=big).count() == 0
    night(pos, date(2026, 12, 22))
    assert Subscription.objects.filter(plan=big).count() == 3
    assert [bill[2] for bill in bills(rows[0])] == [150_000, 300_000]


def test_an_operator_changes_only_his_own() -> None:
    here, there = place("Pos 1"), place("Pos 2")
    offer = plan(here, there, grace_days=10)
    mine, other = service(here, offer, NOV_22), service(there, offer, NOV_22)
    for where in (here, there):
        night(where, NOV_22 + DAY)
    ali = user("ali", "operator", here)
    step = MassStep("isolate", reason="x")
    assert mass_count(step, ali) == MassCount(1, 1)
    nights.run_do(mass_order(step, request_key="k", actor=ali, now=at(NOV_22 + DAY)).pk, now=at(NOV_22 + DAY))
    assert (state(mine)[0], state(other)[0]) == ("isolated", "grace")

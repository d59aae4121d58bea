"""Terms and steps of a service: what is agreed before the first bill, dates and reasons of its steps, addresses, late fees."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.models import User
from accounts.services import roles_sync, user_create
from billing.choices import PlanType
from billing.models import CashShift, Plan, PlanChange, Subscription
from billing.services import plan_change
from billing.services.cash import shift_count, shift_hand_over, shift_open
from billing.services.subscriptions import (
    subscription_activate,
    subscription_change,
    subscription_create,
    subscription_end,
)
from billing.services.subscriptions_access import subscription_change_login, subscription_move
from billing.services.subscriptions_pausing import subscription_pause, subscription_resume
from billing.services.subscriptions_plans import subscription_change_plan
from core.errors import DomainError, TransitionError
from locations.models import AccessAccount, RouterEntry
from tests.integration.billing.service_world import at, bills, customer, draft, kinds, place, plan, service, sound

pytestmark = pytest.mark.django_db
NOV_22 = date(2026, 11, 22)


def staff(role: str) -> User:
    roles_sync()
    return user_create(username=role, password="a-long-password-7", role=role, language="en", actor=None)


def browser(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def boss() -> Client:
    return browser(staff(Role.ADMIN))


def page(row: Subscription, name: str) -> str:
    return reverse(f"admin:billing_subscription_{name}", args=[row.pk])


def test_paying_from_the_balance_is_a_term_of_the_plan_and_of_the_service() -> None:
    pos = place()
    by_hand = plan(pos, is_auto_renewed=False)
    assert draft(pos, by_hand).is_auto_renewed is False
    assert draft(pos, by_hand, is_auto_renewed=True).is_auto_renewed is True
    kept = draft(pos, by_hand)
    plan_change(by_hand, actor=None, is_auto_renewed=True)
    kept.refresh_from_db()
    by_hand.refresh_from_db()
    assert (kept.is_auto_renewed, draft(pos, by_hand).is_auto_renewed) == (False, True)
    made = boss().get(reverse("admin:billing_plan_change", args=[by_hand.pk])).content.decode()
    assert 'name="is_auto_renewed"' in made


def test_terms_of_the_add_form_hold_for_the_first_bill() -> None:
    pos = place()
    of = plan(pos, due_days=5, grace_days=2)
    client = boss()
    add = reverse("admin:billing_subscription_add")
    assert client.get(add).content.decode().count("as the plan says") == 6
    order = {
        "customer": customer(location=pos).pk, "plan": of.pk, "location": pos.pk, "is_started": "on", "form_key": "k1",
        "billing_mode": "postpaid", "due_days": "9", "is_auto_renewed": "no", "late_fee_kind": "plan", "grace_days": "",
    }  # fmt: skip
    assert not Subscription.objects.exists()
    assert client.post(add, order).status_code == 302
    row = Subscription.objects.get()
    assert (row.status, row.billing_mode, row.due_days, row.grace_days, row.is_auto_renewed) == (
        "active", "postpaid", 9, 2, False,
    )  # fmt: skip
    assert bills(row) == []  # prepaid it would have one


def test_a_start_asks_for_its_days_and_why() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    client = boss()
    assert "first day" in client.get(page(row, "activate")).content.decode().lower()
    refused = client.post(page(row, "activate"), {"started_on": "2020-01-01"})
    assert (refused.status_code, "at most a year ago" in refused.content.decode()) == (422, True)
    subscription_activate(
        row, actor=None, now=at(NOV_22), started_on=date(2026, 11, 1), billed_until=date(2026, 12, 1), reason="pindahan"
    )
    row.refresh_from_db()
    assert (row.started_on, row.billed_until, bills(row)) == (date(2026, 11, 1), date(2026, 12, 1), [])
    assert row.events.get(kind="activated").reason == "pindahan"
    subscription_pause(row, actor=None, now=at(NOV_22), reason="mudik")
    subscription_resume(row, actor=None, now=at(NOV_22), reason="pulang")
    assert list(row.events.filter(kind__in=["paused", "resumed"]).order_by("pk").values_list("reason", flat=True)) == [
        "mudik", "pulang",
    ]  # fmt: skip


def test_start_and_return_over_rest_say_why() -> None:
    pos = place()
    row = draft(pos, plan(pos))
    client = boss()

    def post(name: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/subscriptions/{row.pk}/{name}/", body, content_type="application/json")

    assert post("activate", {"reason": "a"}).status_code == 200
    assert post("pause", {"reason": "b"}).status_code == 200
    assert post("resume", {"reason": "c"}).status_code == 200
    reasons = row.events.filter(kind__in=["activated", "paused", "resumed"]).order_by("pk")
    assert list(reasons.values_list("reason", flat=True)) == ["a", "b", "c"]


def test_a_draft_simply_gets_another_plan() -> None:
    pos = place()
    small, large = plan(pos, due_days=3), plan(pos, name="Paket 20M", price=250_000, due_days=8, grace_days=9)
    row = draft(pos, small, price=100_000, grace_days=1)
    client = boss()
    asked = client.get(page(row, "change_plan")).content.decode()
    assert "Nothing is billed yet" in asked
    assert "250,000" in asked
    assert client.post(page(row, "change_plan"), {"plan": large.pk, "reason": "lebih cepat"}).status_code == 302
    row.refresh_from_db()
    assert (row.plan, row.price, row.due_days, row.grace_days, row.status) == (large, None, 8, 1, "draft")
    change = PlanChange.objects.get()
    assert (change.status, change.from_plan, change.to_plan) == ("done", small, large)
    assert kinds(row) == ["created", "plan_changed"]
    subscription_activate(row, actor=None, now=at(NOV_22))
    assert [bill[2] for bill in bills(row)] == [250_000]
    sound()
    other = plan(pos, name="IP", type=PlanType.STATIC)
    with pytest.raises(DomainError, match="same type"):
        subscription_change_plan(draft(pos, small), plan=other, is_at_once=True, actor=None)


def test_a_late_fee_in_percent_is_at_most_the_bill() -> None:
    pos = place()
    of = plan(pos, late_fee=10_000)
    row = service(pos, of, NOV_22)
    for refused in ({"late_fee_kind": "percent"}, {"late_fee_kind": "percent", "late_fee": "100.01"}):
        with pytest.raises(DomainError) as of_service:
            subscription_change(row, actor=None, now=at(NOV_22), **refused)
        with pytest.raises(DomainError) as of_plan:
            plan_change(of, actor=None, **refused)
        says = {"late_fee": "A late fee in percent is 0 to 100."}
        assert (of_service.value.fields, of_plan.value.fields) == (says, says)
    subscription_change(row, actor=None, now=at(NOV_22), late_fee_kind="percent", late_fee="2.5")
    row.refresh_from_db()
    assert (row.late_fee_kind, str(row.late_fee)) == ("percent", "2.50")
    plan_change(of, actor=None, late_fee_kind="percent", late_fee=100)
    of.refresh_from_db()
    assert of.late_fee == 100


@pytest.mark.parametrize("model", [Plan, Subscription])
def test_the_database_refuses_a_larger_percent(model: Any) -> None:
    pos = place()
    service(pos, plan(pos), NOV_22)
    with pytest.raises(IntegrityError, match="late_fee"):
        model.objects.update(late_fee_kind="percent", late_fee=101)


def test_one_address_at_one_location_is_one_services() -> None:
    pos, other = place(), place("Pos 2")
    of = plan(pos, other, type=PlanType.STATIC)
    first = service(pos, of, NOV_22, static_address="10.0.0.5")
    second = service(pos, of, NOV_22, static_address="10.0.0.6")
    there = service(other, of, NOV_22, static_address="10.0.0.5")
    says = f"{first.username} has the address 10.0.0.5 at Pos 1 already."
    for step in (
        lambda: draft(pos, of, static_address="10.0.0.5"),
        lambda: subscription_change_login(second, static_address="10.0.0.5", actor=None),
        lambda: subscription_move(there, location=pos, actor=None),
    ):
        with pytest.raises(DomainError) as refused:
            step()
        assert refused.value.fields == {"static_address": says}
    client = boss()
    assert 'value="10.0.0.5"' in client.get(page(there, "move")).content.decode()
    asked = client.post(page(there, "move"), {"location": pos.pk, "static_address": ""})
    assert asked.status_code == 422
    assert client.post(page(there, "move"), {"location": pos.pk, "static_address": "10.0.0.7"}).status_code == 302
    there.refresh_from_db()
    assert (there.location, there.static_address) == (pos, "10.0.0.7")
    subscription_change_login(first, static_address="10.0.0.5", actor=None)  # his own


def test_an_empty_drawer_that_was_counted_is_closed() -> None:
    cashier = staff(Role.OPERATOR)
    client = browser(cashier)
    shift_open(counted=0, now=at(NOV_22), actor=cashier)
    shift = shift_count(CashShift.objects.get(), counted=0, now=at(NOV_22), actor=cashier)
    with pytest.raises(DomainError):
        shift_hand_over(shift, amount=-1, now=at(NOV_22), actor=cashier)
    own = reverse("admin:my_cash")
    assert "Hand money over" in client.get(own).content.decode()
    done = client.post(own, {"do": "hand_over", "amount": "0"}, follow=True).content.decode()
    assert "The shift is closed; nothing was handed over." in done
    shift.refresh_from_db()
    assert (shift.status, shift.handed_over_amount) == ("handed_over", 0)
    assert "Hand money over" not in client.get(own).content.decode()
    with pytest.raises(TransitionError):
        shift_hand_over(shift, amount=0, now=at(NOV_22), actor=cashier)
    sound()
    shift_open(counted=0, now=at(NOV_22), actor=cashier)
    second = shift_count(CashShift.objects.get(status="open"), counted=0, now=at(NOV_22), actor=cashier)
    over = client.post(f"/api/v1/cash-shifts/{second.pk}/hand-over/", {"amount": "0"}, content_type="application/json")
    assert (over.status_code, over.json()["status"]) == (200, "handed_over")


def test_nobody_is_made_twice_by_a_refused_address() -> None:
    pos = place()
    of = plan(pos, type=PlanType.STATIC)
    draft(pos, of, static_address="10.0.0.5")
    with pytest.raises(DomainError):
        subscription_create(
            customer=customer(), plan=of, location=pos, actor=None, static_address="10.0.0.5", request_key="k"
        )
    assert Subscription.objects.count() == 1


def test_addresses_of_services_that_ended_long_ago_are_listed_and_shut() -> None:
    pos = place()
    of = plan(pos, type=PlanType.STATIC)
    gone, given, living = (service(pos, of, NOV_22, static_address=f"10.0.0.{n}") for n in (5, 6, 7))
    for row in (gone, given):
        subscription_end(row, reason="pindah", actor=None, now=at(NOV_22))
    # as before addresses were shut: no entry
    RouterEntry.objects.filter(tag="off").delete()
    AccessAccount.objects.exclude(pk=living.account_id).delete()
    service(pos, of, NOV_22, static_address="10.0.0.6")
    said = StringIO()
    call_command("shut_old_addresses", stdout=said)
    assert said.getvalue() == "Pos 1\t10.0.0.5\n"
    assert not RouterEntry.objects.filter(tag="off").exists()
    call_command("shut_old_addresses", "--shut", stdout=StringIO())
    assert [row.words["address"] for row in RouterEntry.objects.filter(tag="off", presence="present")] == ["10.0.0.5"]
    again = StringIO()
    call_command("shut_old_addresses", "--shut", stdout=again)
    assert again.getvalue().startswith("0 wanted shut")

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from accounts.choices import Role
from accounts.models import User
from billing.models import Plan, PlanLocation
from billing.selectors import plans_on_sale, publications
from billing.services import plan_change, plan_create, plan_publish, plan_unpublish
from core.errors import DomainError
from core.events import subscribe, wiring
from core.staff_events import StaffActed
from locations.choices import Kind, Presence, UserType
from locations.models import AccessAccount, Location, LocationUser, RouterProfile

pytestmark = pytest.mark.django_db


def place(name: str = "Pos 1") -> Location:
    return Location.objects.create(name=name, host="127.0.0.1", username="api")


def plan(name: str = "Harian", **fields: Any) -> Plan:
    return plan_create(actor=None, **({"name": name, "price_sell": 5000, "price_cost": 3500} | fields))


def test_a_plan_is_stored_with_canonical_values() -> None:
    made = plan("  Harian  ", price_sell="5000.4", rate_limit=" 5M   10M 4M 8s ", address_pool=" pool1 ")
    made.refresh_from_db()
    assert (made.name, made.price_sell, made.rate_limit, made.address_pool) == (
        "Harian", Decimal(5000), "5M/5M 10M/10M 4M/4M 8/8", "pool1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"price_sell": -1}, "price_sell"),
        ({"price_sell": "much"}, "price_sell"),
        ({"price_sell": 0.5}, "price_sell"),
        ({"price_cost": None}, "price_cost"),
        ({"type": "dialup"}, "type"),
        ({"duration_seconds": 9}, "duration_seconds"),
        ({"duration_seconds": 111_111 * 86400}, "duration_seconds"),
        ({"shared_users": 0}, "shared_users"),
        ({"rate_limit": "5m"}, "rate_limit"),
        ({"uptime_limit_seconds": 0}, "uptime_limit_seconds"),
        ({"data_limit_bytes": 0}, "data_limit_bytes"),
        ({"validity_from": "birth"}, "validity_from"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_values_name_their_field_and_store_nothing(fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(DomainError) as refused:
        plan(**({"name": "Harian"} | fields))
    assert list(refused.value.fields) == [wrong]
    assert Plan.objects.count() == 0


def test_two_plans_never_share_a_name() -> None:
    plan("Harian")
    with pytest.raises(DomainError) as refused:
        plan("Harian")
    assert refused.value.code == "plan.name_taken"


def test_publishing_wants_one_profile_per_location_with_the_plans_rules() -> None:
    one, two = place("Pos 1"), place("Pos 2")
    made = plan(
        "Paket 1 Hari / 5Mbps", rate_limit="5M/5M", shared_users=2, idle_timeout_seconds=300,
        keepalive_timeout_seconds=120, address_pool="hs-pool",
    )  # fmt: skip
    rows = plan_publish(made, [two, one], actor=None)
    assert [row.location for row in rows] == [one, two]
    assert plan_publish(made, [one, two], actor=None) == rows
    for row in publications(made.pk, [one.pk, two.pk]).values():
        profile = row.profile
        assert (profile.kind, profile.name, profile.rate_limit, profile.shared_users) == (
            Kind.HOTSPOT, "Paket-1-Hari-5Mbps", "5M/5M", 2,
        )  # fmt: skip
        assert (profile.idle_timeout_seconds, profile.keepalive_timeout_seconds, profile.address_pool) == (
            300, 120, "hs-pool",
        )  # fmt: skip
        assert (profile.revision, profile.applied_revision, profile.presence) == (1, 0, Presence.PRESENT)


def test_a_pppoe_plan_is_a_ppp_profile_without_hotspot_properties() -> None:
    row = plan_publish(plan("Rumah", type="pppoe", keepalive_timeout_seconds=60), [place()], actor=None)[0]
    assert (row.profile.kind, row.profile.keepalive_timeout_seconds) == (Kind.PPP, None)


def test_names_that_would_be_the_same_on_the_router_are_told_apart() -> None:
    here = place()
    names = []
    for name in ("Paket A", "Paket-A", "Paket/A", "PAKET A", "default", "☎"):
        names.append(plan_publish(plan(name), [here], actor=None)[0].profile.name)
    assert names == ["Paket-A", "Paket-A-2", "Paket-A-3", "PAKET-A-4", "default-2", "plan"]


def test_changed_rules_reach_the_profiles_and_prices_do_not() -> None:
    here = place()
    made = plan()
    plan_publish(made, [here], actor=None)
    plan_change(made, actor=None, price_sell=6000, name="Harian baru", duration_seconds=7200)
    profile = RouterProfile.objects.get()
    assert (profile.revision, profile.name) == (1, "Harian")
    plan_change(made, actor=None, rate_limit="2M/2M")
    profile.refresh_from_db()
    assert (profile.revision, profile.rate_limit) == (2, "2M/2M")
    plan_change(made, actor=None, rate_limit="2M")
    profile.refresh_from_db()
    assert profile.revision == 2


def test_the_type_of_a_published_plan_stays() -> None:
    made = plan()
    plan_publish(made, [place()], actor=None)
    with pytest.raises(DomainError) as refused:
        plan_change(made, actor=None, type="pppoe")
    assert (refused.value.code, list(refused.value.fields)) == ("plan.published", ["type"])
    made.refresh_from_db()
    assert made.type == "hotspot"


def test_unpublish_takes_the_profile_away_unless_somebody_uses_it() -> None:
    here = place()
    made = plan()
    row = plan_publish(made, [here], actor=None)[0]
    account = AccessAccount.objects.create(location=here, kind="hotspot", name="budi", profile=row.profile)
    with pytest.raises(DomainError) as refused:
        plan_unpublish(made, [here], actor=None)
    assert (refused.value.code, refused.value.status) == ("plan.in_use", 409)
    assert PlanLocation.objects.count() == 1
    account.delete()
    assert plan_unpublish(made, [here], actor=None) == 1
    assert RouterProfile.objects.get().presence == Presence.ABSENT
    assert plan_unpublish(made, [here], actor=None) == 0
    again = plan_publish(made, [here], actor=None)[0]
    assert (again.profile.name, again.profile.presence) == ("Harian", Presence.PRESENT)


def test_what_staff_did_is_told_with_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import events

    heard: list[StaffActed] = []
    monkeypatch.setattr(events, "_subscriptions", [entry for entry in wiring() if entry.event is not StaffActed])
    subscribe(StaffActed, heard.append, is_critical=True)
    boss = User.objects.create_user(username="boss", password=None, role=Role.ADMIN)
    made = plan_create(actor=boss, ip="192.0.2.7", name="Harian", price_sell=5000)
    plan_change(made, actor=boss, ip="192.0.2.7", price_sell=6000)
    plan_change(made, actor=boss, price_sell=6000)
    plan_publish(made, [place()], actor=boss)
    assert [(event.action, event.user_id) for event in heard] == [
        ("plan.created", boss.pk), ("plan.changed", boss.pk), ("plan.published", boss.pk),
    ]  # fmt: skip
    assert heard[1].ip_address == "192.0.2.7"
    assert heard[1].details == {
        "plan": made.pk, "before": {"price_sell": "5000"}, "after": {"price_sell": "6000"},
    }  # fmt: skip


def test_operators_see_plans_of_their_locations_that_are_on_sale() -> None:
    one, two = place("Pos 1"), place("Pos 2")
    here, there, old = plan("Hari"), plan("Minggu"), plan("Lama", is_active=False)
    plan_publish(here, [one], actor=None)
    plan_publish(there, [two], actor=None)
    plan_publish(old, [one], actor=None)
    operator = User.objects.create_user(username="op", password=None, role=Role.OPERATOR)
    LocationUser.objects.create(location=one, user=operator, user_type=UserType.STAFF)
    assert list(plans_on_sale(operator)) == [here]


@pytest.mark.django_db(transaction=True)
def test_two_plans_of_one_router_name_published_at_once_get_two_profiles() -> None:
    here = place()
    pair = [plan("Paket A"), plan("Paket/A")]
    gate = threading.Barrier(2)

    def publish(row: Plan) -> None:
        gate.wait(20)
        plan_publish(row, [here], actor=None)
        connections.close_all()

    people = [threading.Thread(target=publish, args=[row]) for row in pair]
    for person in people:
        person.start()
    for person in people:
        person.join(30)
    assert sorted(RouterProfile.objects.values_list("name", flat=True)) == ["Paket-A", "Paket-A-2"]
    assert PlanLocation.objects.values("profile").distinct().count() == 2

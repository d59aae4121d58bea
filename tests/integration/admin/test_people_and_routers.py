"""Staff, settings, locations and plans in the admin: who may, what is written down, what is never shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.choices import Role
from accounts.models import ActivityLog, User
from billing.models import Plan, PlanLocation
from core.models import Setting
from core.settings_registry import setting
from locations.choices import Hold, Reach
from locations.models import AccessAccount, Location, LocationUser, RouterState
from tests.integration.admin.world import PASSWORD, World

Login = Callable[[User], Client]


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def location_data(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Pos 2", "host": "192.0.2.10", "port": "8728", "username": "billing", "password": "", "tls_mode": "none",
        "tls_fingerprint": "", "timezone": "Asia/Makassar", "latitude": "", "longitude": "", "is_active": "on",
        "hotspot_dns": "login.pos2.example", "isolation_method": "profile", "isolation_rate_limit": "64k/64k",
        "isolation_list": "mb-isolated", "isolation_page_address": "", "isolation_page_port": "80",
        "isolation_allowed_hosts": "", "speed_change_pace": "5", "drift_repair": "always",
        "drift_repair_hour": "3", "capacity": "",
        "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0", **changes,
    }  # fmt: skip


def test_only_a_super_admin_makes_people(world: World, login: Login) -> None:
    data = {"username": "baru", "password": PASSWORD, "role": "operator", "first_name": "", "last_name": "", "email": "",
            "language": ""}  # fmt: skip
    url = reverse("admin:accounts_user_add")
    assert login(world.admin).post(url, data).status_code == 403
    assert login(world.boss).post(url, data).status_code == 302
    made = User.objects.get(username="baru")
    assert (made.role, made.check_password(PASSWORD), made.groups.count()) == (Role.OPERATOR, True, 1)
    log = ActivityLog.objects.get(action="user.created", details__username="baru")
    assert PASSWORD not in str(log.details)


def test_a_weak_password_is_refused_in_the_form(world: World, login: Login) -> None:
    data = {"username": "baru", "password": "12345", "role": "operator", "first_name": "", "last_name": "", "email": "",
            "language": ""}  # fmt: skip
    response = login(world.boss).post(reverse("admin:accounts_user_add"), data)
    assert "password" in response.context["adminform"].form.errors
    assert b"12345" not in response.content
    assert not User.objects.filter(username="baru").exists()


def test_a_new_password_ends_the_sessions_of_that_person(world: World, login: Login) -> None:
    theirs = login(world.operator)
    assert theirs.get(reverse("admin:index")).status_code == 200
    url = reverse("admin:accounts_user_set_password", args=[world.operator.pk])
    assert login(world.boss).post(url, {"password": "another-good-one-9"}).status_code == 302
    assert theirs.get(reverse("admin:index")).status_code == 302


def test_the_activity_log_cannot_be_changed(world: World, login: Login) -> None:
    row = ActivityLog.objects.latest("pk")
    client = login(world.boss)
    assert client.get(reverse("admin:accounts_activitylog_change", args=[row.pk])).status_code == 200
    assert client.post(reverse("admin:accounts_activitylog_change", args=[row.pk]), {"action": "x"}).status_code == 403
    assert client.get(reverse("admin:accounts_activitylog_add")).status_code == 403


def test_settings_are_checked_against_their_declaration(world: World, login: Login) -> None:
    client = login(world.boss)
    client.get(reverse("admin:core_setting_changelist"))
    url = reverse("admin:core_setting_change", args=["company.name"])
    refused = client.post(url, {"value": "x" * 81})
    assert "value" in refused.context["adminform"].form.errors
    assert client.post(url, {"value": "Warung Net"}).status_code == 302
    assert setting("company.name") == "Warung Net"
    log = ActivityLog.objects.get(action="setting.changed")
    assert log.details["changes"]["value"] == {"before": "MikroTik Billing", "after": "Warung Net"}
    assert b"Warung Net" in client.get(reverse("admin:index")).content
    assert login(world.admin).get(url).status_code == 403
    assert Setting.objects.get(pk="company.name").value == "Warung Net"


@pytest.mark.parametrize("who", ["boss", "admin", "operator"])
def test_the_router_password_is_on_no_page(world: World, login: Login, who: str) -> None:
    client = login(getattr(world, who))
    page = client.get(reverse("admin:locations_location_change", args=[world.near.pk]))
    assert page.status_code == 200
    assert b"router-secret-1" not in page.content
    assert b"v1:gAAAA" not in page.content


def test_an_empty_password_keeps_the_stored_one(world: World, login: Login) -> None:
    client, url = login(world.admin), reverse("admin:locations_location_change", args=[world.near.pk])
    assert client.post(url, location_data()).status_code == 302
    stored = Location.objects.get(pk=world.near.pk)
    assert (stored.password, stored.timezone) == ("router-secret-1", "Asia/Makassar")
    assert stored.settings == {"hotspot_dns": "login.pos2.example"}
    assert client.post(url, location_data(password="new-secret-2")).status_code == 302
    assert Location.objects.get(pk=world.near.pk).password == "new-secret-2"
    assert "new-secret-2" not in str(list(ActivityLog.objects.values_list("details", flat=True)))


def test_a_refused_address_stands_beside_its_field(world: World, login: Login) -> None:
    client, url = login(world.admin), reverse("admin:locations_location_change", args=[world.near.pk])
    response = client.post(url, location_data(host="http://192.0.2.1/"))
    assert "host" in response.context["adminform"].form.errors
    assert Location.objects.get(pk=world.near.pk).host == "192.0.2.10"


def test_an_operator_sees_his_location_only_and_cannot_change_it(world: World, login: Login) -> None:
    client = login(world.operator)
    shown = client.get(reverse("admin:locations_location_changelist")).context["cl"].result_list
    assert [row.pk for row in shown] == [world.near.pk]
    url = reverse("admin:locations_location_change", args=[world.near.pk])
    assert client.post(url, location_data(name="mine")).status_code == 403
    other = reverse("admin:locations_location_change", args=[world.far.pk])
    assert client.get(other).status_code in {302, 404}
    found = client.get(
        reverse("admin:autocomplete"),
        {"app_label": "locations", "model_name": "accessaccount", "field_name": "location", "term": ""},
    ).json()
    assert [row["id"] for row in found["results"]] == [str(world.near.pk)]


def test_staff_of_a_location_are_added_by_a_question_and_taken_off_in_the_form(world: World, login: Login) -> None:
    client, url = login(world.admin), reverse("admin:locations_location_add_staff", args=[world.far.pk])
    page = reverse("admin:locations_location_change", args=[world.far.pk])
    assert url in client.get(page).content.decode()
    gone = User.objects.create_user("pergi", password=None, is_active=False)
    offered = client.get(url).context["form"].fields["staff_members"].queryset
    assert list(offered) == [world.admin, world.operator, world.boss]
    assert client.post(url, {"staff_members": [gone.pk]}).status_code == 422
    assert not LocationUser.objects.filter(location=world.far).exists()
    assert client.post(url, {"staff_members": [world.operator.pk, world.boss.pk]}).status_code == 302
    members = LocationUser.objects.filter(location=world.far).order_by("pk")
    assert sorted(members.values_list("user_id", "user_type")) == sorted(
        [(world.operator.pk, "staff"), (world.boss.pk, "staff")]
    )
    assert ActivityLog.objects.filter(action="location.member_added", user=world.admin).count() == 2
    assert client.post(url, {"staff_members": [world.operator.pk]}).status_code == 422  # is there already: not offered
    assert members.count() == 2
    operator = login(world.operator)
    assert url not in operator.get(page).content.decode()
    assert operator.post(url, {"staff_members": [world.admin.pk]}).status_code == 403
    data = location_data(name=world.far.name, host=world.far.host) | {
        "members-TOTAL_FORMS": "2", "members-INITIAL_FORMS": "2",
        "members-0-id": members[0].pk, "members-0-location": world.far.pk, "members-0-DELETE": "on",
        "members-1-id": members[1].pk, "members-1-location": world.far.pk,
    }  # fmt: skip
    kept = members[1].user_id
    assert client.post(page, data).status_code == 302
    assert list(members.values_list("user_id", flat=True)) == [kept]


def test_a_certificate_is_trusted_only_by_post_and_only_a_real_one(world: World, login: Login) -> None:
    Location.objects.filter(pk=world.near.pk).update(tls_mode="pinned")
    RouterState.objects.filter(pk=world.near.pk).update(reach=Reach.CERTIFICATE, other_fingerprint="ab" * 32)
    client, url = login(world.admin), reverse("admin:locations_location_certificate", args=[world.near.pk])
    shown = client.get(url + f"?do=trust&fingerprint={'ab' * 32}").content.decode()
    assert " ".join(["abab"] * 16) in shown
    assert "I compared all of it" in shown
    client.post(url, {"do": "trust", "fingerprint": "nonsense"})
    assert Location.objects.get(pk=world.near.pk).tls_fingerprint == ""
    operator = login(world.operator)
    assert "Who may confirm it: Super Admin, Admin" in operator.get(url).content.decode()
    assert operator.post(url, {"do": "trust", "fingerprint": "cd" * 32}).status_code == 403
    page = operator.get(reverse("admin:locations_location_change", args=[world.near.pk])).content.decode()
    assert " ".join(["abab"] * 16) in page
    client.post(url, {"do": "trust", "fingerprint": "AB" * 32})
    assert Location.objects.get(pk=world.near.pk).tls_fingerprint == "ab" * 32
    assert RouterState.objects.get(pk=world.near.pk).reach == Reach.UNKNOWN


def test_retry_frees_what_was_refused_and_leaves_conflicts(world: World, login: Login) -> None:
    url = reverse("admin:locations_location_retry", args=[world.near.pk])
    assert login(world.operator).post(url).status_code == 403
    response = login(world.admin).post(url)
    assert said(response) == ["2 refused changes are tried again, and the router is contacted now."]
    assert sorted(AccessAccount.objects.exclude(hold="").values_list("hold", flat=True)) == [Hold.CONFLICT]


def test_another_router_is_accepted_by_a_person_only(world: World, login: Login) -> None:
    client = login(world.admin)
    url = reverse("admin:locations_location_accept_router", args=[world.near.pk])
    assert said(client.post(url)) == ["This is not possible any more; nothing was changed."]
    RouterState.objects.filter(pk=world.near.pk).update(reach=Reach.WRONG_ROUTER, other_serial="NEW123")
    assert b"NEW123" in client.get(url).content
    assert RouterState.objects.get(pk=world.near.pk).serial == "HF309A1X2Y3"
    client.post(url)
    assert RouterState.objects.get(pk=world.near.pk).serial == "NEW123"


def test_accounts_are_switched_kicked_and_taken_over(world: World, login: Login) -> None:
    client = login(world.admin)
    rows = {row.hold: row for row in AccessAccount.objects.exclude(hold="")}
    conflict = rows[Hold.CONFLICT]
    free = AccessAccount.objects.filter(tag=world.batch.tag)[0]
    for name, row in (("disable", free), ("enable", free), ("kick", free), ("adopt", conflict)):
        url = reverse(f"admin:locations_accessaccount_{name}", args=[row.pk])
        assert client.post(url).status_code == 302, name
    free.refresh_from_db()
    conflict.refresh_from_db()
    assert (free.is_disabled, free.is_kick_due, free.is_synced, conflict.hold) == (False, True, False, "")
    assert client.post(reverse("admin:locations_accessaccount_remove", args=[free.pk])).status_code == 302
    assert AccessAccount.objects.get(pk=free.pk).presence == "present"  # a voucher's: its batch decides


def plan_data(**changes: Any) -> dict[str, Any]:
    data = {
        "name": "Mingguan", "type": "hotspot", "price_sell": "20000", "price_cost": "12000", "is_active": "on",
        "duration_seconds_0": "1", "duration_seconds_1": "w", "validity_from": "first_login", "shared_users": "1",
        "uptime_limit_seconds_0": "", "uptime_limit_seconds_1": "h", "data_limit_bytes_0": "3",
        "data_limit_bytes_1": "GB", "idle_timeout_seconds_0": "5", "idle_timeout_seconds_1": "m",
        "keepalive_timeout_seconds_0": "", "keepalive_timeout_seconds_1": "m", "address_pool": "", "speed_up": "2M",
        "speed_down": "10M", "burst": "4M/20M", "burst_threshold": "1M/8M", "burst_time": "8/8", "priority": "",
        "minimum": "", "billing_mode": "prepaid", "period_mode": "rolling", "period_months": "1", "fixed_day": "1",
        "first_bill": "separate", "due_days": "0", "grace_days": "3", "tax_mode": "none", "late_fee_kind": "amount",
        "late_fee": "0", "late_fee_days": "7", "prepay_discounts-TOTAL_FORMS": "0", "prepay_discounts-INITIAL_FORMS": "0",
    }  # fmt: skip
    return {**data, **changes}


def test_a_plan_is_made_from_parts_people_understand(world: World, login: Login) -> None:
    client = login(world.admin)
    assert client.post(reverse("admin:billing_plan_add"), plan_data()).status_code == 302
    plan = Plan.objects.get(name="Mingguan")
    assert (plan.duration_seconds, plan.data_limit_bytes, plan.idle_timeout_seconds) == (604800, 3 * 1024**3, 300)
    assert plan.rate_limit == "2M/10M 4M/20M 1M/8M 8/8"
    page = client.get(reverse("admin:billing_plan_change", args=[plan.pk]))
    form = page.context["adminform"].form
    assert form["duration_seconds"].value() == [1, "w"]
    assert [form[name].value() for name in ("speed_up", "speed_down", "burst_time")] == ["2M", "10M", "8/8"]


@pytest.mark.parametrize(
    "changes",
    [
        {"burst_time": ""},
        {"burst_threshold": ""},
        {"speed_up": "fast"},
        {"priority": "9"},
        {"burst": "1M/1M"},
        {"speed_up": "", "speed_down": "", "burst": "4M/20M"},
    ],
)
def test_a_wrong_speed_limit_is_refused_in_the_form(world: World, login: Login, changes: dict[str, str]) -> None:
    response = login(world.admin).post(reverse("admin:billing_plan_add"), plan_data(**changes))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not Plan.objects.filter(name="Mingguan").exists()


def test_a_plan_is_published_and_taken_off(world: World, login: Login) -> None:
    client = login(world.admin)
    client.post(reverse("admin:billing_plan_add"), plan_data())
    plan = Plan.objects.get(name="Mingguan")
    publish = reverse("admin:billing_plan_publish", args=[plan.pk])
    assert client.post(publish, {"locations": [world.near.pk]}).status_code == 302
    assert list(PlanLocation.objects.filter(plan=plan).values_list("location", flat=True)) == [world.near.pk]
    assert login(world.operator).post(publish, {"locations": [world.far.pk]}).status_code in {302, 403, 404}
    assert PlanLocation.objects.filter(plan=plan).count() == 1
    off = reverse("admin:billing_plan_unpublish", args=[plan.pk])
    assert client.post(off, {"locations": [world.near.pk]}).status_code == 302
    assert PlanLocation.objects.filter(plan=plan).count() == 0
    used = reverse("admin:billing_plan_unpublish", args=[world.plan.pk])
    assert client.post(used, {"locations": [world.near.pk]}).status_code == 422
    assert PlanLocation.objects.filter(plan=world.plan).count() == 2


def test_actions_need_a_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.boss)
    for row, name in ((world.near, "retry"), (world.near, "certificate"), (world.voucher, "void")):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])
        assert client.post(url, {"reason": "x"}).status_code == 403, name


def test_the_menu_shows_what_the_person_may_open(world: World, login: Login) -> None:
    def links(user: User) -> set[str]:
        menu = login(user).get(reverse("admin:index")).context["sidebar_navigation"]
        return {item["link"] for group in menu for item in group["items"]}

    health, people = reverse("admin:health"), reverse("admin:accounts_user_changelist")
    settings = reverse("admin:core_setting_changelist")
    assert {health, people, settings} <= links(world.boss)
    assert settings not in links(world.admin)
    assert links(world.operator).isdisjoint({health, people, settings})
    assert login(world.operator).get(health).status_code == 403


def test_the_language_follows_the_person(world: World, login: Login) -> None:
    client = login(world.operator)
    client.post(reverse("admin:language"), {"language": "id", "next": "/admin/"})
    assert User.objects.get(pk=world.operator.pk).language == "id"
    assert b'lang="id"' in client.get(reverse("admin:index")).content

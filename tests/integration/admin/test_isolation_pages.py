"""Isolation, entries and speed changes in the admin: settings, true states, a way to stop, and nobody else's places."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from core.clock import now
from locations import services
from locations.choices import Hold, Kind, RolloutMode, RolloutStatus
from locations.models import AccessAccount, Location, ProfileRollout, RouterEntry
from tests.integration.admin.test_people_and_routers import location_data
from tests.integration.admin.world import World

Login = Callable[[User], Client]


def test_the_location_form_sets_isolation_and_says_what_is_wrong(world: World, login: Login, settings: object) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"  # type: ignore[attr-defined]
    client = login(world.admin)
    url = reverse("admin:locations_location_add")
    bad = client.post(url, location_data(name="Pos 9", password="s3cret-router", isolation_rate_limit="0/0"))
    assert "isolation_rate_limit" in bad.context["adminform"].form.errors
    assert not Location.objects.filter(name="Pos 9").exists()
    data = location_data(
        name="Pos 9", password="s3cret-router", isolation_method="address_list", isolation_page_address="192.0.2.9",
        isolation_allowed_hosts="api.gateway.example",
    )  # fmt: skip
    assert client.post(url, data).status_code == 302
    made = Location.objects.get(name="Pos 9")
    assert (made.isolation_method, made.isolation_page_address) == ("address_list", "192.0.2.9")
    assert RouterEntry.objects.filter(location=made).count() == 7
    page = client.get(reverse("admin:locations_location_change", args=[made.pk])).content.decode()
    assert "Firewall and list entries" in page


def test_an_isolated_account_says_so(world: World, login: Login) -> None:
    account = AccessAccount.objects.filter(location=world.near).first()
    assert account is not None
    services.accounts_isolate([account.pk])
    client = login(world.operator)
    page = client.get(reverse("admin:locations_accessaccount_change", args=[account.pk])).content.decode()
    assert "should be isolated on the router" in page
    listed = client.get(reverse("admin:locations_accessaccount_changelist"), {"state": "isolated"})
    assert [row.pk for row in listed.context["cl"].result_list] == [account.pk]


def test_entries_are_listed_with_their_state_and_adopted_by_an_admin(world: World, login: Login) -> None:
    words = {"list": "vip", "address": "10.1.1.1"}
    entry = services.entry_put(location=world.near, kind="address_list", words=words, tag="a")
    hidden = services.entry_put(location=world.far, kind="address_list", words=words, tag="a")
    RouterEntry.objects.filter(pk=entry.pk).update(hold=Hold.CONFLICT)
    client = login(world.operator)
    listed = client.get(reverse("admin:locations_routerentry_changelist"))
    assert [row.pk for row in listed.context["cl"].result_list] == [entry.pk]
    assert client.get(reverse("admin:locations_routerentry_change", args=[hidden.pk])).status_code == 302
    url = reverse("admin:locations_routerentry_adopt", args=[entry.pk])
    assert client.post(url).status_code == 403
    assert login(world.admin).post(url).status_code == 302
    entry.refresh_from_db()
    assert (entry.hold, entry.is_adopted, entry.revision) == (Hold.NONE, True, 2)


def test_an_address_that_is_shut_says_why_and_is_opened_by_a_person(world: World, login: Login) -> None:
    profile = services.profile_put(location=world.near, kind=Kind.STATIC, name="kantor", rate_limit="5M/5M")
    services.account_put(profile=profile, name="pak-budi", password=None, tag="a", static_address="10.5.0.7")
    services.accounts_remove(AccessAccount.objects.filter(name="pak-budi"), shuts_addresses=True)
    entry = RouterEntry.objects.get(tag="off")
    client = login(world.operator)
    page = client.get(reverse("admin:locations_routerentry_change", args=[entry.pk])).content.decode()
    assert "the address stays shut until somebody else gets it" in page
    url = reverse("admin:locations_routerentry_release", args=[entry.pk])
    assert "10.5.0.7 at" in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    entry.refresh_from_db()
    assert (entry.presence, entry.is_synced) == ("absent", False)
    assert client.get(url).status_code != 200
    log = ActivityLog.objects.get(action="address.released")
    assert (log.user, log.details["address"]) == (world.operator, "10.5.0.7")


def test_a_speed_change_is_shown_and_stopped(world: World, login: Login) -> None:
    profile = services.profile_put(location=world.near, kind=Kind.PPP, name="paket", rate_limit="5M/10M")
    rollout = services.profile_rollout_start(profile, mode=RolloutMode.NOW, now=now())
    client = login(world.operator)
    page = client.get(reverse("admin:locations_profilerollout_change", args=[rollout.pk])).content.decode()
    assert "Waiting for the router to confirm the new speed" in page
    url = reverse("admin:locations_profilerollout_cancel", args=[rollout.pk])
    assert client.post(url).status_code == 403
    assert login(world.admin).post(url).status_code == 302
    assert ProfileRollout.objects.get().status == RolloutStatus.CANCELLED

"""A login moved to another location, and a router switched off and on, over REST."""

from __future__ import annotations

import pytest

from accounts.models import ActivityLog
from locations import services
from locations.choices import Kind, Presence, Reach
from locations.models import AccessAccount, Location, RouterState
from tests.integration.api.conftest import House, Login

pytestmark = pytest.mark.django_db
ACCOUNTS, LOCATIONS = "/api/v1/accounts/", "/api/v1/locations/"


def test_a_login_of_staff_moves_and_says_what_it_waits_for(house: House, as_user: Login) -> None:
    here, there = (
        services.profile_put(location=place, kind=Kind.PPP, name="rumah", rate_limit="5M/10M")
        for place in (house.here, house.there)
    )
    account = services.account_put(profile=here, name="satpam", password="pw-123456", tag="a")
    AccessAccount.objects.filter(pk=account.pk).update(applied_revision=account.revision)
    RouterState.objects.update_or_create(pk=house.here.pk, defaults={"reach": Reach.OFFLINE})
    client, url = as_user(house.admin), f"{ACCOUNTS}{account.pk}/switch/"
    for wrong in ({}, {"profile": here.pk}, {"profile": 999_999}, {"profile": there.pk, "static_address": "10.0.0"}):
        answer = client.post(url, wrong, format="json")
        assert (answer.status_code, AccessAccount.objects.filter(name="satpam").count()) == (400, 1), wrong
    body = client.post(url, {"profile": there.pk}, format="json").json()
    assert (body["waits_for"], body["offline"]) == ([house.here.name], [house.here.name])
    assert (body["account"]["location"], body["account"]["truth"]) == (house.there.pk, "waiting")
    account.refresh_from_db()
    assert account.presence == Presence.ABSENT
    refused = client.post(f"{ACCOUNTS}{house.account.pk}/switch/", {"profile": there.pk}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "account.not_own")


def test_a_router_is_switched_off_and_on_once(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    for word, is_active in (("off", False), ("off", False), ("on", True)):
        answer = client.post(f"{LOCATIONS}{house.here.pk}/switch-{word}/", {}, format="json")
        assert (answer.status_code, answer.json()["is_active"]) == (200, is_active)
        assert Location.objects.get(pk=house.here.pk).is_active == is_active
    assert ActivityLog.objects.filter(action="location.changed").count() == 2

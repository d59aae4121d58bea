"""Pages of two steps: a login goes to another location, a router is switched off and on. Each says what it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from locations import services
from locations.choices import Kind, Presence, Reach
from locations.models import AccessAccount, Location, LocationUser, RouterState
from tests.integration.admin.test_people_and_routers import said
from tests.integration.admin.world import World

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def own_login(world: World, kind: Kind = Kind.PPP, **fields: str) -> tuple[AccessAccount, int]:
    """A login of staff at the near place, confirmed there, and the profile at the far one."""
    near, far = (
        services.profile_put(location=place, kind=kind, name="rumah", rate_limit="5M/10M")
        for place in (world.near, world.far)
    )
    account = services.account_put(profile=near, name="pos-satpam", password="pw-123456", tag="a", **fields)  # type: ignore[arg-type]
    AccessAccount.objects.filter(pk=account.pk).update(applied_revision=account.revision)
    return account, far.pk


def test_a_login_moves_and_the_pages_say_what_it_waits_for(world: World, login: Login) -> None:
    account, there = own_login(world)
    client, url = login(world.admin), reverse("admin:locations_accessaccount_switch", args=[account.pk])
    assert url in client.get(reverse("admin:locations_accessaccount_change", args=[account.pk])).content.decode()
    shown = client.get(url).content.decode()
    assert "it is never open at both places" in shown
    assert f"{world.far.name} · rumah" in shown
    assert client.post(url, {}).status_code == 422
    assert AccessAccount.objects.filter(name=account.name).count() == 1
    RouterState.objects.filter(pk=world.near.pk).update(reach=Reach.ONLINE)
    answer = client.post(url, {"profile": there})
    new = AccessAccount.objects.get(name=account.name, location=world.far)
    assert answer["Location"] == reverse("admin:locations_accessaccount_change", args=[new.pk])
    expected = (
        f"{account.name} opens at {world.far.name} as soon as {world.near.name} has confirmed that it is gone there."
    )
    assert said(answer) == [expected]
    account.refresh_from_db()
    assert (account.presence, account.moved_to_id, new.is_synced) == (Presence.ABSENT, new.pk, False)


def test_a_move_from_a_router_that_is_away_says_that_it_waits(world: World, login: Login) -> None:
    account, there = own_login(world)
    RouterState.objects.filter(pk=world.near.pk).update(reach=Reach.OFFLINE)
    answer = login(world.admin).post(
        reverse("admin:locations_accessaccount_switch", args=[account.pk]), {"profile": there}
    )
    (sentence,) = said(answer)
    assert sentence.startswith(f"{account.name} waits: {world.near.name} cannot be reached")


def test_who_may_not_and_what_moves_elsewhere(world: World, login: Login) -> None:
    account, there = own_login(world)
    url = reverse("admin:locations_accessaccount_switch", args=[account.pk])
    assert said(login(world.operator).post(url, {"profile": there})) == [
        "This is not possible any more; nothing was changed."  # he sees no other place
    ]
    LocationUser.objects.create(location=world.far, user=world.operator)
    assert login(world.operator).post(url, {"profile": there}).status_code == 403
    voucher = AccessAccount.objects.filter(tag=world.batch.tag)[0]  # it moves with its voucher
    answer = login(world.admin).post(
        reverse("admin:locations_accessaccount_switch", args=[voucher.pk]), {"profile": there}
    )
    assert said(answer) == ["This is not possible any more; nothing was changed."]
    assert AccessAccount.objects.filter(location=world.far, name__in=[account.name, voucher.name]).count() == 0


def test_a_static_address_needs_one_that_is_free_there(world: World, login: Login) -> None:
    account, there = own_login(world, Kind.STATIC, static_address="10.5.50.9")
    url = reverse("admin:locations_accessaccount_switch", args=[account.pk])
    client = login(world.admin)
    assert client.post(url, {"profile": there}).status_code == 422
    assert client.post(url, {"profile": there, "static_address": "10.9.9.9"}).status_code == 302
    assert AccessAccount.objects.get(location=world.far, name=account.name).static_address == "10.9.9.9"


def test_a_router_is_left_alone_and_taken_up_again(world: World, login: Login) -> None:
    client = login(world.admin)
    off, on = (
        reverse(f"admin:locations_location_{name}", args=[world.near.pk]) for name in ("switch_off", "switch_on")
    )
    page = reverse("admin:locations_location_change", args=[world.near.pk])
    first = client.get(page).content.decode()
    assert (off in first, on in first) == (True, False)
    asked = client.get(off).content.decode()
    assert "who is online there stays online" in asked
    assert "wait until then." in asked or "waits until then." in asked
    assert Location.objects.get(pk=world.near.pk).is_active
    assert login(world.operator).post(off).status_code == 403
    assert said(client.post(off)) == [f"{world.near.name} is switched off: its router is not contacted any more."]
    assert not Location.objects.get(pk=world.near.pk).is_active
    second = client.get(page).content.decode()
    assert (off in second, on in second, "Switched off by us" in second) == (False, True, True)
    assert said(client.post(on)) == ["The location is switched on. Its router is contacted now."]
    assert Location.objects.get(pk=world.near.pk).is_active

"""The drift page: findings in words, ticks that become wishes, and only for those who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ActivityLog, User
from core.clock import now
from locations.choices import DriftCategory, DriftSubject, Hold
from locations.models import AccessAccount, DriftRow, Location, RouterState
from tests.integration.admin.test_people_and_routers import said
from tests.integration.admin.world import World

Login = Callable[[User], Client]


def found(location: Location, category: str, name: str, row_id: int | None = None, **fields: object) -> DriftRow:
    return DriftRow.objects.create(
        location=location, category=category, subject=DriftSubject.ACCOUNT, kind="hotspot", name=name, row_id=row_id,
        found_at=now(), **fields,
    )  # fmt: skip


@pytest.fixture
def held(world: World) -> AccessAccount:
    account = AccessAccount.objects.filter(location=world.near, tag=world.batch.tag).first()
    assert account is not None
    AccessAccount.objects.filter(pk=account.pk).update(hold=Hold.DRIFT, applied_revision=0)
    return account


def test_findings_are_shown_in_words(world: World, login: Login, held: AccessAccount) -> None:
    found(
        world.near,
        DriftCategory.DIFFERENT,
        held.name,
        held.pk,
        words=[["profile", "harian", "free"], ["password", "", ""]],
    )
    found(world.near, DriftCategory.EXTRA, "<b>OLD1</b>")
    RouterState.objects.filter(pk=world.near.pk).update(drift={"extra": 900}, reconciled_at=now())
    client = login(world.operator)
    url = reverse("admin:locations_location_drift", args=[world.near.pk])
    page = client.get(url).content.decode()
    assert "profile: wanted harian, router has free" in page
    assert "the password is another than the one we set at" in page
    assert "Changed on the router, not repaired yet" in page
    assert "Compare now" not in page
    extra = client.get(url, {"finding": "extra"}).content.decode()
    assert "&lt;b&gt;OLD1&lt;/b&gt;" in extra
    assert "(900)" in extra
    assert client.post(url, {"do": "compare"}).status_code == 403


def test_other_peoples_routers_are_not_shown(world: World, login: Login) -> None:
    assert login(world.operator).get(reverse("admin:locations_location_drift", args=[world.far.pk])).status_code == 404


def test_ticked_rows_become_wishes_and_are_written_down(world: World, login: Login, held: AccessAccount) -> None:
    one = found(world.near, DriftCategory.DIFFERENT, held.name, held.pk, words=[["profile", "a", "b"]])
    two = found(world.near, DriftCategory.EXTRA, "OLD1")
    left = found(world.near, DriftCategory.EXTRA, "OLD2")
    elsewhere = found(world.far, DriftCategory.EXTRA, "OLD3")
    client = login(world.admin)
    url = reverse("admin:locations_location_drift", args=[world.near.pk])
    answer = client.post(url, {"do": "repair", "row": [str(one.pk), str(two.pk)]})
    assert said(answer) == ["1 entry is sent to the router. 1 entry is taken off it."]
    held.refresh_from_db()
    two.refresh_from_db()
    left.refresh_from_db()
    assert (held.hold, held.is_synced) == (Hold.NONE, False)
    assert two.repair_at is not None
    assert left.repair_at is None
    details = ActivityLog.objects.get(action="location.repaired").details
    assert (details["sent"], details["removed"], details["location"]) == (1, 1, world.near.pk)
    answer = client.post(url, {"do": "repair", "row": [str(elsewhere.pk)]})
    assert "compared again meanwhile" in said(answer)[-1]
    assert said(client.post(url, {"do": "repair"}))[-1] == "Tick what should be repaired."
    assert said(client.post(url, {"do": "repair", "row": ["x", "9" * 40]}))[-1] == "Tick what should be repaired."
    page = client.get(url, {"finding": "extra"}).content.decode()
    assert "to remove it" in page


def test_compare_and_repair_are_asked_for(world: World, login: Login, held: AccessAccount) -> None:
    client = login(world.admin)
    url = reverse("admin:locations_location_drift", args=[world.near.pk])
    client.post(url, {"do": "compare"})
    state = RouterState.objects.get(pk=world.near.pk)
    assert (state.reconcile_due_at is not None, state.is_repair_due) == (True, False)
    held.refresh_from_db()
    assert held.hold == Hold.DRIFT
    assert "to be compared" in client.get(url).content.decode()
    client.post(url, {"do": "repair_all"})
    held.refresh_from_db()
    assert (held.hold, RouterState.objects.get(pk=world.near.pk).is_repair_due) == (Hold.NONE, True)
    client.post(reverse("admin:locations_accessaccount_compare", args=[held.pk]))
    assert RouterState.objects.get(pk=world.near.pk).compare_wanted == [["account", held.pk]]


def test_the_location_page_leads_there(world: World, login: Login) -> None:
    found(world.near, DriftCategory.EXTRA, "OLD1")
    page = login(world.operator).get(reverse("admin:locations_location_change", args=[world.near.pk])).content.decode()
    assert reverse("admin:locations_location_drift", args=[world.near.pk]) in page


def test_a_plan_is_compared_where_it_is_sold(world: World, login: Login) -> None:
    url = reverse("admin:billing_plan_compare", args=[world.plan.pk])
    assert login(world.operator).post(url).status_code == 403
    assert said(login(world.admin).post(url)) == ["2 routers are compared now."]
    wanted = RouterState.objects.order_by("pk").values_list("compare_wanted", flat=True)
    profiles = AccessAccount.objects.order_by("location_id").values_list("profile_id", flat=True).distinct()
    assert [pairs for pairs in wanted if pairs] == [[["profile", pk]] for pk in dict.fromkeys(profiles)]

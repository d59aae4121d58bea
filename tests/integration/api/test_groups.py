"""Groups of locations over REST and in the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.clock import now
from locations.choices import Reach
from locations.models import LocationChoice, LocationGroup, RouterState
from locations.services import group_put, location_choose
from tests.integration.api.conftest import House, Login
from vouchers.models import VoucherBatch

GROUPS, CHOICES = "/api/v1/location-groups/", "/api/v1/location-choices/"


def test_a_group_is_made_changed_asked_and_removed(house: House, as_user: Login) -> None:
    RouterState.objects.update(reach=Reach.ONLINE)
    client = as_user(house.admin)
    body = {"name": "Kota", "strategy": "round_robin", "locations": [house.here.pk, house.there.pk]}
    made = client.post(GROUPS, body, format="json")
    assert made.status_code == 201
    url = f"{GROUPS}{made.json()['id']}/"
    assert as_user(house.operator).post(GROUPS, body, format="json").status_code == 403
    answer = client.patch(url, {"paused": [house.here.pk]}, format="json").json()
    assert [(one["name"], one["is_paused"]) for one in answer["places"]] == [("Pos 1", True), ("Pos 2", False)]
    preview = client.get(f"{url}preview/").json()
    assert preview["location"] == house.there.pk
    assert preview["reasons"] == ["Pos 2: it is its turn.", "Pos 1 was left out: paused in the group."]
    bad = client.patch(url, {"strategy": "manual"}, format="json")
    assert (bad.status_code, list(bad.json()["fields"])) == (400, ["manual_location"])
    assert client.patch(url, {"locations": [999999]}, format="json").status_code == 400
    assert client.delete(url).status_code == 204
    assert LocationGroup.objects.count() == 0


def test_people_see_the_groups_and_choices_of_their_places(house: House, as_user: Login) -> None:
    group = group_put(None, name="Sini", locations=[house.here], actor=None)
    location_choose(group, now=now(), subject="test:1", name="budi")
    (row,) = as_user(house.operator).get(CHOICES, {"subject": "test:1"}).json()["results"]
    assert (row["location"], row["name"], row["strategy"]) == (house.here.pk, "budi", "least_users")
    assert len(row["reasons"]) == 2
    assert as_user(house.outsider).get(CHOICES).json()["results"] == []
    assert as_user(house.outsider).get(f"{GROUPS}{group.pk}/").status_code == 404
    assert as_user(house.operator).get(f"{GROUPS}{group.pk}/").status_code == 200
    group_put(group, locations=[house.here, house.there], actor=None)
    assert as_user(house.operator).get(f"{GROUPS}{group.pk}/").status_code == 404
    assert as_user(house.operator).get(CHOICES).json()["results"] == []
    assert len(as_user(house.admin).get(CHOICES).json()["results"]) == 1


@pytest.fixture
def login(house: House) -> Callable[[User], Client]:
    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return enter


def test_the_admin_makes_a_group_and_says_what_it_would_choose(house: House, login: Callable[[User], Client]) -> None:
    RouterState.objects.update(reach=Reach.ONLINE)
    client = login(house.admin)
    data = {"name": "Kota", "strategy": "manual", "manual_location": "", "max_cpu_load": "85",
            "members": [house.here.pk, house.there.pk]}  # fmt: skip
    url = reverse("admin:locations_locationgroup_add")
    assert "manual_location" in client.post(url, data).context["adminform"].form.errors
    assert client.post(url, {**data, "strategy": "least_users", "paused": [house.there.pk]}).status_code == 302
    group = LocationGroup.objects.get()
    page = client.get(reverse("admin:locations_locationgroup_change", args=[group.pk])).content.decode()
    assert "Pos 1 has the fewest users: 1 (0 online, 1 logins)." in page
    assert "Pos 2 was left out: paused in the group." in page
    location_choose(group, now=now(), subject="test:1")
    choice = LocationChoice.objects.get()
    page = client.get(reverse("admin:locations_locationchoice_change", args=[choice.pk])).content.decode()
    assert "Pos 1 has the fewest users" in page


def test_a_batch_is_ordered_from_a_group_once_per_key(house: House, as_user: Login) -> None:
    RouterState.objects.update(reach=Reach.ONLINE)
    group = group_put(None, name="Kota", locations=[house.here, house.there], actor=None)
    client = as_user(house.admin)
    body = {"plan": house.plan.pk, "group": group.pk, "quantity": 2}

    def order(key: str, **changes: object) -> tuple[int, object]:
        answer = client.post("/api/v1/batches/", {**body, **changes}, format="json", HTTP_IDEMPOTENCY_KEY=key)
        return answer.status_code, answer.json().get("locations")

    assert order("order-0001") == (201, [house.here.pk])
    assert order("order-0001") == (201, [house.here.pk])
    assert order("order-0001", quantity=3)[0] == 409
    assert order("order-0003", locations=[house.here.pk])[0] == 400
    assert order("order-0004", group=999999)[0] == 400
    assert (LocationChoice.objects.count(), VoucherBatch.objects.count()) == (1, 2)
    page = client.get(CHOICES, {"subject": f"voucherbatch:{VoucherBatch.objects.latest('pk').pk}"}).json()["results"]
    assert [row["location"] for row in page] == [house.here.pk]

"""Drift over REST."""

from __future__ import annotations

from core.clock import now
from locations.choices import DriftCategory, DriftSubject, Hold
from locations.models import AccessAccount, DriftRow, RouterState
from tests.integration.api.conftest import House, Login

LOCATIONS = "/api/v1/locations/"


def test_findings_are_listed_and_repaired(house: House, as_user: Login) -> None:
    AccessAccount.objects.filter(pk=house.account.pk).update(hold=Hold.DRIFT, applied_revision=0)
    row = DriftRow.objects.create(
        location=house.here, category=DriftCategory.DIFFERENT, subject=DriftSubject.ACCOUNT, kind="hotspot",
        name=house.account.name, row_id=house.account.pk, words=[["profile", "a", "b"]], found_at=now(),
    )  # fmt: skip
    url = f"{LOCATIONS}{house.here.pk}/"
    (seen,) = as_user(house.operator).get(f"{url}drift/").json()["results"]
    assert (seen["row"], seen["category"], seen["words"]) == (house.account.pk, "different", [["profile", "a", "b"]])
    assert as_user(house.outsider).get(f"{url}drift/").status_code == 404
    assert as_user(house.operator).post(f"{url}repair/", {"rows": [row.pk]}, format="json").status_code == 403
    admin = as_user(house.admin)
    answer = admin.post(f"{url}repair/", {"rows": [row.pk]}, format="json")
    assert (answer.status_code, answer.json()) == (200, {"sent": 1, "removed": 0, "adopted": 0})
    assert AccessAccount.objects.get(pk=house.account.pk).hold == Hold.NONE
    answer = admin.post(f"{url}repair/", {"rows": [row.pk + 1]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "drift.outdated")
    assert admin.post(f"{url}repair/", {"rows": []}, format="json").status_code == 400


def test_comparing_everything_one_login_or_one_profile(house: House, as_user: Login) -> None:
    client, url = as_user(house.admin), f"{LOCATIONS}{house.here.pk}/compare/"
    assert client.post(url, {}, format="json").json() == {"routers": 1}
    state = RouterState.objects.get(pk=house.here.pk)
    assert (state.reconcile_due_at is not None, state.is_repair_due) == (True, False)
    assert client.post(url, {"account": house.account.pk}, format="json").status_code == 200
    assert client.post(url, {"profile": house.account.profile_id}, format="json").status_code == 200
    wanted = [["account", house.account.pk], ["profile", house.account.profile_id]]
    assert RouterState.objects.get(pk=house.here.pk).compare_wanted == wanted
    other = f"{LOCATIONS}{house.there.pk}/compare/"
    assert client.post(other, {"account": house.account.pk}, format="json").status_code == 404
    both = {"account": house.account.pk, "profile": 1}
    assert client.post(url, both, format="json").status_code == 400
    assert client.post(url, {"repairs": True}, format="json").status_code == 200
    assert RouterState.objects.get(pk=house.here.pk).is_repair_due


def test_the_setting_goes_in_and_comes_out(house: House, as_user: Login) -> None:
    client, url = as_user(house.admin), f"{LOCATIONS}{house.here.pk}/"
    change = {"drift_repair": "daily", "drift_repair_hour": 4}
    assert client.patch(url, change, format="json").json()["drift"] == change
    assert client.patch(url, {"drift_repair_hour": 24}, format="json").status_code == 400

"""Isolation settings, entries and speed changes over REST."""

from __future__ import annotations

from typing import Any

import pytest

from core.clock import now
from locations import services
from locations.choices import Hold, Kind, RolloutMode
from locations.models import AccessAccount, Location, ProfileRollout, RouterEntry
from tests.integration.api.conftest import House, Login

LOCATIONS, ACCOUNTS = "/api/v1/locations/", "/api/v1/accounts/"
ENTRIES, SPEEDS = "/api/v1/router-entries/", "/api/v1/speed-changes/"


def test_isolation_settings_go_in_and_come_out(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    change = {
        "isolation_method": "disable", "isolation_rate_limit": "128k/128k", "isolation_list": "macet",
        "isolation_page_address": "192.0.2.9", "isolation_page_port": 8080,
        "isolation_allowed_hosts": "api.gateway.example", "speed_change_pace": 9,
    }  # fmt: skip
    answer = client.patch(f"{LOCATIONS}{house.here.pk}/", change, format="json")
    assert (answer.status_code, answer.json()["isolation"]) == (200, change)
    assert RouterEntry.objects.filter(location=house.here, name="iso-drop").exists()


def test_the_pace_of_a_location_is_set_and_freed(house: House, as_user: Login) -> None:
    client = as_user(house.admin)
    for wish in (40, None):
        answer = client.patch(f"{LOCATIONS}{house.here.pk}/", {"writes_per_second": wish}, format="json")
        assert (answer.status_code, answer.json()["writes_per_second"]) == (200, wish)
        assert Location.objects.get(pk=house.here.pk).writes_per_second == wish


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"isolation_method": "pull the plug"}, "isolation_method"), ({"speed_change_pace": 101}, "speed_change_pace"),
        ({"isolation_rate_limit": "fast"}, "isolation_rate_limit"), ({"isolation_page_port": 0}, "isolation_page_port"),
        ({"isolation_page_address": "pay.example"}, "isolation_page_address"),
        ({"isolation_allowed_hosts": "http://x"}, "isolation_allowed_hosts"),
        ({"writes_per_second": 1}, "writes_per_second"), ({"writes_per_second": 1001}, "writes_per_second"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused(house: House, as_user: Login, change: dict[str, Any], field: str) -> None:
    answer = as_user(house.admin).patch(f"{LOCATIONS}{house.here.pk}/", change, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Location.objects.get(pk=house.here.pk).isolation_rate_limit == "64k/64k"


def test_an_account_says_that_it_is_isolated(house: House, as_user: Login) -> None:
    services.accounts_isolate(AccessAccount.objects.filter(pk=house.account.pk))
    client = as_user(house.operator)
    body = client.get(f"{ACCOUNTS}{house.account.pk}/").json()
    assert (body["is_isolated"], body["truth"], body["last_session_end"]) == (True, "waiting", "")
    assert len(client.get(ACCOUNTS, {"is_isolated": "true"}).json()["results"]) == 1


def test_entries_of_ones_own_places(house: House, as_user: Login) -> None:
    words = {"list": "vip", "address": "10.1.1.1"}
    entry = services.entry_put(location=house.here, kind="address_list", words=words, tag="a")
    other = services.entry_put(location=house.there, kind="address_list", words=words, tag="a")
    client = as_user(house.operator)
    (row,) = client.get(ENTRIES).json()["results"]
    assert (row["name"], row["truth"], row["words"]) == ("vip 10.1.1.1", "waiting", words)
    assert client.get(f"{ENTRIES}{other.pk}/").status_code == 404
    assert client.post(f"{ENTRIES}{entry.pk}/adopt/", {}, format="json").status_code == 403
    assert as_user(house.admin).post(f"{ENTRIES}{entry.pk}/adopt/", {}, format="json").status_code == 409
    RouterEntry.objects.update(hold=Hold.CONFLICT)
    answer = as_user(house.admin).post(f"{ENTRIES}{entry.pk}/adopt/", {}, format="json")
    assert (answer.status_code, answer.json()["hold"]) == (200, "")


def test_a_shut_address_is_opened(house: House, as_user: Login) -> None:
    profile = services.profile_put(location=house.here, kind=Kind.STATIC, name="kantor", rate_limit="5M/5M")
    services.account_put(profile=profile, name="pak-budi", password=None, tag="a", static_address="10.5.0.7")
    services.accounts_remove(AccessAccount.objects.filter(name="pak-budi"), shuts_addresses=True)
    entry, rule = RouterEntry.objects.get(tag="off"), RouterEntry.objects.get(tag="iso-off")
    client = as_user(house.operator)
    answer = client.post(f"{ENTRIES}{entry.pk}/release/", {}, format="json")
    assert (answer.status_code, answer.json()["presence"], answer.json()["truth"]) == (200, "absent", "leaving")
    for again in (entry, rule):
        refused = client.post(f"{ENTRIES}{again.pk}/release/", {}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "address.not_shut")
    assert as_user(house.outsider).post(f"{ENTRIES}{entry.pk}/release/", {}, format="json").status_code == 404


def test_a_speed_change_is_started_watched_and_cancelled(house: House, as_user: Login) -> None:
    profile = services.profile_put(location=house.here, kind=Kind.PPP, name="paket", rate_limit="5M/10M")
    client = as_user(house.admin)
    made = client.post(SPEEDS, {"profile": profile.pk, "mode": "now"}, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["progress"] == {
        "is_confirmed": False, "confirmed_at": None, "sessions_total": 0, "sessions_on_old_speed": 0, "method": "kick",
        "eta_seconds": None,
    }  # fmt: skip
    path = f"{SPEEDS}{made.json()['id']}/"
    assert as_user(house.operator).get(path).status_code == 200
    assert as_user(house.outsider).get(path).status_code == 404
    assert as_user(house.operator).post(f"{path}cancel/", {}, format="json").status_code == 403
    assert client.post(f"{path}cancel/", {}, format="json").json()["status"] == "cancelled"
    assert client.post(f"{path}cancel/", {}, format="json").status_code == 409
    assert client.post(SPEEDS, {"profile": 999_999, "mode": "now"}, format="json").status_code == 404
    services.profile_rollout_start(profile, mode=RolloutMode.NEXT_LOGIN, now=now())
    assert ProfileRollout.objects.count() == 2

"""Sessions and use over REST."""

from __future__ import annotations

import pytest
from django.urls import reverse

from locations.models import RouterSession, SessionKick
from locations.sync.sessions import record_of, records_write
from locations.sync.usage import Growth, usage_add
from tests.integration.api.conftest import MADE_AT, House, Login

pytestmark = pytest.mark.django_db


def session_at(house: House, **fields: object) -> RouterSession:
    values = {"location": house.here, "kind": "hotspot", "router_id": "*1", "name": "sari"} | fields
    return RouterSession.objects.create(started_at=MADE_AT, seen_at=MADE_AT, rate_in=8, rate_out=80, **values)


def test_live_sessions_and_their_end(house: House, as_user: Login) -> None:
    session = session_at(house)
    session_at(house, location=house.there, name="elsewhere")
    client = as_user(house.operator)
    (row,) = client.get(reverse("session-list")).json()["results"]
    assert (row["name"], row["rate_in"], row["rate_out"], row["kind"]) == ("sari", 8, 80, "hotspot")
    assert client.get(reverse("session-list"), {"name": "nobody"}).json()["results"] == []
    url = reverse("session-kick")
    elsewhere = RouterSession.objects.get(name="elsewhere").pk
    refused = client.post(url, {"sessions": [session.pk, elsewhere]}, format="json")
    assert (refused.status_code, refused.json()["code"], SessionKick.objects.count()) == (409, "session.gone", 0)
    assert client.post(url, {"sessions": [session.pk]}, format="json").json() == {"asked": 1}
    assert client.post(url, {"sessions": [session.pk]}, format="json").json() == {"asked": 0}
    (kick,) = client.get(reverse("session-end-list")).json()["results"]
    assert (kick["name"], kick["ended_at"], kick["had_cookie"], kick["came_back_at"]) == ("sari", None, False, None)


def test_history_use_and_talkers(house: House, as_user: Login) -> None:
    records_write([record_of(session_at(house), MADE_AT, "ended")])
    usage_add(house.here.pk, [Growth("hotspot", "sari", 1, 2, 3)], MADE_AT)
    client = as_user(house.operator)
    (record,) = client.get(reverse("past-session-list"), {"name": "sari"}).json()["results"]
    assert (record["end"], record["name"]) == ("ended", "sari")
    (month,) = client.get(reverse("usage-list"), {"period": "month"}).json()["results"]
    assert (month["bytes_in"], month["bytes_out"], month["seconds"]) == (1, 2, 3)
    url = reverse("top-talkers")
    assert client.get(url).json() == [
        {"location": house.here.pk, "kind": "hotspot", "name": "sari", "sent": 8, "received": 80}
    ]
    assert client.get(url, {"location": house.there.pk}).json() == []
    assert client.get(url, {"period": "year"}).status_code == 400
    assert as_user(house.outsider).get(reverse("past-session-list")).json()["results"] == []
    assert as_user(house.outsider).get(reverse("usage-list")).json()["results"] == []

"""Interfaces, their history, a login's days and traffic as it is now over REST."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
import time_machine
from django.urls import reverse

from locations.api import traffic
from locations.models import InterfaceDay, InterfaceTraffic
from locations.services import Sample, Watch
from locations.sync.usage import Growth, usage_add
from tests.integration.api.conftest import MADE_AT, House, Login

pytestmark = pytest.mark.django_db


@pytest.fixture
def uplink(house: House) -> InterfaceTraffic:
    InterfaceTraffic.objects.create(location=house.there, name="ether1", seen_at=MADE_AT)
    return InterfaceTraffic.objects.create(
        location=house.here, name="ether1", is_running=True, rx_bytes=10, tx_bytes=20, rx_rate=8, seen_at=MADE_AT
    )


def test_interfaces_of_ones_own_routers_and_their_last_day(
    house: House, uplink: InterfaceTraffic, as_user: Login
) -> None:
    slots = [0] * 96
    slots[10] = 900 * 1000  # of the quarter that begins at 02:30
    InterfaceDay.objects.create(
        location=house.here, name="ether1", day=MADE_AT.date(), rx=slots, tx=[2 * value for value in slots]
    )
    with time_machine.travel(MADE_AT + timedelta(minutes=3), tick=False):
        client = as_user(house.operator)
        day = client.get(reverse("interface-history", args=[uplink.pk])).json()
    client = as_user(house.operator)
    (row,) = client.get(reverse("interface-list"), {"name": "ether1"}).json()["results"]
    assert (row["location"], row["is_running"], row["rx_bytes"], row["rx_rate"], row["tx_rate"]) == (
        house.here.pk, True, 10, 8, None,
    )  # fmt: skip
    assert len(day) == 96
    assert [row for row in day if row["received"]] == [
        {"at": "2026-11-01T02:30:00Z", "received": 8000, "sent": 16_000}
    ]  # fmt: skip
    for name in ("interface-detail", "interface-history", "interface-now"):
        assert as_user(house.outsider).get(reverse(name, args=[uplink.pk])).status_code == 404


def test_days_of_a_login(house: House, as_user: Login) -> None:
    account = house.account
    usage_add(house.here.pk, [Growth(account.kind, account.name, 1, 2, 3)], MADE_AT)
    url = reverse("account-usage", args=[account.pk])
    with time_machine.travel(MADE_AT + timedelta(days=1), tick=False):
        client = as_user(house.operator)
        days = client.get(url, {"days": "3"}).json()
        assert len(client.get(url).json()) == 30
    assert days == [
        {"day": "2026-10-31", "bytes_in": 0, "bytes_out": 0, "seconds": 0},
        {"day": "2026-11-01", "bytes_in": 1, "bytes_out": 2, "seconds": 3},
        {"day": "2026-11-02", "bytes_in": 0, "bytes_out": 0, "seconds": 0},
    ]
    client = as_user(house.operator)
    for wrong in ({"days": "0"}, {"days": "367"}, {"days": "x"}, {"weeks": "1"}):
        assert client.get(url, wrong).status_code == 400
    assert as_user(house.outsider).get(url).status_code == 404


def test_traffic_now_says_what_was_read_and_why_not(
    house: House, uplink: InterfaceTraffic, as_user: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [Sample(MADE_AT.astimezone(UTC).timestamp(), 5, 6)]
    monkeypatch.setattr(traffic, "interface_watch", lambda *_asked: Watch(samples, True))
    monkeypatch.setattr(traffic, "account_watch", lambda *_asked: Watch([], None, "login", "no"))
    client = as_user(house.operator)
    assert client.get(reverse("interface-now", args=[uplink.pk])).json() == {
        "is_there": True, "problem": "", "message": "",
        "samples": [{"at": "2026-11-01T03:00:00Z", "received": 5, "sent": 6}],
    }  # fmt: skip
    assert client.get(reverse("account-now", args=[house.account.pk])).json() == {
        "is_there": None, "problem": "login", "message": "The router refused user name or password: no.", "samples": [],
    }  # fmt: skip
